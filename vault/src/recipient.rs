//! Sealing for somebody outside: what a contractor reads, for the key that it holds itself.
//!
//! HPKE (RFC 9180) in base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305. Nobody here can open it again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeS, Serializable};
use rand::CryptoRng;
use schemas::EventId;
use schemas::feed::{FeedKey, JobContent, SealedContent, sealing_info};
use zeroize::Zeroizing;

use crate::error::{Broken, VaultError};

/// How long an encapsulated key is: a public key of X25519.
const ENCAPSULATED_BYTES: usize = 32;

type PrivateKey = <X25519HkdfSha256 as Kem>::PrivateKey;
type PublicKey = <X25519HkdfSha256 as Kem>::PublicKey;

/// Seals what a contractor reads, for its key and for this message alone.
///
/// # Errors
/// [`VaultError::Broken`]: the key is no point of the curve that can be used.
pub fn seal_for(
    key: &FeedKey,
    message: EventId,
    content: &JobContent,
    rng: &mut impl CryptoRng,
) -> Result<SealedContent, VaultError> {
    let text = Zeroizing::new(serde_json::to_vec(content).map_err(|_| Broken)?);
    let public = PublicKey::from_bytes(key.bytes()).map_err(|_| Broken)?;
    let (enc, ciphertext) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &public,
        sealing_info(message).as_bytes(),
        &text,
        &[],
        rng,
    )
    .map_err(|_| Broken)?;
    let sealed = [enc.to_bytes().as_slice(), &ciphertext].concat();
    Ok(SealedContent(STANDARD.encode(sealed)))
}

/// A contractor's key pair, as `caseledger dev` makes one: what its client entry names, and what the contractor keeps, as base64 of
/// the private key's 32 bytes.
pub fn feed_key_pair(rng: &mut impl CryptoRng) -> (FeedKey, Zeroizing<String>) {
    let (private, public) = X25519HkdfSha256::gen_keypair_with_rng(rng);
    let mut bytes = [0; 32];
    bytes.copy_from_slice(&public.to_bytes());
    (FeedKey::new(bytes), Zeroizing::new(STANDARD.encode(private.to_bytes())))
}

/// The public key of a contractor's private key; `None` where the text is no private key.
#[must_use]
pub fn feed_key_of(private_key: &str) -> Option<FeedKey> {
    let private = PrivateKey::from_bytes(&Zeroizing::new(STANDARD.decode(private_key).ok()?)).ok()?;
    let mut bytes = [0; 32];
    bytes.copy_from_slice(&X25519HkdfSha256::sk_to_pk(&private).to_bytes());
    Some(FeedKey::new(bytes))
}

/// Opens what [`seal_for`] sealed, as the contractor does. `private_key` is base64 of its 32 bytes.
///
/// # Errors
/// [`VaultError::DamagedLetter`]: it was altered, sealed for another, or belongs to another message.
pub fn open_as_contractor(
    private_key: &str,
    message: EventId,
    sealed: &SealedContent,
) -> Result<JobContent, VaultError> {
    let open = || {
        let key = PrivateKey::from_bytes(&Zeroizing::new(STANDARD.decode(private_key).ok()?)).ok()?;
        let sealed = STANDARD.decode(&sealed.0).ok()?;
        let (enc, ciphertext) = sealed.split_at_checked(ENCAPSULATED_BYTES)?;
        let enc = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(enc).ok()?;
        let opened = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &hpke::OpModeR::Base,
            &key,
            &enc,
            sealing_info(message).as_bytes(),
            ciphertext,
            &[],
        );
        serde_json::from_slice(&Zeroizing::new(opened.ok()?)).ok()
    };
    open().ok_or(VaultError::DamagedLetter)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use schemas::text::Text;
    use uuid::Uuid;

    use super::*;

    fn content() -> JobContent {
        JobContent {
            description: Some(Text::new("Behind the blue door").unwrap()),
            ..JobContent::default()
        }
    }

    #[test]
    fn only_the_contractor_opens_it_and_only_as_what_it_was_sealed_in() {
        let mut rng = StdRng::seed_from_u64(1);
        let ((key, private), (_, another)) = (feed_key_pair(&mut rng), feed_key_pair(&mut rng));
        let message = EventId(Uuid::from_u128(7));
        let sealed = seal_for(&key, message, &content(), &mut rng).unwrap();
        assert_eq!(open_as_contractor(&private, message, &sealed).unwrap(), content());
        assert!(open_as_contractor(&another, message, &sealed).is_err(), "another's key");
        assert!(
            open_as_contractor(&private, EventId(Uuid::from_u128(8)), &sealed).is_err(),
            "another message"
        );
        let bytes = STANDARD.decode(&sealed.0).unwrap();
        for place in [0, ENCAPSULATED_BYTES, bytes.len() - 1] {
            let mut altered = bytes.clone();
            altered[place] ^= 1;
            let altered = SealedContent(STANDARD.encode(altered));
            assert!(
                open_as_contractor(&private, message, &altered).is_err(),
                "altered at {place}"
            );
        }
        assert!(!bytes.windows(4).any(|part| part == b"blue"));
        assert_eq!((feed_key_of(&private), feed_key_of("AA")), (Some(key), None));
    }

    /// Found by fuzzing. Whether it holds depends on a feature of serde_json that tests of other crates switch on too: only
    /// `cargo test -p vault` reads numbers as a release does.
    #[test]
    fn a_coordinate_opens_as_the_same_number() {
        let mut rng = StdRng::seed_from_u64(1);
        let (key, private) = feed_key_pair(&mut rng);
        let message = EventId(Uuid::from_u128(7));
        let place = r#"{"place":{"latitude":-1.56666666666666666666666,"longitude":-0.12}}"#;
        let content: JobContent = serde_json::from_str(place).unwrap();
        let sealed = seal_for(&key, message, &content, &mut rng).unwrap();
        assert_eq!(open_as_contractor(&private, message, &sealed).unwrap(), content);
    }

    #[test]
    fn a_key_that_is_none_is_refused() {
        for wrong in ["", "AAAA", "not base64!"] {
            assert!(wrong.parse::<FeedKey>().is_err(), "{wrong}");
        }
        let mut rng = StdRng::seed_from_u64(1);
        let (key, _) = feed_key_pair(&mut rng);
        assert_eq!(key.to_string().parse(), Ok(key));
        // A point of small order would let anybody read what is sealed for it.
        let weak = FeedKey::new([0; 32]);
        assert!(seal_for(&weak, EventId(Uuid::nil()), &content(), &mut rng).is_err());
    }
}
