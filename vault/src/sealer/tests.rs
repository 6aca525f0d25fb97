use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::Deserialize;
use uuid::Uuid;

use super::*;
use crate::error::OpenError;
use crate::field::{Opened, open_with_field_key};
use crate::secret::Secret;
use crate::token::Token;

const NAME: &str = "\"Ada Lovelace\"";

fn key_file() -> Arc<KeyEncryptionKey> {
    Arc::new(KeyEncryptionKey::generate(&mut StdRng::seed_from_u64(1)).unwrap())
}

fn keys(person: Option<u128>) -> Keys {
    Keys {
        place: Place {
            person: person.map(|person| CustomerId(Uuid::from_u128(person))),
            stream: AggregateId(Uuid::from_u128(2)),
        },
        held: Held::default(),
        read_at: Instant::now(),
        key_file: key_file(),
    }
}

fn sealer(seed: u64) -> Sealer<StdRng> {
    Sealer::new(
        keys(Some(1)),
        CommandId(Uuid::from_u128(3)),
        StdRng::seed_from_u64(seed),
    )
}

/// Opens with the row's key, as the vault does once it has found it.
fn open(sealed: &Sealed, key: &RowKey) -> Result<Opened, OpenError> {
    let token = Token::parse(sealed)?;
    FieldKey::derive(&key.secret, token.header_bytes())
        .unwrap()
        .open(&token)
}

fn flipped(sealed: &Sealed, byte: usize) -> Sealed {
    let mut bytes = URL_SAFE_NO_PAD.decode(sealed.token()).unwrap();
    bytes[byte] ^= 1;
    Sealed::from_token(URL_SAFE_NO_PAD.encode(bytes))
}

/// The same ciphertext under a header that claims something else.
fn claiming(sealed: &Sealed, change: impl FnOnce(&mut SealedHeader)) -> Sealed {
    let token = Token::parse(sealed).unwrap();
    let mut header = token.header.clone();
    change(&mut header);
    let bytes = URL_SAFE_NO_PAD.decode(sealed.token()).unwrap();
    let rest = &bytes[token.header_bytes().len()..];
    Sealed::from_token(URL_SAFE_NO_PAD.encode([&header.encode().unwrap(), rest].concat()))
}

proptest! {
    #[test]
    fn what_is_sealed_opens_to_the_same_text(text in any::<String>(), field in "/[a-zé/~]{0,60}", person in any::<Option<u128>>()) {
        prop_assume!(person != Some(0));
        let mut sealer = Sealer::new(keys(person), CommandId(Uuid::from_u128(3)), StdRng::seed_from_u64(1));
        let json = serde_json::to_string(&text).unwrap();
        let sealed = sealer.seal(&field, Category::Personal, &json).unwrap();
        let key = sealer.keys().held.personal.unwrap();
        let opened = open(&sealed, &key).unwrap();
        prop_assert_eq!(opened.json(), &json);
        prop_assert_eq!(opened.read::<String>().unwrap(), text);
        let header = SealedHeader::of(&sealed).unwrap();
        prop_assert_eq!((header.field, header.key_id), (field, key.id));
    }

    #[test]
    fn a_token_of_any_bytes_is_damaged_and_nothing_worse(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let sealed = Sealed::from_token(URL_SAFE_NO_PAD.encode(bytes));
        prop_assert!(matches!(open(&sealed, &RowKey::mint(&mut StdRng::seed_from_u64(1))), Err(OpenError::Damaged)));
    }
}

#[test]
fn a_value_with_any_byte_changed_or_cut_off_is_damaged() {
    let mut sealer = sealer(1);
    let sealed = sealer.seal("/name", Category::Personal, NAME).unwrap();
    let key = sealer.keys().held.personal.unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(sealed.token()).unwrap();
    for byte in 0..bytes.len() {
        assert!(
            matches!(open(&flipped(&sealed, byte), &key), Err(OpenError::Damaged)),
            "byte {byte}"
        );
        let cut = Sealed::from_token(URL_SAFE_NO_PAD.encode(&bytes[..byte]));
        assert!(matches!(open(&cut, &key), Err(OpenError::Damaged)), "cut at {byte}");
    }
}

#[test]
fn a_value_opens_for_its_own_person_stream_command_and_field_only() {
    let mut sealer = sealer(1);
    let sealed = sealer.seal("/name", Category::Personal, NAME).unwrap();
    let key = sealer.keys().held.personal.unwrap();
    let other = Uuid::from_u128(99);
    let changes: [fn(&mut SealedHeader, Uuid); 7] = [
        |header, _| header.field = "/title".into(),
        |header, _| header.category = Category::SpecialCategory,
        |header, other| header.key_id = KeyId(other),
        |header, other| header.person = Some(CustomerId(other)),
        |header, _| header.person = None,
        |header, other| header.stream = AggregateId(other),
        |header, other| header.command_id = CommandId(other),
    ];
    assert!(open(&claiming(&sealed, |_| ()), &key).is_ok());
    for (number, change) in changes.into_iter().enumerate() {
        let claim = claiming(&sealed, |header| change(header, other));
        assert!(matches!(open(&claim, &key), Err(OpenError::Damaged)), "change {number}");
    }
}

