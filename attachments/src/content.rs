//! What a file has to be before it is kept.

use std::fmt;

use zeroize::Zeroizing;

use crate::error::{AdmitError, Refusal};
use crate::hash::hash_of;
use crate::kind;
use crate::scan::{Scanner, Verdict};
use crate::strip::{self, Stripped};
use crate::work::aside;
use schemas::command::MediaType;
use schemas::text::Digest;

/// The most bytes an attachment has: 20 MiB, as it comes. A phone's largest photos fit, and it stays below what clamd takes
/// by default (`StreamMaxLength`, 25 MiB where it was lowest).
pub const ATTACHMENT_MAX_BYTES: usize = 20 << 20;

/// The most pixels a side of a picture has.
pub const IMAGE_MAX_SIDE: u32 = 20_000;

/// The most pixels a picture has. A phone's 108 megapixels fit; whoever shows it needs 480 MB for what a few kilobytes may hold.
pub const IMAGE_MAX_PIXELS: u64 = 120_000_000;

/// An open file. Its bytes are wiped when it is dropped, and printed nowhere.
pub struct Content {
    bytes: Zeroizing<Vec<u8>>,
    kind: MediaType,
    hash: Digest,
}

impl Content {
    pub(crate) fn new(bytes: Zeroizing<Vec<u8>>, kind: MediaType) -> Self {
        let hash = hash_of(&bytes);
        Self { bytes, kind, hash }
    }

    /// The bytes as they are kept: of a photo, without its metadata. Personal.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> MediaType {
        self.kind
    }

    /// The hash of [`Content::bytes`], for the event.
    #[must_use]
    pub const fn hash(&self) -> &Digest {
        &self.hash
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({}, {} bytes)", self.kind.as_str(), self.bytes.len())
    }
}

/// A file that was found fit to be kept: of a kind and size that are taken, stripped, and scanned.
#[derive(Debug)]
pub struct Admitted {
    content: Content,
    received: Digest,
}

impl Admitted {
    /// What is kept.
    #[must_use]
    pub const fn content(&self) -> &Content {
        &self.content
    }

    /// The hash of the bytes as they came, for the sender to compare with its own. It differs from the content's hash where
    /// something was taken out.
    #[must_use]
    pub const fn received(&self) -> &Digest {
        &self.received
    }
}

/// Looks at a file: its size and kind, its dimensions if it is a picture, and the scanner's verdict on the bytes as they came.
/// Of a photo everything but the picture is taken out. `media_type` is what the sender says it is.
///
/// The scanner is asked last, since it is slow and all else is cheap.
///
/// # Errors
/// [`AdmitError::Refused`] where it is not taken; else nothing is known of the file, and it may be sent again.
pub async fn admit(bytes: Vec<u8>, media_type: &str, scanner: &dyn Scanner) -> Result<Admitted, AdmitError> {
    let came = Zeroizing::new(bytes);
    let declared = kind::kind_of_media_type(media_type).ok_or(Refusal::UnknownMediaType)?;
    let (came, looked_at) = aside(move || {
        let looked_at = look_at(&came, declared);
        (came, looked_at)
    })
    .await?;
    let admitted = looked_at?;
    match scanner.scan(&came).await? {
        Verdict::Clean => Ok(admitted),
        Verdict::Infected { name } => Err(Refusal::Infected { name }.into()),
    }
}

/// All of [`admit`] that needs nobody else.
fn look_at(came: &[u8], declared: MediaType) -> Result<Admitted, Refusal> {
    if came.is_empty() {
        return Err(Refusal::Empty);
    }
    if came.len() > ATTACHMENT_MAX_BYTES {
        return Err(Refusal::TooLarge);
    }
    let found = kind::kind_of_bytes(came).ok_or(Refusal::UnknownKind)?;
    if !kind::may_be_sent_as(found, declared) {
        return Err(Refusal::OtherKind { declared, found });
    }
    let picture = match found {
        MediaType::Jpeg => strip::jpeg(came),
        MediaType::Png => strip::png(came),
        MediaType::Webp => strip::webp(came),
        MediaType::Pdf | MediaType::Text | MediaType::Csv => {
            let content = Content::new(Zeroizing::new(came.to_vec()), declared);
            let received = content.hash().clone();
            return Ok(Admitted { content, received });
        }
    };
    let picture = picture.ok_or(Refusal::DamagedImage { kind: found })?;
    Ok(Admitted {
        content: Content::new(sized(picture)?, declared),
        received: hash_of(came),
    })
}

/// The picture's bytes, if its dimensions are ones that can be shown.
fn sized(picture: Stripped) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let (width, height) = (picture.width, picture.height);
    let sides = 1..=IMAGE_MAX_SIDE;
    let shown = sides.contains(&width) && sides.contains(&height);
    if shown && u64::from(width) * u64::from(height) <= IMAGE_MAX_PIXELS {
        Ok(picture.bytes)
    } else {
        Err(Refusal::ImageSize)
    }
}

#[cfg(test)]
mod tests;
