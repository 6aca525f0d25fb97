//! WebP: chunks in a RIFF container (RFC 9649 section 2).

use zeroize::Zeroizing;

use super::Stripped;
use super::exif::Orientation;

/// Bits of the first byte of `VP8X`.
const EXIF_FLAG: u8 = 0x08;
const XMP_FLAG: u8 = 0x04;

/// What stands before the chunks of an animation's frame.
const FRAME_HEADER_BYTES: usize = 16;

/// Takes out all chunks that a decoder does not need: `EXIF`, `XMP `, unknown ones, also within the frames of an animation, and
/// what follows the container. `None` where the chunks can't be told apart, or there is no image.
pub(crate) fn strip(bytes: &[u8]) -> Option<Stripped> {
    let body = body(bytes)?;
    let mut picture = Picture::default();
    let mut out = Zeroizing::new(Vec::with_capacity(bytes.len()));
    out.extend(b"RIFF\0\0\0\0WEBP");
    let orientation = exif_of(body)?;
    picture.keep(body, orientation.is_some(), &mut out)?;
    if let Some(orientation) = orientation {
        push(&mut out, b"EXIF", &orientation.as_tiff())?;
    }
    let size = u32::try_from(out.len().checked_sub(8)?).ok()?;
    out.get_mut(4..8)?.copy_from_slice(&size.to_le_bytes());
    let (width, height) = picture.size.filter(|_| picture.has_image)?;
    Some(Stripped {
        bytes: out,
        width,
        height,
    })
}

/// The chunks.
fn body(bytes: &[u8]) -> Option<&[u8]> {
    let rest = bytes.strip_prefix(b"RIFF")?;
    let (size, rest) = rest.split_first_chunk()?;
    let container = rest.get(..usize::try_from(u32::from_le_bytes(*size)).ok()?)?;
    container.strip_prefix(b"WEBP")
}

/// How the photo is turned. Only a file that begins with `VP8X` can say so.
fn exif_of(body: &[u8]) -> Option<Option<Orientation>> {
    let mut rest = body;
    let mut is_extended = false;
    let mut orientation = None;
    let mut has_exif = false;
    while let Some((kind, data)) = take(&mut rest)? {
        is_extended |= kind == b"VP8X";
        if kind == b"EXIF" && !has_exif {
            has_exif = true;
            orientation = Orientation::of_exif(data);
        }
    }
    Some(orientation.filter(|_| is_extended))
}

/// What was found out about the picture.
#[derive(Default)]
struct Picture {
    has_image: bool,
    /// The largest width and height that any part says.
    size: Option<(u32, u32)>,
}

impl Picture {
    /// Writes the chunks that stay.
    fn keep(&mut self, mut rest: &[u8], with_exif: bool, out: &mut Vec<u8>) -> Option<()> {
        while let Some((kind, data)) = take(&mut rest)? {
            match kind {
                b"VP8X" => {
                    let mut header = *data.first_chunk::<10>()?;
                    header[0] &= !(EXIF_FLAG | XMP_FLAG);
                    if with_exif {
                        header[0] |= EXIF_FLAG;
                    }
                    let [_, _, _, _, wide @ .., h0, h1, h2] = header;
                    self.says(less_one(wide), less_one([h0, h1, h2]));
                    push(out, kind, &header)?;
                }
                b"VP8 " | b"VP8L" => {
                    let (width, height) = if kind == b"VP8 " { lossy(data)? } else { lossless(data)? };
                    self.has_image = true;
                    self.says(width, height);
                    push(out, kind, data)?;
                }
                b"ANMF" => push(out, kind, &self.frame(data)?)?,
                b"ICCP" | b"ANIM" | b"ALPH" => push(out, kind, data)?,
                _ => {}
            }
        }
        Some(())
    }

    /// One frame of an animation: its header, and the chunks in it that stay.
    fn frame(&mut self, data: &[u8]) -> Option<Vec<u8>> {
        let (header, mut rest) = data.split_at_checked(FRAME_HEADER_BYTES)?;
        let mut frame = header.to_vec();
        while let Some((kind, data)) = take(&mut rest)? {
            let size = match kind {
                b"VP8 " => Some(lossy(data)?),
                b"VP8L" => Some(lossless(data)?),
                b"ALPH" => None,
                _ => continue,
            };
            if let Some((width, height)) = size {
                self.has_image = true;
                self.says(width, height);
            }
            push(&mut frame, kind, data)?;
        }
        Some(frame)
    }

    fn says(&mut self, width: u32, height: u32) {
        let (widest, highest) = self.size.unwrap_or((width, height));
        self.size = Some((widest.max(width), highest.max(height)));
    }
}

/// The next chunk; its data is padded to an even length. `Some(None)` at the end, `None` where it is cut short.
#[allow(clippy::option_option)]
fn take<'a>(rest: &mut &'a [u8]) -> Option<Option<(&'a [u8; 4], &'a [u8])>> {
    if rest.is_empty() {
        return Some(None);
    }
    let (kind, after) = rest.split_first_chunk()?;
    let (length, after) = after.split_first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (data, after) = after.split_at_checked(length)?;
    // Some writers forget the padding of the last chunk.
    *rest = after.get(length % 2..).unwrap_or_default();
    Some(Some((kind, data)))
}

fn push(out: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) -> Option<()> {
    out.extend(kind);
    out.extend(u32::try_from(data.len()).ok()?.to_le_bytes());
    out.extend(data);
    if data.len() % 2 == 1 {
        out.push(0);
    }
    Some(())
}

/// A number of three bytes, which stands for one more.
fn less_one([first, second, third]: [u8; 3]) -> u32 {
    u32::from_le_bytes([first, second, third, 0]) + 1
}

/// Width and height out of a key frame's header (RFC 6386 section 9.1); the highest two bits of each are its scale.
fn lossy(data: &[u8]) -> Option<(u32, u32)> {
    let [_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] = *data else {
        return None;
    };
    let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
    Some((side(w0, w1), side(h0, h1)))
}

/// Width and height out of a lossless header (RFC 9649 section 3.4): 14 bits each, which stand for one more.
fn lossless(data: &[u8]) -> Option<(u32, u32)> {
    let [0x2f, b0, b1, b2, b3, ..] = *data else { return None };
    let bits = u32::from_le_bytes([b0, b1, b2, b3]);
    Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
}
