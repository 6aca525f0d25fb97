//! Finding people by what they can be found by.

use event_store::{Append, Ledger, NewEvent, Outcome, PgLedger, Verdict};
use schemas::{ClientName, EventId, ServiceName, Version};
use time::OffsetDateTime;

use super::*;

fn by(lookups: Vec<LookupHash>) -> KeyAdmission {
    KeyAdmission {
        lookups,
        ..KeyAdmission::default()
    }
}

#[tokio::test]
async fn people_are_found_by_any_way_of_writing_until_the_value_changes_or_goes() {
    let world = World::new().await;
    let (vault, ada, bob) = (world.vault(), world.person(), world.person());
    let lookup = |kind, value, person| vault.lookup_hash(kind, value, person).unwrap();
    let batch = [
        by(vec![
            lookup(LookupKind::Email, "Ada@Example.org", ada),
            lookup(LookupKind::Postcode, "SW1A 1AA", ada),
        ]),
        by(vec![lookup(LookupKind::Postcode, "SW1A 1AA", bob)]),
    ];
    assert_eq!(admit(&world.owner, &batch).await, NOBODY);
    assert_eq!(vault.find(LookupKind::Postcode, "sw1a1aa").await.unwrap(), [ada, bob]);
    assert_eq!(vault.find(LookupKind::Email, "ada@example.org").await.unwrap(), [ada]);
    assert!(vault.find(LookupKind::Phone, "no digits").await.unwrap().is_empty());

    // Two changes in one batch: the last counts.
    let batch = ["old@example.org", "new@example.org"].map(|value| by(vec![lookup(LookupKind::Email, value, ada)]));
    assert_eq!(admit(&world.owner, &batch).await, NOBODY);
    assert_eq!(vault.find(LookupKind::Email, "new@example.org").await.unwrap(), [ada]);
    for gone in ["ada@example.org", "old@example.org"] {
        assert!(vault.find(LookupKind::Email, gone).await.unwrap().is_empty());
    }

    // A removal takes one kind of one person away, and leaves the others.
    let removed = by(vec![Vault::lookup_removed(LookupKind::Email, ada)]);
    assert_eq!(admit(&world.owner, &[removed]).await, NOBODY);
    assert!(
        vault
            .find(LookupKind::Email, "new@example.org")
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(vault.find(LookupKind::Postcode, "SW1A 1AA").await.unwrap(), [ada, bob]);
}

/// A change of a customer's own details, at this version of their stream.
fn change(customer: CustomerId, expected: i64, keys: KeyAdmission) -> Append {
    let event = NewEvent {
        event_id: EventId(Uuid::now_v7()),
        event_type: "ContactDetailsUpdated",
        event_version: "1",
        payload: "{}".into(),
        metadata: "{}".into(),
        occurred_at: OffsetDateTime::UNIX_EPOCH,
    };
    Append {
        client: ClientName::new("website").unwrap(),
        command_id: CommandId(Uuid::new_v4()),
        fingerprint: [7; 32],
        aggregate_type: "customer",
        aggregate_id: customer.into(),
        service: ServiceName::customer_services(),
        expected: Version(expected),
        outcome: Outcome::Accepted {
            reference: None,
            events: vec![event],
        },
        external_ref: None,
        keys,
        places: Vec::new(),
    }
}

#[tokio::test]
async fn a_removed_value_goes_with_the_command_that_removed_it() {
    let world = World::new().await;
    let (vault, ada) = (world.vault(), world.person());
    let ledger = PgLedger::new(world.database.as_role("caseledger_writer").await);
    let email = vault.lookup_hash(LookupKind::Email, "ada@example.org", ada).unwrap();
    let phone = vault.lookup_hash(LookupKind::Phone, "020 7946 0018", ada).unwrap();
    let removal = |kind| by(vec![Vault::lookup_removed(kind, ada)]);
    let found = || async {
        let by_email = vault.find(LookupKind::Email, "ada@example.org").await.unwrap();
        let by_phone = vault.find(LookupKind::Phone, "020 7946 0018").await.unwrap();
        (by_email.len(), by_phone.len())
    };

    let verdicts = ledger.append(&[change(ada, 0, by(vec![email, phone]))]).await.unwrap();
    assert!(matches!(verdicts[0], Verdict::Appended(_)), "{verdicts:?}");
    assert_eq!(found().await, (1, 1));

    // One that is decided on an old version loses, and so does its removal.
    let verdicts = ledger
        .append(&[change(ada, 0, removal(LookupKind::Email))])
        .await
        .unwrap();
    assert!(matches!(verdicts[0], Verdict::Conflict), "{verdicts:?}");
    assert_eq!(found().await, (1, 1));

    let verdicts = ledger
        .append(&[change(ada, 1, removal(LookupKind::Email))])
        .await
        .unwrap();
    assert!(matches!(verdicts[0], Verdict::Appended(_)), "{verdicts:?}");
    assert_eq!(found().await, (0, 1));
}

#[tokio::test]
async fn removing_what_was_never_there_is_no_fault() {
    let world = World::new().await;
    let removed = by(vec![Vault::lookup_removed(LookupKind::Phone, world.person())]);
    assert_eq!(admit(&world.owner, &[removed]).await, NOBODY);
    assert_eq!(world.count("vault.lookups").await, 0);
}

#[tokio::test]
async fn a_hash_is_of_use_with_its_key_file_only() {
    let world = World::new().await;
    let (vault, ada) = (world.vault(), world.person());
    let lookup = vault.lookup_hash(LookupKind::Email, "ada@example.org", ada).unwrap();
    assert_eq!(admit(&world.owner, &[by(vec![lookup])]).await, NOBODY);
    let other_file = Arc::new(KeyEncryptionKey::generate(&mut fresh_rng()).unwrap());
    let guesser = world.vault_with(&other_file, &world.owner);
    assert!(
        guesser
            .find(LookupKind::Email, "ada@example.org")
            .await
            .unwrap()
            .is_empty()
    );
}
