//! The rows beside the log: keys, what finds a person, erasure, and leases.

use std::time::Duration;

use event_store::{Append, Verdict};
use rand::SeedableRng as _;
use schemas::sealed::{KeyAdmission, KeyMove};
use schemas::{AggregateId, Category, CommandId, CustomerId};
use tokio::time::Instant;
use uuid::Uuid;
use vault::{ErasureReason, KeyRng, LookupKind, OpenError, Sealer, VaultError};

use crate::ledger::{accepted, append, receipt, stream};
use crate::{Kept, of_both};

of_both!(
    a_value_is_sealed_under_a_key_that_its_append_admitted,
    of_two_keys_for_one_place_the_first_wins,
    an_erased_person_gets_no_key_and_is_not_found,
    keys_go_with_their_owner,
    one_holds_a_lease_until_it_is_released_or_has_run_out,
);

fn person() -> CustomerId {
    CustomerId(Uuid::new_v4())
}

fn with(keys: KeyAdmission, append: Append) -> Append {
    Append { keys, ..append }
}

/// Seals a word for somebody in a stream: the sealed value, and what the append must admit.
async fn sealed(kept: &Kept, person: CustomerId, stream: AggregateId, seed: u64) -> (schemas::Sealed, KeyAdmission) {
    let keys = kept.vault.keys_for(Some(person), stream).await.unwrap();
    let mut sealer = Sealer::new(keys, CommandId(Uuid::new_v4()), KeyRng::seed_from_u64(seed));
    let value = sealer.seal("/description", Category::Personal, "\"deep\"").unwrap();
    (value, sealer.into_admission())
}

async fn a_value_is_sealed_under_a_key_that_its_append_admitted(kept: &Kept) {
    let (person, id) = (person(), stream());
    let (value, admission) = sealed(kept, person, id, 1).await;
    assert_eq!((admission.minted.len(), admission.used.len()), (1, 0));
    assert!(matches!(kept.vault.open(&value).await, Err(OpenError::NoKey)));
    receipt(&append(kept, &[with(admission, accepted(id, 0, 1))]).await[0]);
    let opened = kept.vault.open(&value).await.unwrap();
    assert_eq!(opened.read::<String>().unwrap(), "deep");
    // The next one uses it.
    kept.vault.forget(Some(person), id);
    let (_, admission) = sealed(kept, person, id, 2).await;
    assert_eq!((admission.minted.len(), admission.used.len()), (0, 1));
    receipt(&append(kept, &[with(admission, accepted(id, 1, 1))]).await[0]);
}

async fn of_two_keys_for_one_place_the_first_wins(kept: &Kept) {
    let (person, id) = (person(), stream());
    let (value, first) = sealed(kept, person, id, 1).await;
    let (other_value, second) = sealed(kept, person, id, 2).await;
    let batch = [
        with(first, accepted(id, 0, 1)),
        with(second.clone(), accepted(id, 1, 1)),
    ];
    let verdicts = append(kept, &batch).await;
    receipt(&verdicts[0]);
    assert_eq!(verdicts[1], Verdict::KeyRefused);
    assert_eq!(
        append(kept, &[with(second, accepted(id, 1, 1))]).await,
        [Verdict::KeyRefused]
    );
    assert!(kept.vault.open(&value).await.is_ok());
    assert!(matches!(kept.vault.open(&other_value).await, Err(OpenError::NoKey)));
    // A key that is used must be there.
    let absent = KeyAdmission {
        used: vec![schemas::KeyId(Uuid::new_v4())],
        ..KeyAdmission::default()
    };
    assert_eq!(
        append(kept, &[with(absent, accepted(stream(), 0, 1))]).await,
        [Verdict::KeyRefused]
    );
}

