//! The files of a case: who adds them, which, and what that is to a contractor.

use domain::Rejection;
use schemas::event::CaseEvent;
use serde_json::{Value, json};

use crate::fixtures::*;

const NOW: &str = "2026-05-20T09:00:00Z";

fn pothole() -> Life {
    let mut life = contracted_life("pothole");
    life.facts.attachment_bytes = Some(1234);
    life.does(
        NOW,
        "SubmitRequest",
        json!({ "request_type": "pothole", "customer_id": CUSTOMER, "place": { "description": "Mill Lane" } }),
    );
    life
}

fn file(number: u128, purpose: &str, media_type: &str) -> Value {
    json!({
        "id": uuid::Uuid::from_u128(number), "media_type": media_type, "purpose": purpose,
        "hash": "0".repeat(64), "key": "A".repeat(43),
    })
}

#[test]
fn a_photo_of_an_open_case_reaches_whoever_delivers() {
    let mut life = pothole();
    let events = life.does(NOW, "AddAttachment", file(1, "photo", "image/jpeg"));
    assert!(
        matches!(&events[..], [CaseEvent::AttachmentAdded(added), CaseEvent::JobChanged(changed)]
            if added.bytes == 1234 && changed.changed == ["photos"] && changed.sharing.fields.contains(&"photos".to_owned())),
        "{events:?}"
    );
    let letter = life.does(NOW, "AddAttachment", file(2, "letter", "application/pdf"));
    assert!(matches!(&letter[..], [CaseEvent::AttachmentAdded(_)]), "{letter:?}");
    assert_eq!(life.case().attachments().count(), 2);
}

#[test]
fn a_photo_is_a_picture_and_a_file_has_to_be_there() {
    let mut life = pothole();
    assert_eq!(
        life.tries(NOW, "AddAttachment", file(1, "photo", "application/pdf")),
        Err(Rejection::PhotoNotAPicture)
    );
    life.facts.attachment_bytes = None;
    assert_eq!(
        life.tries(NOW, "AddAttachment", file(1, "photo", "image/png")),
        Err(Rejection::NoAttachments)
    );
}

#[test]
fn a_case_has_a_hundred_files_and_one_that_is_struck_out_makes_room() {
    let mut life = pothole();
    for number in 0..100 {
        life.does(NOW, "AddAttachment", file(number, "letter", "application/pdf"));
    }
    let one_more = || file(100, "letter", "application/pdf");
    assert_eq!(
        life.tries(NOW, "AddAttachment", one_more()),
        Err(Rejection::TooManyAttachments)
    );
    let wrong = by_officer(json!({ "entry": 5, "reason": "It is somebody else's." }));
    life.does(NOW, "CorrectEntry", wrong);
    life.does(NOW, "AddAttachment", one_more());
}

#[test]
fn after_its_end_the_council_and_the_crew_still_add_files_and_nobody_else_s_crew_does() {
    let mut life = pothole();
    let close = by_officer(json!({ "outcome": "below-threshold", "reasons": "Not deep enough." }));
    life.does(NOW, "CloseRequest", close);
    assert_eq!(
        life.tries(NOW, "AddAttachment", file(1, "photo", "image/jpeg")),
        Err(Rejection::CaseClosed)
    );
    let by_crew = || {
        let mut data = file(1, "photo", "image/jpeg");
        data["actor"] = json!({ "kind": "contractor", "id": "street-partner" });
        data
    };
    life.facts.contractor = Some(schemas::ClientName::new("another-partner").unwrap());
    assert_eq!(
        life.tries(NOW, "AddAttachment", by_crew()),
        Err(Rejection::ActorNotAllowed)
    );
    life.facts.contractor = Some(schemas::ClientName::new("street-partner").unwrap());
    life.does(NOW, "AddAttachment", by_crew());
    life.does(NOW, "AddAttachment", by_officer(file(2, "answer", "text/csv")));
}
