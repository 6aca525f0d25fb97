//! The files of a case. That the file is there, and is what is said of it, was looked up before.

use schemas::command::{ActorKind, AddAttachment, AttachmentPurpose, Circumstances};
use schemas::event::AttachmentAdded;
use schemas::query::AttachmentSummary;

use super::Submitted;
use super::information::must_be_an_officer;
use crate::context::DecisionContext;
use crate::rejection::Rejection;

/// The most files that a case has.
const ATTACHMENTS_MAX: usize = 100;

/// What an event adds.
pub(crate) const fn told(event: &AttachmentAdded) -> AttachmentSummary {
    AttachmentSummary {
        id: event.attachment,
        purpose: event.purpose,
        media_type: event.media_type,
        bytes: event.bytes,
    }
}

impl Submitted {
    /// Whose case it is adds to an open one; the council, its systems and the contractor whose job it is, also afterwards.
    pub(super) fn add_attachment(
        &self,
        add: &AddAttachment,
        circumstances: &Circumstances,
        context: &DecisionContext,
    ) -> Result<AttachmentAdded, Rejection> {
        match circumstances.actor.kind {
            ActorKind::Resident | ActorKind::Representative => self.must_be_open()?,
            ActorKind::System => {}
            ActorKind::Officer => _ = must_be_an_officer(circumstances, context)?,
            ActorKind::Contractor => self.must_be_their_job(context)?,
        }
        if add.purpose == AttachmentPurpose::Photo && !add.media_type.is_picture() {
            return Err(Rejection::PhotoNotAPicture);
        }
        if self.standing.attachments.len() >= ATTACHMENTS_MAX {
            return Err(Rejection::TooManyAttachments);
        }
        let bytes = context.attachment_bytes.ok_or(Rejection::NoAttachments)?;
        Ok(AttachmentAdded {
            attachment: add.id,
            purpose: add.purpose,
            media_type: add.media_type,
            bytes,
            hash: add.hash.clone(),
            key: add.key.clone(),
            title: add.title.clone(),
            reason: circumstances.reason.clone(),
        })
    }

    /// The contractor who speaks is the one whose job the case is, or was last.
    pub(super) fn must_be_their_job(&self, context: &DecisionContext) -> Result<(), Rejection> {
        let contractor = context.contractor.as_ref().ok_or(Rejection::ActorNotAllowed)?;
        let job = self.standing.job.as_ref();
        match job.filter(|job| job.contractor == *contractor) {
            Some(_) => Ok(()),
            None => Err(Rejection::ActorNotAllowed),
        }
    }
}
