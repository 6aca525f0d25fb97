//! PNG: chunks (W3C Portable Network Graphics, third edition, section 11).

use zeroize::Zeroizing;

use super::Stripped;
use super::exif::Orientation;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The length of a header chunk's data.
const HEADER_BYTES: usize = 13;

/// What a decoder needs, but header and end: palette, data, transparency, colours, sizes of pixels, and animation.
const KEPT: [&[u8; 4]; 18] = [
    b"PLTE", b"IDAT", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"bKGD",
    b"hIST", b"pHYs", b"sPLT", b"acTL", b"fcTL", b"fdAT",
];

/// Takes out all chunks that a decoder does not need: texts (`tEXt`, `zTXt`, `iTXt` with XMP in it), `eXIf`, `tIME`, private
/// ones, and what follows the end. `None` where the chunks can't be told apart, one that must be understood is not, or the
/// image is cut short.
pub(crate) fn strip(bytes: &[u8]) -> Option<Stripped> {
    let mut rest = bytes.strip_prefix(SIGNATURE)?;
    let header = Chunk::take(&mut rest)?;
    if header.kind != b"IHDR" || header.data.len() != HEADER_BYTES {
        return None;
    }
    let mut orientation = None;
    let mut has_exif = false;
    let mut kept = Vec::new();
    loop {
        let chunk = Chunk::take(&mut rest)?;
        match chunk.kind {
            b"IEND" => break,
            b"eXIf" if !has_exif => {
                has_exif = true;
                orientation = Orientation::of_exif(chunk.data);
            }
            kind if KEPT.contains(&kind) => kept.push(chunk),
            kind if is_critical(*kind) => return None,
            _ => {}
        }
    }
    if !kept.iter().any(|chunk| chunk.kind == b"IDAT") {
        return None;
    }
    let mut out = Zeroizing::new(Vec::with_capacity(bytes.len()));
    out.extend(SIGNATURE);
    out.extend(header.whole);
    if let Some(orientation) = orientation {
        push(&mut out, b"eXIf", &orientation.as_tiff())?;
    }
    kept.iter().for_each(|chunk| out.extend(chunk.whole));
    push(&mut out, b"IEND", &[])?;
    let (width, height) = header.data.split_at_checked(4)?;
    Some(Stripped {
        bytes: out,
        width: u32::from_be_bytes(*width.first_chunk()?),
        height: u32::from_be_bytes(*height.first_chunk()?),
    })
}

/// Whether a decoder must understand the chunk: its name begins with a capital (section 5.4).
const fn is_critical(kind: [u8; 4]) -> bool {
    kind[0] & 0x20 == 0
}

struct Chunk<'a> {
    kind: &'a [u8; 4],
    data: &'a [u8],
    /// With its length and checksum. A wrong checksum is left for the decoder to find.
    whole: &'a [u8],
}

impl<'a> Chunk<'a> {
    fn take(rest: &mut &'a [u8]) -> Option<Self> {
        let length = usize::try_from(u32::from_be_bytes(*rest.first_chunk()?)).ok()?;
        let (whole, after) = rest.split_at_checked(length.checked_add(12)?)?;
        *rest = after;
        Some(Self {
            kind: whole.get(4..8)?.first_chunk()?,
            data: whole.get(8..8 + length)?,
            whole,
        })
    }
}

/// Writes a chunk: its length, its name, its data, and the checksum of the last two.
fn push(out: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) -> Option<()> {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(kind);
    checksum.update(data);
    out.extend(u32::try_from(data.len()).ok()?.to_be_bytes());
    out.extend(kind);
    out.extend(data);
    out.extend(checksum.finalize().to_be_bytes());
    Some(())
}
