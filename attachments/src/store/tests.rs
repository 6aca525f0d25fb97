use std::fs;
use std::path::Path as FilePath;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tempfile::TempDir;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::content::admit;
use crate::hash_of;
use crate::scan::NoScanner;

const HOUR: Duration = Duration::from_secs(3600);
const WORDS: &[u8] = b"Ada Lovelace, 12 Analytical Row";

fn store() -> (TempDir, AttachmentStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = AttachmentStore::open(folder.path().to_str().unwrap()).unwrap();
    (folder, store)
}

async fn uploaded(store: &AttachmentStore, seed: u64) -> Stored {
    let admitted = admit(WORDS.to_vec(), "text/plain", &NoScanner).await.unwrap();
    store.put(admitted, &mut StdRng::seed_from_u64(seed)).await.unwrap()
}

async fn is_readable(store: &AttachmentStore, upload: &Stored) -> bool {
    match store.get(upload.id, &upload.key, None).await {
        Ok(content) => content.bytes() == WORDS,
        Err(ReadError::Store(StoreError::Unknown(id))) if id == upload.id => false,
        Err(other) => panic!("{other:?}"),
    }
}

fn names(folder: &FilePath) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn staged_file(folder: &TempDir, id: AttachmentId) -> PathBuf {
    folder.path().join(STAGED).join(id.to_string())
}

fn kept_file(folder: &TempDir, id: AttachmentId) -> PathBuf {
    folder.path().join(KEPT).join(id.to_string())
}

/// Makes a file look as if it had been written so long before now.
fn age(path: &FilePath, age: Duration) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(std::time::SystemTime::now() - age).unwrap();
}

fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

#[tokio::test]
async fn given_an_upload_when_it_is_read_then_it_is_as_it_was_admitted_and_nothing_open_is_on_disk() {
    let (folder, store) = store();
    let upload = uploaded(&store, 1).await;
    let hash = hash_of(WORDS);
    let content = store.get(upload.id, &upload.key, Some(&hash)).await.unwrap();
    assert_eq!((content.bytes(), content.kind()), (WORDS, MediaType::Text));
    let sealed = fs::read(staged_file(&folder, upload.id)).unwrap();
    assert!(!sealed.windows(3).any(|part| part == b"Ada"));
    let key = URL_SAFE_NO_PAD.decode(upload.key.to_text().as_bytes()).unwrap();
    assert!(!sealed.windows(key.len()).any(|part| part == key));
    assert_eq!(names(&folder.path().join(STAGED)), [upload.id.to_string()]);
}

#[tokio::test]
async fn given_a_wrong_key_another_files_place_or_changed_bytes_when_it_is_read_then_each_is_told() {
    let (folder, store) = store();
    let (upload, other) = (uploaded(&store, 1).await, uploaded(&store, 2).await);
    let wrong_key = store.get(upload.id, &other.key, None).await.unwrap_err();
    assert!(matches!(wrong_key, ReadError::Sealed(OpenError::WrongKey)));
    assert_eq!(wrong_key.refusal().map(|refusal| refusal.pointer()), Some("/key"));

    fs::copy(staged_file(&folder, other.id), staged_file(&folder, upload.id)).unwrap();
    let moved = store.get(upload.id, &other.key, None).await.unwrap_err();
    assert!(matches!(moved, ReadError::Sealed(OpenError::WrongId)));
    assert_eq!(moved.refusal(), None);

    let mut changed = fs::read(staged_file(&folder, other.id)).unwrap();
    *changed.last_mut().unwrap() ^= 1;
    fs::write(staged_file(&folder, other.id), changed).unwrap();
    let changed = store.get(other.id, &other.key, None).await.unwrap_err();
    assert!(matches!(changed, ReadError::Sealed(OpenError::Damaged)));
    for error in [wrong_key, moved, changed] {
        let printed = format!("{error} {error:?}");
        assert!(!printed.contains("Ada") && !printed.contains(&*other.key.to_text()));
    }
}

