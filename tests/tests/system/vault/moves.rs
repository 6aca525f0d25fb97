//! Keys that change their owner: a case is moved to whose it is, two records are found to be of one person.

use schemas::sealed::{KeyAdmission, KeyMove};
use schemas::{CustomerId, Sealed};

use super::*;

fn moving(from: CustomerId, to: CustomerId) -> KeyMove {
    KeyMove {
        from: Some(from),
        to,
        stream: None,
        person: None,
    }
}

async fn moved(world: &World, change: KeyMove) -> Vec<i32> {
    let admission = KeyAdmission {
        moves: vec![change],
        ..KeyAdmission::default()
    };
    admit(&world.owner, &[admission]).await
}

async fn opens(world: &World, sealed: &Sealed) -> bool {
    world.vault().open(sealed).await.is_ok()
}

async fn erase(world: &World, person: CustomerId) {
    world.vault().erase(person, ErasureReason::Objection).await.unwrap();
}

/// A value of a person in their own stream, whose key says who owns what is theirs.
async fn registered(world: &World, person: CustomerId) -> Sealed {
    let (sealed, admission) = world.attempt(&world.vault(), Some(person), person.into());
    assert_eq!(admit(&world.owner, &[admission]).await, NOBODY);
    sealed
}

#[tokio::test]
async fn a_moved_case_goes_with_whose_it_is() {
    let world = World::new().await;
    let (wrong, right, case) = (world.person(), world.person(), world.stream());
    let own = registered(&world, wrong).await;
    let (sealed, admission) = world.attempt(&world.vault(), Some(wrong), case);
    assert_eq!(admit(&world.owner, &[admission]).await, NOBODY);
    let change = KeyMove {
        stream: Some(case),
        ..moving(wrong, right)
    };
    assert_eq!(moved(&world, change).await, NOBODY);
    erase(&world, wrong).await;
    assert!(opens(&world, &sealed).await && !opens(&world, &own).await);
    erase(&world, right).await;
    assert!(!opens(&world, &sealed).await);
}

#[tokio::test]
async fn who_is_one_person_is_erased_whole_and_can_be_parted_before() {
    let world = World::new().await;
    let (one, other) = (world.person(), world.person());
    let of_one = registered(&world, one).await;
    let of_other = registered(&world, other).await;
    assert_eq!(moved(&world, moving(other, one)).await, NOBODY);
    // What is sealed for the other from now on is the one's too.
    let later = world.sealed_for(other).await;
    let part = KeyMove {
        person: Some(other),
        ..moving(one, other)
    };
    assert_eq!(moved(&world, part).await, NOBODY);
    assert_eq!(moved(&world, moving(other, one)).await, NOBODY);
    erase(&world, one).await;
    for sealed in [&of_one, &of_other, &later] {
        assert!(!opens(&world, sealed).await);
    }
    // Nothing can be sealed for either any more, and nothing be made theirs.
    for person in [one, other] {
        let (_, admission) = world.attempt(&world.vault(), Some(person), world.stream());
        assert_eq!(admit(&world.owner, &[admission]).await, [1]);
    }
    assert_eq!(moved(&world, moving(world.person(), one)).await, [1]);
}

#[tokio::test]
async fn who_was_parted_keeps_what_is_theirs() {
    let world = World::new().await;
    let (one, other) = (world.person(), world.person());
    let of_one = registered(&world, one).await;
    let of_other = registered(&world, other).await;
    assert_eq!(moved(&world, moving(other, one)).await, NOBODY);
    let part = KeyMove {
        person: Some(other),
        ..moving(one, other)
    };
    assert_eq!(moved(&world, part).await, NOBODY);
    erase(&world, one).await;
    assert!(!opens(&world, &of_one).await && opens(&world, &of_other).await);
}
