//! What is counted of notices. Labels are words of this code: none says who was told of what.

use metrics::counter;
use sqlx::postgres::PgPool;
use sqlx::query_as;

use crate::error::NotifierError;

/// Attempts to tell somebody, by `result`: a state of [`DeliveryState`](crate::DeliveryState) that the delivery came to, or
/// `postponed` where it will be tried again. A counter.
pub const NOTIFICATIONS: &str = "caseledger_notifications_total";

/// Notes how an attempt ended.
pub(crate) fn attempted(result: &'static str) {
    counter!(NOTIFICATIONS, "result" => result).increment(1);
}

/// What waits in the notifier's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct WaitingDeliveries {
    /// Deliveries that are not sent yet.
    pub to_send: i64,
    /// Deliveries that are finished and not yet recorded on their cases.
    pub to_record: i64,
}

/// Counts what waits.
///
/// # Errors
/// [`NotifierError::Unavailable`], [`NotifierError::Statement`].
pub async fn waiting(pool: &PgPool) -> Result<WaitingDeliveries, NotifierError> {
    Ok(query_as(include_str!("../sql/waiting.sql")).fetch_one(pool).await?)
}