#[tokio::test]
async fn given_a_command_that_names_an_upload_when_something_does_not_match_then_the_refusal_names_the_field() {
    let (_folder, store) = store();
    let (upload, hash) = (uploaded(&store, 1).await, hash_of(WORDS));
    assert!(
        store
            .check(upload.id, &upload.key, &hash, MediaType::Text)
            .await
            .is_ok()
    );
    let never = AttachmentId(uuid::Uuid::nil());
    for (id, hash, media_type, pointer) in [
        (upload.id, &hash_of(b"else"), MediaType::Text, "/hash"),
        (upload.id, &hash, MediaType::Jpeg, "/media_type"),
        (upload.id, &hash, MediaType::Csv, "/media_type"),
        (never, &hash, MediaType::Text, "/id"),
    ] {
        let refusal = store
            .check(id, &upload.key, hash, media_type)
            .await
            .unwrap_err()
            .refusal();
        assert_eq!(refusal.map(|refusal| refusal.pointer()), Some(pointer));
    }
}

#[tokio::test]
async fn given_an_upload_when_it_is_claimed_again_and_again_then_it_is_kept_once() {
    let (folder, store) = store();
    let upload = uploaded(&store, 1).await;
    for _ in 0..3 {
        store.claim(upload.id).await.unwrap();
        assert!(is_readable(&store, &upload).await);
        assert!(kept_file(&folder, upload.id).exists() && !staged_file(&folder, upload.id).exists());
    }
}

#[tokio::test]
async fn given_a_claim_that_was_cut_off_after_its_copy_when_it_is_done_again_then_it_ends() {
    let (folder, store) = store();
    let upload = uploaded(&store, 1).await;
    fs::create_dir_all(folder.path().join(KEPT)).unwrap();
    fs::copy(staged_file(&folder, upload.id), kept_file(&folder, upload.id)).unwrap();
    store.claim(upload.id).await.unwrap();
    assert!(is_readable(&store, &upload).await);
    assert!(!staged_file(&folder, upload.id).exists());
}

#[tokio::test]
async fn given_many_claims_at_the_same_time_when_they_end_then_all_went_well() {
    let (_folder, store) = store();
    let upload = uploaded(&store, 1).await;
    let claims = futures::future::join_all((0..16).map(|_| store.claim(upload.id))).await;
    assert!(claims.iter().all(Result::is_ok), "{claims:?}");
    assert!(is_readable(&store, &upload).await);
}

#[tokio::test]
async fn given_no_upload_when_it_is_claimed_then_it_is_unknown_and_removing_it_changes_nothing() {
    let (_folder, store) = store();
    let never = AttachmentId(uuid::Uuid::nil());
    assert!(matches!(store.claim(never).await, Err(StoreError::Unknown(id)) if id == never));
    store.remove(never).await.unwrap();
}

#[tokio::test]
async fn given_old_and_young_uploads_when_they_are_swept_then_only_old_ones_that_nobody_claimed_go() {
    let (folder, store) = store();
    let [old, young, kept] = [
        uploaded(&store, 1).await,
        uploaded(&store, 2).await,
        uploaded(&store, 3).await,
    ];
    age(&staged_file(&folder, old.id), 3 * HOUR);
    age(&staged_file(&folder, kept.id), 3 * HOUR);
    store.claim(kept.id).await.unwrap();
    assert_eq!(store.unclaimed(2 * HOUR, now()).await.unwrap(), [old.id]);
    assert_eq!(store.sweep(2 * HOUR, now()).await.unwrap(), 1);
    assert!(!is_readable(&store, &old).await);
    assert!(is_readable(&store, &young).await && is_readable(&store, &kept).await);
    assert_eq!(store.sweep(2 * HOUR, now()).await.unwrap(), 0);
    // Time is passed in: three hours on, the young one is old.
    assert_eq!(store.sweep(2 * HOUR, now() + 3 * HOUR).await.unwrap(), 1);
    assert!(is_readable(&store, &kept).await);
}

#[tokio::test]
async fn given_a_time_before_all_times_when_uploads_are_swept_then_none_go() {
    let (_folder, store) = store();
    uploaded(&store, 1).await;
    assert_eq!(store.sweep(Duration::MAX, now()).await.unwrap(), 0);
    assert_eq!(store.sweep(4_000_000 * HOUR, now()).await.unwrap(), 0);
    assert_eq!(store.sweep(2_000_000_000 * HOUR, now()).await.unwrap(), 0);
}

#[tokio::test]
async fn given_an_upload_that_was_cut_off_when_it_is_read_or_swept_then_nothing_is_readable_and_it_goes() {
    let (folder, store) = store();
    let upload = uploaded(&store, 1).await;
    // As a folder has it until all is on disk.
    let part = folder.path().join(STAGED).join(format!("{}#1", upload.id));
    fs::rename(staged_file(&folder, upload.id), &part).unwrap();
    assert!(!is_readable(&store, &upload).await);
    assert!(matches!(store.claim(upload.id).await, Err(StoreError::Unknown(_))));
    assert_eq!(store.sweep(HOUR, now()).await.unwrap(), 0);
    assert!(part.exists(), "it may still be written");
    let strange = folder.path().join(STAGED).join("readme.txt");
    fs::write(&strange, "not ours").unwrap();
    assert_eq!(store.sweep(HOUR, now() + 2 * HOUR).await.unwrap(), 0);
    assert!(!part.exists() && strange.exists());
}

