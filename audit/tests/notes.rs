//! Signed notes and checkpoints, against the published example and whatever was changed in them.

// Not only the tests themselves but what they share may fail the test.
#![allow(clippy::unwrap_used, clippy::panic)]

use audit::{Checkpoint, CheckpointError, Hash, KeyError, NoteError, SigningKey, VerifierKey, note};
use proptest::prelude::*;
use zeroize::Zeroizing;

/// The example of golang.org/x/mod/sumdb/note, which C2SP signed-note was written down from.
const SECRET: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const SIGNED: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\
    \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn example() -> (SigningKey, VerifierKey) {
    (SigningKey::from_secret_text(SECRET).unwrap(), PUBLIC.parse().unwrap())
}

fn key(name: &str, seed: u8) -> SigningKey {
    SigningKey::new(name.parse().unwrap(), &Zeroizing::new([seed; 32]))
}

#[test]
fn the_published_example_comes_out() {
    let (secret, public) = example();
    assert_eq!(*secret.verifier(), public);
    assert_eq!(public.to_string(), PUBLIC);
    assert_eq!(*secret.secret_text(), SECRET);
    assert_eq!(secret.sign(TEXT), SIGNED);
    assert_eq!(note::opened(SIGNED, &[public]), Ok(TEXT));
}

#[test]
fn signatures_of_others_are_passed_over_and_a_wrong_one_is_not() {
    let (_, public) = example();
    let other = key("witness.example", 1);
    let theirs = other.sign(TEXT);
    let both = format!("{SIGNED}{}", theirs.strip_prefix(&format!("{TEXT}\n")).unwrap());
    for trusted in [
        vec![public.clone()],
        vec![other.verifier().clone()],
        vec![public.clone(), other.verifier().clone()],
    ] {
        assert_eq!(note::opened(&both, &trusted), Ok(TEXT));
    }
    let stranger = key("stranger.example", 2);
    assert_eq!(
        note::opened(&both, &[stranger.verifier().clone()]),
        Err(NoteError::NotSigned("stranger.example".to_owned()))
    );
    assert!(matches!(note::opened(&both, &[]), Err(NoteError::NotSigned(_))));
    // The same name with another key is another signer.
    let namesake = key("PeterNeumann", 3);
    assert!(matches!(
        note::opened(SIGNED, &[namesake.verifier().clone()]),
        Err(NoteError::NotSigned(_))
    ));
    let forged = both.replace("your problem is", "your problem was");
    assert_eq!(
        note::opened(&forged, &[public]),
        Err(NoteError::Wrong("PeterNeumann".to_owned()))
    );
}

#[test]
fn what_is_no_key_or_name_is_refused_in_words_that_quote_nothing() {
    assert_eq!(
        PUBLIC.replace("c74f20a3", "c74f20a4").parse::<VerifierKey>(),
        Err(KeyError::Hash)
    );
    assert_eq!(
        PUBLIC.replace("PeterNeumann", "PeterNewmann").parse::<VerifierKey>(),
        Err(KeyError::Hash)
    );
    assert!(matches!(SECRET.parse::<VerifierKey>(), Err(KeyError::Form(_))));
    for wrong in ["", "a", "a+b", "PRIVATE+KEY+x+00000000+AA==", PUBLIC] {
        assert!(SigningKey::from_secret_text(wrong).is_err(), "{wrong}");
    }
    let error = SigningKey::from_secret_text(&SECRET.replace("c74f20a3", "c74f20a4")).unwrap_err();
    assert_eq!(error, KeyError::Hash);
    assert!(!format!("{:?}", example().0).contains("AYEK"));
    for wrong in ["", "a b", "a+b", "a\n"] {
        assert_eq!(wrong.parse::<note::KeyName>(), Err(KeyError::Name), "{wrong:?}");
    }
}

fn checkpoint() -> Checkpoint {
    Checkpoint {
        origin: "council.example/caseledger".parse().unwrap(),
        size: 1_234_567,
        root: Hash([7; 32]),
    }
}

#[test]
fn a_checkpoint_is_what_it_was() {
    let signer = key("council.example/caseledger", 4);
    let trusted = [signer.verifier().clone()];
    let note = checkpoint().signed(&signer);
    assert!(
        note.starts_with(
            "council.example/caseledger\n1234567\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n\n\u{2014} "
        )
    );
    assert_eq!(Checkpoint::open(&note, &trusted), Ok(checkpoint()));
    // A line of somebody else's behind the root.
    let extended = signer.sign(&format!("{}an extension\n", checkpoint().text()));
    assert_eq!(Checkpoint::open(&extended, &trusted), Ok(checkpoint()));

    let other = Checkpoint {
        origin: "elsewhere.example".parse().unwrap(),
        ..checkpoint()
    };
    assert_eq!(
        Checkpoint::open(&other.signed(&signer), &trusted),
        Err(CheckpointError::Origin("elsewhere.example".to_owned()))
    );
    for text in [
        "council.example/caseledger\n1234567\n",
        "council.example/caseledger\n01\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n",
        "council.example/caseledger\n-1\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n",
        "council.example/caseledger\n1\nBwcH\n",
    ] {
        assert_eq!(
            Checkpoint::open(&signer.sign(text), &trusted),
            Err(CheckpointError::Form),
            "{text}"
        );
    }
}

proptest! {
    #[test]
    fn any_changed_byte_of_a_checkpoint_is_not_believed(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let signer = key("council.example/caseledger", 4);
        let note = checkpoint().signed(&signer);
        let mut changed = note.clone().into_bytes();
        changed[at.index(note.len())] ^= 1_u8 << bit;
        if let Ok(changed) = String::from_utf8(changed) {
            prop_assert!(Checkpoint::open(&changed, &[signer.verifier().clone()]).is_err(), "{}", changed);
        }
    }
}
