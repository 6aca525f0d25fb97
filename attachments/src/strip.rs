//! Takes everything but the picture out of a photo, without encoding it again.
//!
//! Metadata says where a photo was taken, when, with which device, and by whom, in more forms than can be listed: Exif, XMP,
//! IPTC, makers' notes, previews of what was cropped, films behind the photo. So each format has a list of the parts that a
//! decoder needs, and all other parts go. How the photo is turned is kept, as an Exif of that one entry.
//!
//! What can't be told apart can't be stripped: a damaged file is refused rather than guessed at.

mod exif;
mod jpeg;
mod png;
mod webp;

use zeroize::Zeroizing;

pub(crate) use jpeg::strip as jpeg;
pub(crate) use png::strip as png;
pub(crate) use webp::strip as webp;

/// A picture without metadata.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stripped {
    /// The file.
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    /// Its width in pixels, as its header says.
    pub(crate) width: u32,
    /// Its height in pixels, as its header says.
    pub(crate) height: u32,
}

#[cfg(test)]
mod tests;
