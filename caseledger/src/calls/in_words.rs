//! Parts of a case in a few words, for the lines of `case show`.

use schemas::money::Pence;
use schemas::query::{AppointmentSummary, EnforcementSummary, JobSummary, PaymentSummary};

/// The job that a case is to its contractor, in a few words.
pub fn job_in_words(job: &JobSummary) -> String {
    let JobSummary {
        number,
        contractor,
        code,
        attempt,
        stage,
    } = job;
    let again = if *attempt > 1 {
        format!(", attempt {attempt}")
    } else {
        String::new()
    };
    format!(
        "{number} {code} of {contractor}: {}{again}",
        stage.as_str().replace('_', " ")
    )
}

/// An appointment of a case, in a few words.
pub fn appointment_in_words(appointment: &AppointmentSummary) -> String {
    let moved = match appointment.moved {
        0 => String::new(),
        1 => ", moved once".to_owned(),
        times => format!(", moved {times} times"),
    };
    format!(
        "{} {} at {} ({}): {}{moved}",
        appointment.number,
        appointment.slot.day,
        appointment.slot.time,
        appointment.calendar,
        appointment.stage.as_str().replace('_', " ")
    )
}

/// What has to be paid for a case, in a few words.
pub fn payment_in_words(payment: &PaymentSummary) -> String {
    let mut words = vec![format!("{} {} {}", payment.number, payment.what, payment.pence)];
    let mut say = |pence: Pence, what: &str| {
        if !pence.is_zero() {
            words.push(format!("{pence} {what}"));
        }
    };
    let outstanding = if payment.waits {
        "outstanding, waited for"
    } else {
        "outstanding"
    };
    say(payment.outstanding, outstanding);
    say(payment.paid, "paid");
    say(payment.given_up, "given up");
    say(payment.refund_owed, "to go back");
    say(payment.refunded, "gone back");
    words.join(", ")
}

/// What was found of what may be an offence, what was done against it, and what that cost.
pub fn enforcement_in_words(enforcement: &EnforcementSummary) -> String {
    let incident = enforcement.incident.as_ref().map(|found| {
        let size = found
            .size
            .map(|size| format!(", {}", size.as_str()))
            .unwrap_or_default();
        format!("on {}{size}, found by {}", found.land.as_str(), found.found_by.as_str())
    });
    let actions = enforcement.actions.iter().map(|taken| {
        let result = taken
            .result
            .map(|result| format!(": {}", result.as_str()))
            .unwrap_or_default();
        format!(
            "no. {} {} on {} ({}){result}",
            taken.number,
            taken.action.as_str(),
            taken.taken_on,
            taken
                .cost_pence
                .map_or_else(|| "cost not known".to_owned(), |cost| cost.to_string())
        )
    });
    incident.into_iter().chain(actions).collect::<Vec<_>>().join("; ")
}
