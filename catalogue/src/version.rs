//! The version of a catalogue, made from what its files say.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// How many bytes of the digest the version shows: collisions would need some four billion catalogues.
const SHOWN_BYTES: usize = 8;

/// The version of these contents, each with its path, in the order of the paths. A TOML file is given as its tables with
/// sorted keys, so that comments and layout do not count; a template as its text.
pub(crate) fn of_contents<'a>(contents: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut contents: Vec<_> = contents.collect();
    contents.sort_unstable();
    let mut hash = Sha256::new();
    for part in contents.iter().flat_map(|(path, content)| [path, content]) {
        // The length before each part keeps the boundaries: `a`, `bc` is not `ab`, `c`.
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize()
        .iter()
        .take(SHOWN_BYTES)
        .fold(String::new(), |mut text, byte| {
            // Writing to a String does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
