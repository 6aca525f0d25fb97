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

#[tokio::test]
async fn whichever_record_is_named_all_of_the_person_is_erased() {
    let world = World::new().await;
    let (kept, merged) = (world.person(), world.person());
    let of_kept = registered(&world, kept).await;
    let of_merged = registered(&world, merged).await;
    assert_eq!(moved(&world, moving(merged, kept)).await, NOBODY);
    erase(&world, merged).await;
    assert!(!opens(&world, &of_kept).await && !opens(&world, &of_merged).await);
}

#[tokio::test]
async fn a_case_of_a_merged_record_is_moved_and_what_was_moved_before_is_parted() {
    let world = World::new().await;
    let (kept, merged, stranger, wrong) = (world.person(), world.person(), world.person(), world.person());
    for person in [kept, merged, stranger, wrong] {
        registered(&world, person).await;
    }
    let of_a_case = |person| {
        let case = world.stream();
        let (sealed, admission) = world.attempt(&world.vault(), Some(person), case);
        (case, sealed, admission)
    };
    // A case that had been taken down under the wrong one was moved to a record that is merged only then.
    let (moved_before, sealed_before, admission) = of_a_case(wrong);
    assert_eq!(admit(&world.owner, &[admission]).await, NOBODY);
    let change = KeyMove {
        stream: Some(moved_before),
        ..moving(wrong, merged)
    };
    assert_eq!(moved(&world, change).await, NOBODY);
    let (of_merged, sealed_of_merged, admission) = of_a_case(merged);
    assert_eq!(admit(&world.owner, &[admission]).await, NOBODY);
    assert_eq!(moved(&world, moving(merged, kept)).await, NOBODY);
    // Its own case turns out to be a stranger's.
    let change = KeyMove {
        stream: Some(of_merged),
        ..moving(merged, stranger)
    };
    assert_eq!(moved(&world, change).await, NOBODY);
    let part = KeyMove {
        person: Some(merged),
        ..moving(kept, merged)
    };
    assert_eq!(moved(&world, part).await, NOBODY);
    erase(&world, kept).await;
    assert!(opens(&world, &sealed_before).await && opens(&world, &sealed_of_merged).await);
    erase(&world, merged).await;
    assert!(!opens(&world, &sealed_before).await && opens(&world, &sealed_of_merged).await);
    erase(&world, stranger).await;
    assert!(!opens(&world, &sealed_of_merged).await);
}
