use proptest::prelude::*;

use super::*;

const BASELINE: &[u8] = include_bytes!("../../tests/fixtures/baseline.jpg");
const PROGRESSIVE: &[u8] = include_bytes!("../../tests/fixtures/progressive.jpg");
const RESTART: &[u8] = include_bytes!("../../tests/fixtures/restart.jpg");
const PICTURE: &[u8] = include_bytes!("../../tests/fixtures/picture.png");
const LOSSY: &[u8] = include_bytes!("../../tests/fixtures/lossy.webp");
const LOSSLESS: &[u8] = include_bytes!("../../tests/fixtures/lossless.webp");
const ANIMATED: &[u8] = include_bytes!("../../tests/fixtures/animated.webp");
const PLAIN: &[u8] = include_bytes!("../../tests/fixtures/plain.webp");

type Strip = fn(&[u8]) -> Option<Stripped>;

const ALL: [(&str, &[u8], Strip); 8] = [
    ("baseline", BASELINE, jpeg),
    ("progressive", PROGRESSIVE, jpeg),
    ("restart", RESTART, jpeg),
    ("png", PICTURE, png),
    ("lossy", LOSSY, webp),
    ("lossless", LOSSLESS, webp),
    ("animated", ANIMATED, webp),
    ("plain", PLAIN, webp),
];

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn place(bytes: &[u8], part: &[u8]) -> usize {
    bytes.windows(part.len()).position(|window| window == part).unwrap()
}

/// An Exif that says that the picture is turned (orientation 6) and nothing else.
const TURNED: &[u8] = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";

#[test]
fn nothing_but_the_picture_and_how_it_is_turned_is_left() {
    for (name, photo, strip) in ALL.into_iter().take(7) {
        assert!(holds(photo, b"NEEDLE"), "{name} has something to take out");
        let stripped = strip(photo).unwrap();
        // The position's directory: tag 0x8825 in either byte order.
        for trace in [
            b"NEEDLE".as_slice(),
            b"GPS",
            b"adobe:ns",
            b"\x88\x25\0\x04",
            b"\x25\x88\x04\0",
            b"8BIM",
            b"MPF",
        ] {
            assert!(!holds(&stripped.bytes, trace), "{name}: {}", trace.escape_ascii());
        }
        assert!(holds(&stripped.bytes, TURNED), "{name} is still turned");
        assert_eq!((stripped.width, stripped.height), (24, 16), "{name}");
        assert!(stripped.bytes.len() < photo.len());
    }
}

#[test]
fn a_photo_that_was_stripped_is_left_as_it_is() {
    for (name, photo, strip) in ALL {
        let once = strip(photo).unwrap();
        assert_eq!(strip(&once.bytes).unwrap(), once, "{name}");
    }
    assert_eq!(*webp(PLAIN).unwrap().bytes, PLAIN, "without metadata nothing changes");
}

#[test]
fn the_picture_itself_stays_byte_for_byte() {
    for photo in [BASELINE, PROGRESSIVE, RESTART] {
        let from_first_scan = &photo[place(photo, b"\xff\xda")..];
        let film = place(from_first_scan, b"\0\0\0\x18ftyp");
        assert!(jpeg(photo).unwrap().bytes.ends_with(&from_first_scan[..film]));
        let tables = &photo[place(photo, b"\xff\xdb")..][..2 + 67];
        assert!(holds(&jpeg(photo).unwrap().bytes, tables), "quantisation");
    }
    let data = &PICTURE[place(PICTURE, b"IDAT") - 4..];
    let length = 12 + usize::try_from(u32::from_be_bytes(data[..4].try_into().unwrap())).unwrap();
    assert!(holds(&png(PICTURE).unwrap().bytes, &data[..length]));
    for (photo, kind) in [(LOSSY, b"VP8 "), (LOSSLESS, b"VP8L"), (ANIMATED, b"ANMF")] {
        let chunk = &photo[place(photo, kind)..];
        let length = usize::try_from(u32::from_le_bytes(chunk[4..8].try_into().unwrap())).unwrap();
        assert!(holds(&webp(photo).unwrap().bytes, &chunk[..8 + length]));
    }
}

