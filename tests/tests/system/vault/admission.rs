//! What `vault.admit` takes and refuses.

use super::*;

#[tokio::test]
async fn what_was_sealed_under_an_admitted_key_opens_in_another_process() {
    let world = World::new().await;
    let (person, stream) = (world.person(), world.stream());
    let vault = world.vault();
    let keys = vault.keys_for(Some(person), stream).await.unwrap();
    let mut sealer = Sealer::new(keys, CommandId(world.id()), fresh_rng());
    let name = sealer.seal("/name", Category::Personal, NAME).unwrap();
    let health = sealer
        .seal("/answers/health", Category::SpecialCategory, "\"asthma\"")
        .unwrap();
    let won = sealer.keys();
    assert_eq!(admit(&world.owner, &[sealer.into_admission()]).await, NOBODY);
    vault.admitted(won);

    let elsewhere = world.vault();
    assert_eq!(elsewhere.open(&name).await.unwrap().json(), NAME);
    let damaged = Sealed::from_token("AQ".into());
    let opened = elsewhere.open_many(&[&health, &damaged, &name]).await;
    assert_eq!(opened[0].as_ref().unwrap().read::<String>().unwrap(), "asthma");
    assert!(matches!(opened[1], Err(OpenError::Damaged)));
    assert_eq!(opened[2].as_ref().unwrap().json(), NAME);

    let field_key = elsewhere.field_key(&health).await.unwrap();
    assert_eq!(open_with_field_key(&health, &field_key).unwrap().json(), "\"asthma\"");
    assert!(open_with_field_key(&name, &field_key).is_err());
}

#[tokio::test]
async fn the_next_command_uses_the_admitted_key() {
    let world = World::new().await;
    let (person, stream) = (Some(world.person()), world.stream());
    let (_, first) = world.attempt(&world.vault(), person, stream);
    assert_eq!(admit(&world.owner, std::slice::from_ref(&first)).await, NOBODY);
    let vault = world.vault();
    for _ in ["from the database", "from the cache"] {
        let keys = vault.keys_for(person, stream).await.unwrap();
        let mut sealer = Sealer::new(keys, CommandId(world.id()), fresh_rng());
        sealer.seal("/name", Category::Personal, NAME).unwrap();
        assert_eq!(sealer.into_admission(), using(first.minted[0].id));
    }
}

#[tokio::test]
async fn a_place_that_is_taken_is_refused_and_nothing_of_the_loser_stays() {
    let world = World::new().await;
    let (vault, person, stream) = (world.vault(), Some(world.person()), world.stream());
    let (_, winner) = world.attempt(&vault, person, stream);
    let (sealed, late) = world.attempt(&vault, person, stream);
    let (_, also_wanted) = world.attempt(&vault, person, world.stream());
    let lookups = vec![
        vault
            .lookup_hash(LookupKind::Email, "ada@example.org", person.unwrap())
            .unwrap(),
    ];
    let late = KeyAdmission {
        lookups,
        ..joined(also_wanted, late)
    };
    assert_eq!(admit(&world.owner, &[winner]).await, NOBODY);
    assert_eq!(admit(&world.owner, &[late]).await, [1]);
    assert_eq!(
        (world.count("vault.keys").await, world.count("vault.lookups").await),
        (1, 0)
    );
    assert!(matches!(vault.open(&sealed).await, Err(OpenError::NoKey)));
}

#[tokio::test]
async fn a_key_that_is_not_there_cannot_be_used() {
    let world = World::new().await;
    let (_, neighbour) = world.attempt(&world.vault(), Some(world.person()), world.stream());
    let (_, also_brings) = world.attempt(&world.vault(), Some(world.person()), world.stream());
    let absent = joined(also_brings, using(KeyId(world.id())));
    assert_eq!(admit(&world.owner, &[absent, neighbour.clone()]).await, [1]);
    assert_eq!(admit(&world.owner, &[using(neighbour.minted[0].id)]).await, NOBODY);
    assert_eq!(world.count("vault.keys").await, 1);
}

#[tokio::test]
async fn an_erased_person_gets_no_key_and_no_look_up_hash_and_uses_none() {
    let world = World::new().await;
    let (vault, person) = (world.vault(), world.person());
    let (_, kept_by_another) = world.attempt(&vault, Some(person), world.stream());
    assert_eq!(
        admit(&world.owner, std::slice::from_ref(&kept_by_another)).await,
        NOBODY
    );
    // As a merge leaves it: the key was made for the person, and another owns it.
    sqlx::query("UPDATE vault.keys SET owner = $1")
        .bind(world.id())
        .execute(&world.owner)
        .await
        .unwrap();
    vault.erase(person, ErasureReason::Objection).await.unwrap();

    let (_, brings) = world.attempt(&vault, Some(person), world.stream());
    let uses = using(kept_by_another.minted[0].id);
    let lookups = vec![vault.lookup_hash(LookupKind::Phone, "020 7946 0018", person).unwrap()];
    let looks_up = KeyAdmission {
        lookups,
        ..KeyAdmission::default()
    };
    let (_, neighbour) = world.attempt(&vault, Some(world.person()), world.stream());
    assert_eq!(
        admit(&world.owner, &[brings, neighbour, uses, looks_up]).await,
        [1, 3, 4]
    );
    assert_eq!(
        (world.count("vault.keys").await, world.count("vault.lookups").await),
        (2, 0)
    );
    let refused = vault.keys_for(Some(person), world.stream()).await;
    assert!(matches!(refused, Err(VaultError::Erased)));
}

