//! Recording what is finished, one delivery at a time.

use std::sync::Arc;
use std::time::Duration;

use schemas::ClientName;
use schemas::problem::Problem;
use schemas::result::CommandStatus;
use sqlx::postgres::PgPool;
use time::OffsetDateTime;

use crate::backoff;
use crate::delivery::Delivery;
use crate::error::NotifierError;
use crate::record::{DeliveryRecord, DeliveryRecorder};
use crate::table;

/// How long an answer may take. The delivery stays locked meanwhile, and keeps one of the recorders.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// What recording needs.
pub struct Registrar {
    /// The notifier's tables.
    pub pool: PgPool,
    /// Whom the command goes to.
    pub recorder: Arc<dyn DeliveryRecorder>,
    /// Whom it comes from.
    pub client: ClientName,
}

/// What an answer means for the delivery.
enum Answer {
    Accepted,
    Rejected(Problem),
    /// Nobody knows yet.
    None {
        code: String,
        reason: String,
    },
}

impl Registrar {
    /// Sends the next record that is due, and says whether there was one. Each is sent until it is accepted or rejected.
    ///
    /// # Errors
    /// [`NotifierError`]. That nobody answered is not one: the record is put off.
    pub async fn record_next(&self, now: OffsetDateTime, jitter: f64) -> Result<bool, NotifierError> {
        let mut transaction = self.pool.begin().await?;
        let Some(delivery) = table::claim_to_record(&mut transaction, now).await? else {
            return Ok(false);
        };
        match self.ask(&delivery).await? {
            Answer::Accepted => table::recorded(&mut transaction, &delivery, None).await?,
            Answer::Rejected(problem) => {
                let (position, case, code) = (delivery.position.0, delivery.case_id, problem.code());
                tracing::error!(position, %case, code, "the case refuses the record of a notice: look at notifier.deliveries");
                table::recorded(&mut transaction, &delivery, Some(code)).await?;
            }
            Answer::None { code, reason } => {
                let wait = backoff::before_recording_again(delivery.record_attempts.saturating_add(1), jitter);
                let (position, code) = (delivery.position.0, code.as_str());
                tracing::warn!(
                    position,
                    code,
                    reason,
                    "a notice is not recorded yet: it will be tried again"
                );
                table::postpone_recording(&mut transaction, &delivery, now + wait, code).await?;
            }
        }
        transaction.commit().await?;
        Ok(true)
    }

    async fn ask(&self, delivery: &Delivery) -> Result<Answer, NotifierError> {
        let record = DeliveryRecord::new(delivery, &self.client)?;
        let none = |code: &str, reason: String| Answer::None {
            code: code.to_owned(),
            reason,
        };
        let result = match tokio::time::timeout(ANSWER_TIMEOUT, self.recorder.record(&record)).await {
            Ok(Ok(result)) => result,
            Ok(Err(no_answer)) => return Ok(none("no_answer", no_answer.reason)),
            Err(_) => {
                return Ok(none(
                    "no_answer",
                    format!("nothing came within {} seconds", ANSWER_TIMEOUT.as_secs()),
                ));
            }
        };
        Ok(match result.status {
            CommandStatus::Accepted(_) => Answer::Accepted,
            CommandStatus::Unavailable => none("unavailable", "the command-service can't record it now".to_owned()),
            CommandStatus::Rejected { problem } if is_hidden(&problem) => none(problem.code(), self.advice()),
            CommandStatus::Rejected { problem } if passes(&problem) => none(problem.code(), problem.detail.clone()),
            CommandStatus::Rejected { problem } => Answer::Rejected(problem),
        })
    }

    /// What to do where a case that we follow is hidden from us.
    fn advice(&self) -> String {
        format!(
            "the command-service shows the client {} no such case: in the client register, let it send RecordNotification for \
             the case's service",
            self.client
        )
    }
}

/// Whether the command-service says that there is no such case. The case is in the log, from which the delivery comes; a
/// client without the right to the case's service is told the same. Somebody mends that, and what was sent is then recorded.
fn is_hidden(problem: &Problem) -> bool {
    const UNKNOWN_CASE: &str = "unknown_case";
    problem.errors.iter().any(|error| error.code == UNKNOWN_CASE)
}

/// Whether a rejection may turn into an acceptance. It left no record, as the call is never marked as repeated.
fn passes(problem: &Problem) -> bool {
    const FORBIDDEN: u16 = 403;
    // Our clock is ahead of the command-service's, which catches up; or the register does not let us do this, which somebody
    // mends.
    problem.status == FORBIDDEN || problem.errors.iter().any(|error| error.pointer == "/occurred_at")
}

#[cfg(test)]
mod tests {
    use schemas::problem::{FieldError, ProblemKind};

    use super::*;

    #[test]
    fn only_what_may_pass_is_repeated() {
        let problem = |kind, pointer: &str| Problem::new(kind, vec![FieldError::new(pointer, "code", "words")]);
        let of_code = |code: &str| Problem::new(ProblemKind::NotFound, vec![FieldError::new("", code, "words")]);
        assert!(is_hidden(&of_code("unknown_case")) && !is_hidden(&of_code("unknown_customer")));
        assert!(passes(&problem(ProblemKind::Forbidden, "")));
        assert!(passes(&problem(ProblemKind::Invalid, "/occurred_at")));
        for kind in [
            ProblemKind::Malformed,
            ProblemKind::Invalid,
            ProblemKind::NotFound,
            ProblemKind::NotAllowed,
        ] {
            assert!(!passes(&problem(kind, "/recipient")), "{kind:?}");
        }
    }
}
