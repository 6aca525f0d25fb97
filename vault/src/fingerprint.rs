//! The fingerprint by which a repeated command is known from another one under the same id.

use std::fmt;

use hmac::Mac;
use schemas::AggregateId;

use crate::secret::{SECRET_BYTES, Secret};

/// Makes fingerprints of commands.
///
/// They are keyed: a plain hash, kept for ever, would confirm a guess at a person's data after its erasure.
pub struct Fingerprinter(Secret);

impl Fingerprinter {
    pub(crate) const fn new(key: Secret) -> Self {
        Self(key)
    }

    /// The fingerprint of a command's CloudEvents type, its subject and the bytes of its data as sent.
    ///
    /// HMAC-SHA256 over the type's length in bytes (8, big-endian) and the type; 0, or 1 and the subject's 16 bytes; and the
    /// data's length and the data.
    #[must_use]
    pub fn fingerprint(&self, command_type: &str, subject: Option<AggregateId>, data: &[u8]) -> [u8; SECRET_BYTES] {
        let mut mac = self.0.mac();
        mac.update(&length(command_type.as_bytes()));
        mac.update(command_type.as_bytes());
        match subject {
            None => mac.update(&[0]),
            Some(subject) => {
                mac.update(&[1]);
                mac.update(subject.uuid().as_bytes());
            }
        }
        mac.update(&length(data));
        mac.update(data);
        mac.finalize().into_bytes().into()
    }
}

fn length(bytes: &[u8]) -> [u8; 8] {
    (bytes.len() as u64).to_be_bytes()
}

impl fmt::Debug for Fingerprinter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprinter([secret])")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_fingerprint_follows_from_key_type_subject_and_data() {
        let one = Fingerprinter::new(Secret::from_slice(&[1; 32]).unwrap());
        let other = Fingerprinter::new(Secret::from_slice(&[2; 32]).unwrap());
        let subject = Some(AggregateId(Uuid::from_u128(5)));
        let prints = [
            one.fingerprint("a", subject, b"{}"),
            other.fingerprint("a", subject, b"{}"),
            one.fingerprint("b", subject, b"{}"),
            one.fingerprint("a", None, b"{}"),
            one.fingerprint("a", Some(AggregateId(Uuid::from_u128(6))), b"{}"),
            one.fingerprint("a", subject, b"{ }"),
            one.fingerprint("a{", subject, b"}"),
        ];
        assert_eq!(prints.iter().collect::<HashSet<_>>().len(), prints.len());
        assert_eq!(prints[0], one.fingerprint("a", subject, b"{}"));
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(
            format!("{:?}", Fingerprinter::new(Secret::from_slice(&[1; 32]).unwrap())),
            "Fingerprinter([secret])"
        );
    }
}