#[tokio::test]
async fn given_a_claim_that_was_cut_off_within_its_copy_when_it_is_swept_then_only_its_leftover_goes() {
    let (folder, store) = store();
    let upload = uploaded(&store, 1).await;
    age(&staged_file(&folder, upload.id), 3 * HOUR);
    store.claim(upload.id).await.unwrap();
    // As a folder has it between the link and its name.
    let link = folder.path().join(KEPT).join(format!("{}#1", upload.id));
    fs::hard_link(kept_file(&folder, upload.id), &link).unwrap();
    store.sweep(2 * HOUR, now()).await.unwrap();
    assert!(link.exists(), "though the file is old, the claim may still be at it");
    store.sweep(2 * HOUR, now() + 3 * HOUR).await.unwrap();
    assert!(!link.exists() && is_readable(&store, &upload).await);
}

#[tokio::test]
async fn given_a_kept_or_a_staged_file_when_it_is_removed_then_it_is_gone_and_no_claim_brings_it_back() {
    let (folder, store) = store();
    let (kept, staged) = (uploaded(&store, 1).await, uploaded(&store, 2).await);
    store.claim(kept.id).await.unwrap();
    // As a claim leaves it that was cut off.
    fs::copy(kept_file(&folder, kept.id), staged_file(&folder, kept.id)).unwrap();
    for upload in [&kept, &staged] {
        store.remove(upload.id).await.unwrap();
        store.remove(upload.id).await.unwrap();
        assert!(!is_readable(&store, upload).await);
        assert!(matches!(store.claim(upload.id).await, Err(StoreError::Unknown(_))));
    }
    assert!(names(&folder.path().join(KEPT)).is_empty() && names(&folder.path().join(STAGED)).is_empty());
}

#[tokio::test]
async fn given_a_file_that_is_too_long_to_be_ours_when_it_is_read_then_it_is_not_taken_into_memory() {
    let (folder, store) = store();
    let upload = uploaded(&store, 1).await;
    let file = fs::File::options()
        .write(true)
        .open(staged_file(&folder, upload.id))
        .unwrap();
    file.set_len(SEALED_MAX_BYTES as u64 + 1).unwrap();
    let error = store.get(upload.id, &upload.key, None).await.unwrap_err();
    assert!(matches!(error, ReadError::Sealed(OpenError::UnknownForm)));
}

#[tokio::test]
async fn given_a_folder_that_went_away_when_a_file_is_put_then_the_store_makes_it_anew_or_says_so() {
    let (folder, store) = store();
    fs::remove_dir_all(folder.path()).unwrap();
    fs::write(folder.path(), "a file is in the way").unwrap();
    let admitted = admit(WORDS.to_vec(), "text/plain", &NoScanner).await.unwrap();
    let error = store.put(admitted, &mut StdRng::seed_from_u64(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    fs::remove_file(folder.path()).unwrap();
}

#[test]
fn no_store_and_no_upload_prints_what_it_holds() {
    let (_folder, store) = store();
    assert_eq!(format!("{store:?}"), "AttachmentStore(..)");
    let mut rng = StdRng::seed_from_u64(1);
    let (id, key) = (crate::seal::fresh_id(&mut rng), ContentKey::random(&mut rng));
    let text = key.to_text();
    assert!(!format!("{:?}", Stored { id, key }).contains(text.as_str()));
}

#[test]
fn futures_of_the_store_can_move_between_threads() {
    fn moves(_: impl Send) {}
    let (_folder, store) = store();
    let mut rng = StdRng::seed_from_u64(1);
    let (id, key) = (crate::seal::fresh_id(&mut rng), ContentKey::random(&mut rng));
    moves(store.claim(id));
    moves(store.get(id, &key, None));
    moves(store.sweep(HOUR, now()));
    moves(admit(Vec::new(), "text/plain", &NoScanner));
    moves(async {
        store
            .put(admit(Vec::new(), "text/plain", &NoScanner).await.unwrap(), &mut rng)
            .await
    });
}
