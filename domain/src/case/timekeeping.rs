//! What time brings: a clock comes near its day, or past it; bank holidays or rules change.

use schemas::command::{ActorKind, Circumstances, ClockMark, RecordClock};
use schemas::event::{CaseEvent, ClockApproaching, ClockOverdue, ClocksRecomputed};

use super::clocks::{has_come_to, no_sooner, worked_out};
use super::{Submitted, one};
use crate::context::DecisionContext;
use crate::rejection::Rejection;

impl Submitted {
    /// Each is said once of each day. Where it no longer matters (the clock has ended, its day was moved, it is past its day
    /// already and only near was to be said) nothing is.
    pub(super) fn record_clock(
        &self,
        record: &RecordClock,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        must_be_the_council_s(circumstances)?;
        let RecordClock { clock: name, due, mark } = record.clone();
        let clock = self.clocks.get(&name).filter(|clock| clock.runs && clock.due == due);
        let Some(clock) = clock.filter(|clock| !clock.said.contains(&mark)) else {
            return Ok(Vec::new());
        };
        if !has_come_to(clock, mark, context.now) {
            return Err(Rejection::NotYet);
        }
        Ok(match mark {
            ClockMark::Approaching if has_come_to(clock, ClockMark::Overdue, context.now) => Vec::new(),
            ClockMark::Approaching => one(ClockApproaching { clock: name, due }),
            ClockMark::Overdue => one(ClockOverdue { clock: name, due }),
        })
    }

    /// A day that was told does not come sooner.
    pub(super) fn recompute(
        &self,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        must_be_the_council_s(circumstances)?;
        let (Some(files), Some(request_type)) = (&context.clock_files, &context.request_type) else {
            return Ok(Vec::new());
        };
        let mut clocks = worked_out(files, request_type, &self.standing);
        for clock in &mut clocks {
            if let Some(told) = self.clocks.get(&clock.clock).filter(|told| told.runs) {
                let due = no_sooner(told.due, clock.due);
                if due != clock.due {
                    (clock.due, clock.near_on) = (due, told.near_on);
                }
            }
        }
        if clocks == self.clocks.running() {
            return Ok(Vec::new());
        }
        Ok(one(ClocksRecomputed {
            calendar_version: files.version(),
            clocks,
        }))
    }
}

fn must_be_the_council_s(circumstances: &Circumstances) -> Result<(), Rejection> {
    if circumstances.actor.kind == ActorKind::System {
        Ok(())
    } else {
        Err(Rejection::ActorNotAllowed)
    }
}
