use super::*;

const FORMATS: [PinFormat; 6] = [
    PinFormat::Iso0,
    PinFormat::Iso1,
    PinFormat::Other(2),
    PinFormat::Iso3,
    PinFormat::Iso4,
    PinFormat::Other(5),
];

#[test]
fn the_whole_table_of_translations() {
    // Row: from 0, 1, 2, 3, 4, 5. Column: to the same.
    const ALLOWED: [&str; 6] = ["x..xx.", "x..xx.", "......", "x..xx.", "x..xx.", "......"];
    for (from, row) in FORMATS.iter().zip(ALLOWED) {
        for (to, mark) in FORMATS.iter().zip(row.chars()) {
            assert_eq!(may_translate(*from, *to), mark == 'x', "{from:?} to {to:?}");
        }
    }
}

#[test]
fn only_8_or_16_bytes_are_a_block() {
    for length in 0..=20 {
        let block = PinBlock::from_bytes(&vec![0xA5; length]);
        assert_eq!(block.is_some(), length == 8 || length == 16, "{length}");
        if let Some(block) = block {
            assert_eq!(block.as_bytes(), vec![0xA5; length]);
        }
    }
}

#[test]
fn pvv_takes_digits_only() {
    assert!(Pvv::new(9, *b"0123").is_some());
    assert!(Pvv::new(10, *b"0123").is_none());
    assert!(Pvv::new(1, *b"01a3").is_none());
}

#[test]
fn nothing_secret_is_shown() {
    let block = PinBlock::from_bytes(&[0xA5; 8]);
    assert_eq!(format!("{block:?}"), "Some(PinBlock(8 bytes))");
    let pvv = Pvv::new(1, *b"9876");
    assert_eq!(format!("{pvv:?}"), "Some(Pvv(index 1))");
}