#[test]
fn a_preview_within_jfif_goes_and_its_density_stays() {
    let with_preview = b"\xff\xe0\0\x13JFIF\0\x01\x02\x01\0\x48\0\x48\x01\x01RGB";
    let photo = [&BASELINE[..2], with_preview, &BASELINE[20..]].concat();
    let stripped = jpeg(&photo).unwrap();
    assert!(stripped.bytes[2..].starts_with(b"\xff\xe0\0\x10JFIF\0\x01\x02\x01\0\x48\0\x48\0\0"));
    assert!(!holds(&stripped.bytes, b"RGB"));
}

#[test]
fn metadata_between_two_scans_goes_too() {
    let first = place(PROGRESSIVE, b"\xff\xda");
    let second = first + 2 + place(&PROGRESSIVE[first + 2..], b"\xff\xda");
    let hidden = [&PROGRESSIVE[..second], b"\xff\xe1\0\x08HIDDEN", &PROGRESSIVE[second..]].concat();
    assert_eq!(jpeg(&hidden), jpeg(PROGRESSIVE));
}

#[test]
fn a_chunk_within_an_animations_frame_goes_too() {
    let frame = place(ANIMATED, b"ANMF");
    let length = u32::from_le_bytes(ANIMATED[frame + 4..frame + 8].try_into().unwrap());
    let end = frame + 8 + usize::try_from(length).unwrap();
    let mut hidden = [&ANIMATED[..end], b"hide\x06\0\0\0HIDDEN", &ANIMATED[end..]].concat();
    hidden[frame + 4..frame + 8].copy_from_slice(&(length + 14).to_le_bytes());
    let size = u32::try_from(hidden.len() - 8).unwrap();
    hidden[4..8].copy_from_slice(&size.to_le_bytes());
    assert_eq!(webp(&hidden), webp(ANIMATED));
}

#[test]
fn a_webp_says_that_it_has_an_exif_only_where_it_has_one() {
    let flags = |photo: &[u8]| photo[place(photo, b"VP8X") + 8];
    assert_eq!(flags(LOSSY) & 0x0c, 0x0c);
    assert_eq!(flags(&webp(LOSSY).unwrap().bytes) & 0x0c, 0x08);
    let mut upright = LOSSY.to_vec();
    let value = place(&upright, b"\x01\x12\0\x03\0\0\0\x01\0\x06") + 9;
    upright[value] = 1;
    let stripped = webp(&upright).unwrap().bytes;
    assert_eq!(flags(&stripped) & 0x0c, 0);
    assert!(!holds(&stripped, b"EXIF"));
}

#[test]
fn a_photo_that_is_cut_short_is_damaged() {
    for (name, photo, strip) in ALL {
        let whole = strip(photo).unwrap().bytes;
        for end in 0..whole.len() {
            assert_eq!(strip(&whole[..end]), None, "{name} cut at {end}");
        }
    }
}

#[test]
fn what_is_no_single_picture_is_damaged() {
    let frame = place(BASELINE, b"\xff\xc0");
    let twice = [&BASELINE[..frame], &BASELINE[frame..frame + 19], &BASELINE[frame..]].concat();
    assert_eq!(jpeg(&twice), None, "two frames");
    assert_eq!(jpeg(b"\xff\xd8\xff\xd9"), None, "none");
    let unknown = [&PICTURE[..33], b"\0\0\0\0CgBI\0\0\0\0", &PICTURE[33..]].concat();
    assert_eq!(png(&unknown), None, "a chunk that must be understood");
}

fn altered() -> impl Strategy<Value = (usize, Vec<(prop::sample::Index, u8)>)> {
    (
        0..ALL.len(),
        prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    /// Whatever comes out of a damaged photo holds nothing that the second look would take out.
    #[test]
    fn no_damage_makes_it_panic_and_what_comes_out_is_stable((which, changes) in altered()) {
        let (_, photo, strip) = ALL[which];
        let mut photo = photo.to_vec();
        for (place, byte) in changes {
            let place = place.index(photo.len());
            photo[place] = byte;
        }
        if let Some(once) = strip(&photo) {
            prop_assert_eq!(strip(&once.bytes), Some(once));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        for strip in [jpeg, png, webp] {
            strip(&bytes);
        }
        jpeg(&[b"\xff\xd8\xff", bytes.as_slice()].concat());
        png(&[b"\x89PNG\r\n\x1a\n", bytes.as_slice()].concat());
        webp(&[b"RIFF\xff\0\0\0WEBP", bytes.as_slice()].concat());
    }
}