async fn an_erased_person_gets_no_key_and_is_not_found(kept: &Kept) {
    let (person, id, later) = (person(), stream(), stream());
    let (value, mut admission) = sealed(kept, person, id, 1).await;
    let email = |who: CustomerId| {
        kept.vault
            .lookup_hash(LookupKind::Email, "ada@example.org", who)
            .unwrap()
    };
    admission.lookups.push(email(person));
    receipt(&append(kept, &[with(admission, accepted(id, 0, 1))]).await[0]);
    assert_eq!(
        kept.vault.find(LookupKind::Email, "ada@example.org").await.unwrap(),
        [person]
    );
    kept.vault.forget(Some(person), id);
    let (_, using) = sealed(kept, person, id, 2).await;
    let (_, minting) = sealed(kept, person, later, 3).await;

    let erasure = kept.vault.erase(person, ErasureReason::Objection).await.unwrap();
    assert_eq!(erasure.keys_destroyed, 1);
    assert!(matches!(kept.vault.open(&value).await, Err(OpenError::Erased)));
    assert!(matches!(
        kept.vault.keys_for(Some(person), later).await,
        Err(VaultError::Erased)
    ));
    assert!(
        kept.vault
            .find(LookupKind::Email, "ada@example.org")
            .await
            .unwrap()
            .is_empty()
    );
    let findable = KeyAdmission {
        lookups: vec![email(person)],
        ..KeyAdmission::default()
    };
    let batch = [
        with(using, accepted(id, 1, 1)),
        with(minting, accepted(later, 0, 1)),
        with(findable, accepted(stream(), 0, 1)),
        accepted(id, 1, 1),
    ];
    let verdicts = append(kept, &batch).await;
    assert_eq!(
        verdicts[..3],
        [Verdict::KeyRefused, Verdict::KeyRefused, Verdict::KeyRefused]
    );
    // What needs no key goes on, but for what was decided on the events of a loser.
    receipt(&verdicts[3]);
    assert_eq!(
        kept.vault
            .erase(person, ErasureReason::Objection)
            .await
            .unwrap()
            .keys_destroyed,
        0
    );
}

async fn keys_go_with_their_owner(kept: &Kept) {
    let (before, after, id) = (person(), person(), stream());
    let mut values = Vec::new();
    for (who, stream) in [(before, id), (before, before.into()), (after, after.into())] {
        let (value, admission) = sealed(kept, who, stream, 1 + u64::try_from(values.len()).unwrap()).await;
        receipt(&append(kept, &[with(admission, accepted(stream, 0, 1))]).await[0]);
        values.push(value);
    }
    let moved = |change: KeyMove, append| {
        let moves = KeyAdmission {
            moves: vec![change],
            ..KeyAdmission::default()
        };
        with(moves, append)
    };
    assert!(!kept.vault.stands_for_others(after).await.unwrap());
    let case_moved = KeyMove {
        from: Some(before),
        to: after,
        stream: Some(id),
        person: None,
    };
    receipt(&append(kept, &[moved(case_moved, accepted(id, 1, 1))]).await[0]);
    assert!(
        !kept.vault.stands_for_others(after).await.unwrap(),
        "a case is no record of a person"
    );
    let merged = KeyMove {
        stream: None,
        ..case_moved
    };
    receipt(&append(kept, &[moved(merged, accepted(before.into(), 1, 1))]).await[0]);
    assert!(kept.vault.stands_for_others(after).await.unwrap());
    let parted = KeyMove {
        from: Some(after),
        to: before,
        stream: None,
        person: Some(before),
    };
    receipt(&append(kept, &[moved(parted, accepted(before.into(), 2, 1))]).await[0]);
    assert!(!kept.vault.stands_for_others(after).await.unwrap());
    // The key of the case was made for the one who has everything of theirs again.
    let erasure = kept.vault.erase(after, ErasureReason::Objection).await.unwrap();
    assert_eq!(erasure.keys_destroyed, 1);
    kept.vault.forget(Some(before), id);
    assert!(kept.vault.open(&values[0]).await.is_ok());
    assert!(kept.vault.open(&values[2]).await.is_err());
}

async fn one_holds_a_lease_until_it_is_released_or_has_run_out(kept: &Kept) {
    const LONG: Duration = Duration::from_secs(3_600);
    let [one, two] = &kept.leases;
    let first = one.acquire("relay", LONG).await.unwrap().unwrap();
    assert!(first.is_good(Instant::now()));
    for leases in [one, two] {
        assert_eq!(leases.acquire("relay", LONG).await.unwrap(), None);
    }
    assert!(two.acquire("puller", LONG).await.unwrap().is_some());
    let renewed = one.renew("relay", first, LONG).await.unwrap().unwrap();
    assert_eq!(renewed.token, first.token);
    assert_eq!(two.renew("relay", first, LONG).await.unwrap(), None, "another holder's");
    two.release("relay", first).await.unwrap();
    assert_eq!(two.acquire("relay", LONG).await.unwrap(), None);
    one.release("relay", renewed).await.unwrap();
    assert_eq!(one.renew("relay", renewed, LONG).await.unwrap(), None);
    // One that has run out can't be prolonged, even if nobody took it.
    let second = two.acquire("relay", Duration::ZERO).await.unwrap().unwrap();
    assert!(second.token > first.token);
    assert_eq!(two.renew("relay", second, LONG).await.unwrap(), None);
    assert!(one.acquire("relay", LONG).await.unwrap().unwrap().token > second.token);
}