#[test]
fn one_field_opens_without_the_vault_and_opens_no_other() {
    let mut sealer = sealer(1);
    let name = sealer.seal("/name", Category::Personal, NAME).unwrap();
    let phone = sealer.seal("/phone", Category::Personal, "\"12345\"").unwrap();
    let row = sealer.keys().held.personal.unwrap();
    let key = FieldKey::derive(&row.secret, Token::parse(&name).unwrap().header_bytes()).unwrap();
    let handed_over = FieldKey::from_text(&key.to_text()).unwrap();
    assert_eq!(open_with_field_key(&name, &handed_over).unwrap().json(), NAME);
    assert!(matches!(
        open_with_field_key(&phone, &handed_over),
        Err(OpenError::Damaged)
    ));
    assert!(FieldKey::from_text("AQ").is_none());
    assert!(FieldKey::from_text(&format!("{}AAAA", *key.to_text())).is_none());
}

#[test]
fn a_category_is_minted_once_and_a_stored_key_is_used() {
    let mut sealer = sealer(1);
    for field in ["/name", "/phone"] {
        sealer.seal(field, Category::Personal, NAME).unwrap();
    }
    sealer.seal("/health", Category::SpecialCategory, NAME).unwrap();
    let stored = sealer.keys();
    let first = sealer.into_admission();
    let categories: Vec<_> = first.minted.iter().map(|key| key.category).collect();
    assert_eq!(categories, [Category::Personal, Category::SpecialCategory]);
    assert!(
        first.used.is_empty(),
        "a key that is brought is not among the used ones"
    );

    let mut next = Sealer::new(stored, CommandId(Uuid::from_u128(4)), StdRng::seed_from_u64(2));
    for field in ["/name", "/phone"] {
        next.seal(field, Category::Personal, NAME).unwrap();
    }
    let second = next.into_admission();
    assert!(second.minted.is_empty());
    assert_eq!(second.used, [first.minted[0].id]);
}

#[test]
fn a_minted_key_is_wrapped_for_its_row() {
    let mut sealer = sealer(1);
    sealer.seal("/name", Category::Personal, NAME).unwrap();
    let keys = sealer.keys();
    let minted = sealer.into_admission().minted.remove(0);
    assert_eq!(minted.wrapped_by, key_file().id());
    let row = RowKey::unwrap_row(
        minted.id,
        &minted.wrapped,
        key_file().wrapping(),
        keys.place,
        minted.category,
    )
    .unwrap();
    assert_eq!(row.secret.bytes(), keys.held.personal.unwrap().secret.bytes());
}

#[test]
fn equal_values_are_sealed_differently() {
    let mut sealer = sealer(1);
    let one = sealer.seal("/name", Category::Personal, NAME).unwrap();
    assert_ne!(one, sealer.seal("/name", Category::Personal, NAME).unwrap());
}

#[test]
fn debug_shows_neither_values_nor_keys() {
    let mut sealer = sealer(1);
    let sealed = sealer.seal("/name", Category::Personal, NAME).unwrap();
    let key = sealer.keys().held.personal.unwrap();
    let field_key = FieldKey::derive(&key.secret, Token::parse(&sealed).unwrap().header_bytes()).unwrap();
    let opened = open(&sealed, &key).unwrap();
    let printed = format!(
        "{sealer:?} {:?} {key:?} {field_key:?} {opened:?} {sealed:?} {:?} {:?}",
        sealer.keys(),
        key.secret,
        opened.read::<u32>().unwrap_err(),
    );
    let secrets = [
        "Ada".to_owned(),
        URL_SAFE_NO_PAD.encode(key.secret.bytes()),
        format!("{:?}", &key.secret.bytes()[..4])
            .trim_matches(['[', ']'])
            .to_owned(),
        field_key.to_text().as_str().to_owned(),
    ];
    for secret in secrets {
        assert!(!printed.contains(&secret), "{printed}");
    }
    let admission = format!("{:?}", sealer.into_admission());
    assert!(!admission.contains("wrapped"), "{admission}");
}

/// What was written once must open for ever: the file is never changed, only joined by one for each later version.
#[derive(Deserialize)]
struct Golden {
    row_key: String,
    nonce: String,
    key_id: KeyId,
    person: CustomerId,
    stream: AggregateId,
    command_id: CommandId,
    field: String,
    json: String,
    field_key: String,
    token: String,
}

#[test]
fn the_golden_token_opens_and_is_written_the_same_again() {
    let golden: Golden = serde_json::from_str(include_str!("../../golden/sealed.v1.json")).unwrap();
    let row_key = Secret::from_slice(&URL_SAFE_NO_PAD.decode(&golden.row_key).unwrap()).unwrap();
    let sealed = Sealed::from_token(golden.token);
    let token = Token::parse(&sealed).unwrap();
    let key = FieldKey::derive(&row_key, token.header_bytes()).unwrap();
    assert_eq!(*key.to_text(), golden.field_key);
    assert_eq!(key.open(&token).unwrap().json(), golden.json);

    let header = SealedHeader {
        category: Category::Personal,
        key_id: golden.key_id,
        person: Some(golden.person),
        stream: golden.stream,
        command_id: golden.command_id,
        field: golden.field,
    };
    assert_eq!(token.header, header);
    let nonce = URL_SAFE_NO_PAD.decode(&golden.nonce).unwrap().try_into().unwrap();
    assert_eq!(
        key.seal(&header.encode().unwrap(), &nonce, &golden.json).unwrap(),
        sealed
    );
}