#[tokio::test]
async fn of_two_commands_of_one_call_the_first_takes_the_place() {
    let world = World::new().await;
    let (vault, person, stream) = (world.vault(), Some(world.person()), world.stream());
    let (first_sealed, first) = world.attempt(&vault, person, stream);
    let (_, second) = world.attempt(&vault, person, stream);
    let (_, beside_it) = world.attempt(&vault, person, world.stream());
    let (third_sealed, third) = world.attempt(&vault, None, stream);
    let losers = admit(&world.owner, &[first, joined(beside_it, second), third]).await;
    assert_eq!(losers, [2]);
    assert_eq!(world.count("vault.keys").await, 2);
    for sealed in [first_sealed, third_sealed] {
        assert_eq!(vault.open(&sealed).await.unwrap().json(), NAME);
    }
}

#[tokio::test]
async fn a_command_that_loses_for_another_reason_leaves_the_place_free() {
    let world = World::new().await;
    let (vault, person, stream) = (world.vault(), Some(world.person()), world.stream());
    let (_, loser) = world.attempt(&vault, person, stream);
    let (sealed, winner) = world.attempt(&vault, person, stream);
    let loser = joined(loser, using(KeyId(world.id())));
    assert_eq!(admit(&world.owner, &[loser, winner]).await, [1]);
    assert_eq!(vault.open(&sealed).await.unwrap().json(), NAME);
}

#[tokio::test]
async fn a_case_without_a_customer_has_one_key_too() {
    let world = World::new().await;
    let (vault, stream) = (world.vault(), world.stream());
    let (sealed, first) = world.attempt(&vault, None, stream);
    let (_, second) = world.attempt(&vault, None, stream);
    assert_eq!(admit(&world.owner, &[first]).await, NOBODY);
    assert_eq!(admit(&world.owner, &[second]).await, [1]);
    assert_eq!(vault.open(&sealed).await.unwrap().json(), NAME);
}

#[tokio::test]
async fn a_key_that_comes_again_is_no_rival_but_its_id_is_taken_elsewhere() {
    let world = World::new().await;
    let (vault, person) = (world.vault(), Some(world.person()));
    let (_, admission) = world.attempt(&vault, person, world.stream());
    assert_eq!(admit(&world.owner, std::slice::from_ref(&admission)).await, NOBODY);
    assert_eq!(admit(&world.owner, std::slice::from_ref(&admission)).await, NOBODY);
    let mut elsewhere = admission;
    elsewhere.minted[0].stream = world.stream();
    assert_eq!(admit(&world.owner, &[elsewhere]).await, [1]);
    assert_eq!(world.count("vault.keys").await, 1);
}

/// The race: each finds the place free and mints. Without the head lock, or with a snapshot from before it, two
/// would think that they won, and one's values could never be opened.
#[tokio::test]
async fn of_many_who_mint_for_one_place_at_once_one_wins() {
    const RIVALS: usize = 8;
    let world = World::new().await;
    let (vault, person, stream) = (world.vault(), Some(world.person()), world.stream());
    let rivals: Vec<_> = (0..RIVALS).map(|_| world.attempt(&vault, person, stream)).collect();
    let admissions: Vec<[KeyAdmission; 1]> = rivals.iter().map(|(_, admission)| [admission.clone()]).collect();
    let outcomes = futures::future::join_all(admissions.iter().map(|batch| admit(&world.owner, batch))).await;
    let mut opened = 0;
    for ((sealed, _), losers) in rivals.iter().zip(outcomes) {
        let opens = vault.open(sealed).await.is_ok();
        assert_eq!(opens, losers.is_empty(), "who won opens, who lost does not");
        opened += usize::from(opens);
    }
    assert_eq!((opened, world.count("vault.keys").await), (1, 1));
}

#[tokio::test]
async fn a_refused_command_begins_again_with_the_key_that_won() {
    let world = World::new().await;
    let (person, stream) = (Some(world.person()), world.stream());
    let (one, other) = (world.vault(), world.vault());
    // Both know the place to be empty.
    one.keys_for(person, stream).await.unwrap();
    let stale = other.keys_for(person, stream).await.unwrap();
    let (_, winner) = world.attempt(&one, person, stream);
    assert_eq!(admit(&world.owner, std::slice::from_ref(&winner)).await, NOBODY);
    let mut sealer = Sealer::new(stale, CommandId(world.id()), fresh_rng());
    sealer.seal("/name", Category::Personal, NAME).unwrap();
    assert_eq!(admit(&world.owner, &[sealer.into_admission()]).await, [1]);

    other.forget(person, stream);
    let keys = other.keys_for(person, stream).await.unwrap();
    let mut sealer = Sealer::new(keys, CommandId(world.id()), fresh_rng());
    sealer.seal("/name", Category::Personal, NAME).unwrap();
    let again = sealer.into_admission();
    assert_eq!(again, using(winner.minted[0].id));
    assert_eq!(admit(&world.owner, &[again]).await, NOBODY);
}
