//! The model beside PostgreSQL: the same batches, drawn from a seed, get the same verdicts and leave the same log.

use event_store::{Append, ExternalRef, NewEvent, Outcome, PlaceChange, Receipt, StoredEvent, Verdict};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};
use schemas::sealed::{KeyAdmission, LookupHash, MintedKey};
use schemas::text::ExternalId;
use schemas::{
    AggregateId, Category, ClientName, CommandId, CustomerId, EventId, KeyId, Position, Reference, ServiceName, Version,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Kept, model, postgres};

/// How many batches each seed has, and how many commands a batch at most.
const BATCHES: (u64, u64) = (60, 8);

/// Draws commands that often repeat each other's ids, streams, keys, references and slots.
struct Draw {
    rng: Xoshiro256PlusPlus,
    events: u128,
}

impl Draw {
    fn below(&mut self, end: u64) -> u64 {
        self.rng.random_range(0..end)
    }

    fn id(&mut self, kind: u128, among: u64) -> Uuid {
        Uuid::from_u128((kind << 96) + u128::from(self.below(among)))
    }

    fn one_in(&mut self, several: u64) -> bool {
        self.below(several) == 0
    }

    fn events(&mut self) -> Vec<NewEvent> {
        (0..self.below(4))
            .map(|_| {
                self.events += 1;
                NewEvent {
                    event_id: EventId(Uuid::from_u128(self.events)),
                    event_type: "RequestUpdated",
                    event_version: "1",
                    payload: format!("{{\"number\": {}}}", self.events),
                    metadata: "{}".into(),
                    occurred_at: OffsetDateTime::from_unix_timestamp(1_790_000_000).unwrap(),
                }
            })
            .collect()
    }

    fn keys(&mut self, stream: AggregateId) -> KeyAdmission {
        let mut keys = KeyAdmission::default();
        let person = CustomerId(self.id(5, 3));
        if self.one_in(3) {
            keys.minted.push(MintedKey {
                id: KeyId(self.id(4, 12)),
                person: (!self.one_in(4)).then_some(person),
                stream,
                category: [Category::Personal, Category::SpecialCategory][usize::from(self.one_in(3))],
                wrapped: vec![1; 72],
                wrapped_by: "k1".into(),
            });
        }
        if self.one_in(4) {
            keys.used.push(KeyId(self.id(4, 12)));
        }
        if self.one_in(4) {
            keys.lookups.push(LookupHash {
                kind: "email",
                hash: (!self.one_in(3)).then_some([3; 32]),
                leads_to: person.into(),
            });
        }
        keys
    }

    fn places(&mut self) -> Vec<PlaceChange> {
        (0..self.below(3))
            .map(|_| {
                let slot = format!("slot {}", self.below(3));
                match self.one_in(3) {
                    true => PlaceChange::GiveBack { slot },
                    false => PlaceChange::Take { slot, most: 2 },
                }
            })
            .collect()
    }

    /// `versions` says how each stream stands, or will when what was drawn before is recorded.
    fn append(&mut self, versions: &mut [i64; 4]) -> Append {
        let number = self.below(4);
        let aggregate_id = AggregateId(Uuid::from_u128((1 << 96) + u128::from(number)));
        let version = &mut versions[usize::try_from(number).unwrap()];
        let expected = match self.below(8) {
            0 => *version + 1,
            1 => *version - 1,
            _ => *version,
        };
        let events = self.events();
        *version += i64::try_from(events.len()).unwrap();
        let outcome = match self.one_in(6) {
            true => Outcome::Rejected {
                problem: "{\"type\":\"no\"}".into(),
            },
            false => Outcome::Accepted {
                // Two cases with one reference are no verdict but an error, which the suite asks for by itself.
                reference: (expected == 0 && !events.is_empty())
                    .then(|| Reference::of_number("WAS", i64::try_from(self.events & 0xffff_ffff).unwrap()).unwrap()),
                events,
            },
        };
        Append {
            client: ClientName::new(["website", "import"][usize::from(self.one_in(4))]).unwrap(),
            command_id: CommandId(self.id(2, 150)),
            fingerprint: [u8::from(self.one_in(10)); 32],
            aggregate_type: "case",
            aggregate_id,
            service: ServiceName::new(["waste", "highways"][usize::from(self.one_in(2))]).unwrap(),
            expected: Version(expected),
            outcome,
            external_ref: self.one_in(4).then(|| ExternalRef {
                system: ExternalId::new("crm").unwrap(),
                id: ExternalId::new(&self.below(20).to_string()).unwrap(),
            }),
            keys: self.keys(aggregate_id),
            places: self.places(),
        }
    }
}

/// A receipt, but for the time.
fn timeless(receipt: &Receipt) -> Receipt {
    Receipt {
        recorded_at: OffsetDateTime::UNIX_EPOCH,
        ..receipt.clone()
    }
}

fn verdicts(verdicts: &[Verdict]) -> Vec<Verdict> {
    let timeless = |verdict: &Verdict| match verdict {
        Verdict::Appended(receipt) => Verdict::Appended(timeless(receipt)),
        Verdict::Repeated(receipt) => Verdict::Repeated(timeless(receipt)),
        other => other.clone(),
    };
    verdicts.iter().map(timeless).collect()
}

async fn log(kept: &Kept) -> Vec<StoredEvent> {
    let events = kept.ledger.feed(Position::START, None, 10_000).await.unwrap();
    assert!(events.is_sorted_by_key(|event| event.recorded_at));
    let timeless = |event| StoredEvent {
        recorded_at: OffsetDateTime::UNIX_EPOCH,
        ..event
    };
    events.into_iter().map(timeless).collect()
}

#[tokio::test]
async fn the_model_and_postgres_judge_the_same_batches_alike() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..6 {
        let (model, real) = (model(), postgres().await);
        let mut draw = Draw {
            rng: Xoshiro256PlusPlus::seed_from_u64(seed),
            events: 3 << 96,
        };
        for number in 0..BATCHES.0 {
            let mut versions = [0; 4];
            for (stream, version) in (0_u128..).zip(&mut versions) {
                let id = AggregateId(Uuid::from_u128((1 << 96) + stream));
                *version = real.ledger.version(id).await.unwrap().0;
            }
            let batch: Vec<Append> = (0..1 + draw.below(BATCHES.1))
                .map(|_| draw.append(&mut versions))
                .collect();
            let theirs = real.ledger.append(&batch).await.unwrap();
            let ours = model.ledger.append(&batch).await.unwrap();
            assert_eq!(
                verdicts(&ours),
                verdicts(&theirs),
                "seed {seed}, batch {number}: {batch:#?}"
            );
            seen.extend(
                theirs
                    .iter()
                    .map(|verdict| format!("{verdict:?}").split('(').next().unwrap().to_owned()),
            );
        }
        assert_eq!(log(&model).await, log(&real).await, "seed {seed}");
        let slots = |kept: &Kept| {
            let ledger = kept.ledger.clone();
            async move { ledger.slots_taken("slot", "slotz").await.unwrap() }
        };
        assert_eq!(slots(&model).await, slots(&real).await, "seed {seed}");
    }
    // What was never said can't have been said alike.
    for verdict in ["Appended", "Repeated", "Reused", "Conflict", "KeyRefused", "SlotFull"] {
        assert!(seen.contains(verdict), "{verdict} not in {seen:?}");
    }
    assert!(
        seen.iter().any(|verdict| verdict.starts_with("ExternalRefTaken")),
        "{seen:?}"
    );
}
