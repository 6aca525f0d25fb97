//! JPEG: markers and segments (ITU-T T.81 annex B, JFIF 1.02, Exif).

use zeroize::Zeroizing;

use super::Stripped;
use super::exif::{EXIF_PREFIX, Orientation};

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const APP0: u8 = 0xe0;
const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;
const APP14: u8 = 0xee;

/// JFIF's segment up to the size of its preview, which is left out.
const JFIF_BYTES: usize = 12;

/// Adobe's segment, which says how colours are coded; decoders need it.
const ADOBE_BYTES: usize = 12;

/// Takes out all segments that a decoder does not need, and what follows the end of the image: the film of a moving photo, the
/// pictures of a multi-picture file. `None` where the segments can't be told apart, the image is cut short, or it has none or
/// more than one frame.
pub(crate) fn strip(bytes: &[u8]) -> Option<Stripped> {
    let mut reader = Reader {
        rest: bytes.strip_prefix(&[0xff, SOI])?,
    };
    let mut kept = Kept::default();
    loop {
        match reader.marker()? {
            EOI => return kept.finish(bytes.len()),
            // They stand alone: no length follows. Outside of a scan they say nothing.
            0x01 | 0xd0..=0xd7 => {}
            marker => kept.segment(marker, reader.payload()?, &mut reader)?,
        }
    }
}

/// The segments that stay, in their order.
#[derive(Default)]
struct Kept<'a> {
    jfif: Option<&'a [u8]>,
    orientation: Option<Orientation>,
    has_exif: bool,
    frame: Option<(u16, u16)>,
    has_scan: bool,
    others: Vec<(u8, &'a [u8], &'a [u8])>,
}

impl<'a> Kept<'a> {
    /// Keeps a segment or drops it. A scan's data is read after it.
    fn segment(&mut self, marker: u8, payload: &'a [u8], reader: &mut Reader<'a>) -> Option<()> {
        match marker {
            // Huffman tables, arithmetic conditioning, quantisation tables, restart interval.
            0xc4 | 0xcc | 0xdb | 0xdd => self.others.push((marker, payload, &[])),
            // JPEG's reserved marker is no frame.
            0xc8 => return None,
            0xc0..=0xcf => {
                let frame = dimensions(payload)?;
                if self.frame.replace(frame).is_some() {
                    return None;
                }
                self.others.push((marker, payload, &[]));
            }
            SOS => {
                self.frame?;
                self.has_scan = true;
                self.others.push((marker, payload, reader.scan()?));
            }
            APP0 if payload.starts_with(b"JFIF\0") && self.jfif.is_none() => {
                self.jfif = payload.get(..JFIF_BYTES);
            }
            APP1 if payload.starts_with(EXIF_PREFIX) && !self.has_exif => {
                self.has_exif = true;
                self.orientation = Orientation::of_exif(payload);
            }
            APP2 if payload.starts_with(b"ICC_PROFILE\0") => self.others.push((marker, payload, &[])),
            APP14 if payload.starts_with(b"Adobe") => {
                self.others.push((marker, payload.get(..ADOBE_BYTES)?, &[]));
            }
            // A line count after the scan (only heights of 0 need it, and they are refused), applications', extensions'
            // and comments.
            0xdc | 0xe0..=0xfe => {}
            // A second image, a pyramid of images, reserved.
            _ => return None,
        }
        Some(())
    }

    fn finish(self, capacity: usize) -> Option<Stripped> {
        let (width, height) = self.frame.filter(|_| self.has_scan)?;
        let mut out = Zeroizing::new(Vec::with_capacity(capacity));
        out.extend([0xff, SOI]);
        if let Some(jfif) = self.jfif {
            push(&mut out, APP0, &[jfif, &[0, 0]])?;
        }
        if let Some(orientation) = self.orientation {
            push(&mut out, APP1, &[EXIF_PREFIX, &orientation.as_tiff()])?;
        }
        for (marker, payload, scan) in self.others {
            push(&mut out, marker, &[payload])?;
            out.extend(scan);
        }
        out.extend([0xff, EOI]);
        Some(Stripped {
            bytes: out,
            width: width.into(),
            height: height.into(),
        })
    }
}

/// Width and height out of a frame header: after the precision, height first.
fn dimensions(frame: &[u8]) -> Option<(u16, u16)> {
    let [_, high, low, wide, narrow, ..] = *frame else {
        return None;
    };
    Some((u16::from_be_bytes([wide, narrow]), u16::from_be_bytes([high, low])))
}

/// Writes a segment; its length counts itself.
fn push(out: &mut Vec<u8>, marker: u8, parts: &[&[u8]]) -> Option<()> {
    let length = 2 + parts.iter().map(|part| part.len()).sum::<usize>();
    out.extend([0xff, marker]);
    out.extend(u16::try_from(length).ok()?.to_be_bytes());
    parts.iter().for_each(|part| out.extend(*part));
    Some(())
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    /// The next marker's second byte. Any number of 0xff may stand before it.
    fn marker(&mut self) -> Option<u8> {
        let fill = self.rest.iter().take_while(|byte| **byte == 0xff).count();
        let marker = *self.take(fill + 1)?.last()?;
        (fill > 0 && marker != 0).then_some(marker)
    }

    fn payload(&mut self) -> Option<&'a [u8]> {
        let [high, low] = *self.take(2)? else { return None };
        self.take(usize::from(u16::from_be_bytes([high, low])).checked_sub(2)?)
    }

    /// The coded data of a scan, up to the next marker. Within it a 0xff is followed by a zero, or by a restart marker.
    fn scan(&mut self) -> Option<&'a [u8]> {
        let mut end = 0;
        loop {
            end += self.rest.get(end..)?.iter().position(|byte| *byte == 0xff)?;
            match self.rest.get(end + 1)? {
                0 | 0xd0..=0xd7 => end += 2,
                0xff => end += 1,
                _ => return self.take(end),
            }
        }
    }
}
