//! What became of a notice. Recorded once for each event, recipient and medium, whatever state the case is in.

use schemas::command::{ActorKind, Circumstances, Delivery, RecordNotification};
use schemas::event::{CaseEvent, NotificationFailed, NotificationFailure, NotificationSent};

use super::one;
use super::submitted::{Notified, Submitted};
use crate::rejection::Rejection;

impl Submitted {
    pub(super) fn record_notification(
        &self,
        record: &RecordNotification,
        circumstances: &Circumstances,
    ) -> Result<Vec<CaseEvent>, Rejection> {
        if circumstances.actor.kind != ActorKind::System {
            return Err(Rejection::ActorNotAllowed);
        }
        let RecordNotification {
            notice,
            about_event,
            about_position,
            recipient,
            medium,
            delivery,
        } = record.clone();
        if self.notified.contains(&Notified {
            about: about_event,
            recipient,
            medium,
        }) {
            return Ok(Vec::new());
        }
        let failed = |failure, message_id, code, attempts| NotificationFailed {
            notice: notice.clone(),
            about_event,
            about_position,
            recipient,
            medium,
            failure,
            message_id,
            code,
            attempts,
        };
        Ok(match delivery {
            Delivery::Sent { message_id, attempts } => one(NotificationSent {
                notice,
                about_event,
                about_position,
                recipient,
                medium,
                message_id,
                attempts,
            }),
            Delivery::Failed {
                message_id,
                attempts,
                code,
            } => one(failed(
                NotificationFailure::GivenUp,
                Some(message_id),
                Some(code),
                attempts,
            )),
            Delivery::NoAddress => one(failed(NotificationFailure::NoAddress, None, None, 0)),
            Delivery::ConsentWithdrawn { attempts } => {
                one(failed(NotificationFailure::ConsentWithdrawn, None, None, attempts))
            }
            Delivery::Deceased { attempts } => one(failed(NotificationFailure::Deceased, None, None, attempts)),
            Delivery::PrefersAnotherMedium { attempts } => {
                one(failed(NotificationFailure::PrefersAnotherMedium, None, None, attempts))
            }
            Delivery::NotReadable { attempts } => one(failed(NotificationFailure::NotReadable, None, None, attempts)),
        })
    }
}
