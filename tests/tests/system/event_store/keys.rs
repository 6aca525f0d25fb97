//! Keys are admitted by the append, or its command loses.

use event_store::{Append, Ledger, Verdict};
use schemas::sealed::{KeyAdmission, LookupHash, MintedKey};
use schemas::{AggregateId, Category, CustomerId, KeyId};
use uuid::Uuid;

use super::races::an_append_waits;
use super::{Log, accepted, assert_whole, log, receipt, rejected, stream};

fn minted(stream: AggregateId, person: CustomerId) -> MintedKey {
    MintedKey {
        id: KeyId(Uuid::new_v4()),
        person: Some(person),
        stream,
        category: Category::Personal,
        wrapped: vec![1; 72],
        wrapped_by: "k1".into(),
    }
}

fn bringing(keys: Vec<MintedKey>) -> KeyAdmission {
    KeyAdmission {
        minted: keys,
        ..KeyAdmission::default()
    }
}

fn using(key: KeyId) -> KeyAdmission {
    KeyAdmission {
        used: vec![key],
        ..KeyAdmission::default()
    }
}

fn person() -> CustomerId {
    CustomerId(Uuid::new_v4())
}

async fn stored_keys(log: &Log) -> i64 {
    let pool = log.database.superuser().await;
    sqlx::query_scalar("SELECT count(*) FROM vault.keys")
        .fetch_one(&pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_key_is_kept_with_the_command_that_brought_it() {
    let log = log().await;
    let (id, person) = (stream(), person());
    let key = minted(id, person);
    let lookup = LookupHash {
        kind: "email",
        hash: Some([3; 32]),
        leads_to: person.into(),
    };
    let keys = KeyAdmission {
        lookups: vec![lookup],
        ..bringing(vec![key.clone()])
    };
    receipt(
        &log.append_one(Append {
            keys,
            ..accepted(id, 0, 1)
        })
        .await,
    );
    receipt(
        &log.append_one(Append {
            keys: using(key.id),
            ..accepted(id, 1, 1)
        })
        .await,
    );
    assert_eq!(stored_keys(&log).await, 1);
}

#[tokio::test]
async fn of_two_keys_for_one_place_the_first_wins_and_the_loser_leaves_nothing() {
    let log = log().await;
    let (id, person) = (stream(), person());
    let (mine, theirs, elsewhere) = (minted(id, person), minted(id, person), minted(stream(), person));
    let verdicts = log
        .append(vec![
            accepted(stream(), 0, 1),
            Append {
                keys: bringing(vec![mine]),
                ..accepted(id, 0, 1)
            },
            Append {
                keys: bringing(vec![elsewhere, theirs]),
                ..accepted(stream(), 0, 2)
            },
            accepted(stream(), 0, 1),
        ])
        .await;
    assert_eq!(verdicts[2], Verdict::KeyRefused);
    for won in [0, 1, 3] {
        receipt(&verdicts[won]);
    }
    assert_eq!((stored_keys(&log).await, log.all().await.len()), (1, 3));
    assert_whole(&log.all().await);
}

#[tokio::test]
async fn a_key_that_is_gone_is_refused() {
    let log = log().await;
    let gone = Append {
        keys: using(KeyId(Uuid::new_v4())),
        ..accepted(stream(), 0, 1)
    };
    assert_eq!(log.append_one(gone).await, Verdict::KeyRefused);
    assert_eq!(log.all().await.len(), 0);
}

#[tokio::test]
async fn no_key_is_admitted_for_a_person_who_was_erased() {
    let log = log().await;
    let (id, person) = (stream(), person());
    let key = minted(id, person);
    receipt(
        &log.append_one(Append {
            keys: bringing(vec![key.clone()]),
            ..accepted(id, 0, 1)
        })
        .await,
    );
    let keeper = log.database.as_role("caseledger_vault_keeper").await;
    sqlx::query("SELECT vault.erase($1, 'request')")
        .bind(person.0)
        .execute(&keeper)
        .await
        .unwrap();
    let verdicts = log
        .append(vec![
            Append {
                keys: using(key.id),
                ..accepted(id, 1, 1)
            },
            Append {
                keys: bringing(vec![minted(stream(), person)]),
                ..accepted(stream(), 0, 1)
            },
            accepted(id, 1, 1),
        ])
        .await;
    assert_eq!(verdicts[..2], [Verdict::KeyRefused, Verdict::KeyRefused]);
    receipt(&verdicts[2]);
    assert_eq!(stored_keys(&log).await, 0);
}

/// Whether keys are held is looked at before the append has the log, and a person is erased while it waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_destroyed_while_an_append_waits_is_refused() {
    let log = log().await;
    let (one, other) = (stream(), stream());
    let (erased, kept) = (minted(one, person()), minted(other, person()));
    for (id, key) in [(one, &erased), (other, &kept)] {
        let keys = bringing(vec![key.clone()]);
        receipt(
            &log.append_one(Append {
                keys,
                ..accepted(id, 0, 1)
            })
            .await,
        );
    }
    let keeper = log.database.as_role("caseledger_vault_keeper").await;
    let mut erasing = keeper.begin().await.unwrap();
    sqlx::query("SELECT vault.erase($1, 'request')")
        .bind(erased.person.unwrap().0)
        .execute(&mut *erasing)
        .await
        .unwrap();
    let ledger = log.another().await;
    let batch = [(one, &erased), (other, &kept)].map(|(id, key)| Append {
        keys: using(key.id),
        ..accepted(id, 1, 1)
    });
    let waiting = tokio::spawn(async move { ledger.append(&batch).await });
    an_append_waits(&log).await;
    erasing.commit().await.unwrap();
    let verdicts = waiting.await.unwrap().unwrap();
    assert_eq!(verdicts[0], Verdict::KeyRefused);
    receipt(&verdicts[1]);
    assert_whole(&log.all().await);
}

#[tokio::test]
async fn a_loser_and_a_rejected_command_admit_no_keys() {
    let log = log().await;
    let (id, person) = (stream(), person());
    let stale = Append {
        keys: bringing(vec![minted(id, person)]),
        ..accepted(id, 5, 1)
    };
    let refused = Append {
        keys: bringing(vec![minted(id, person)]),
        ..rejected(id, 0)
    };
    let verdicts = log.append(vec![stale, refused]).await;
    assert_eq!(verdicts[0], Verdict::Conflict);
    receipt(&verdicts[1]);
    assert_eq!(stored_keys(&log).await, 0);
}
