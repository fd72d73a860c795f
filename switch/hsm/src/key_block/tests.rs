use proptest::prelude::*;

use super::*;

const B: &str = "B0080P0TE00E000094B420079CC80BA3461F86FE26EFC4A3B8E4FA4C5F5341176EED7B727B8A248E";
const OPTIONAL: &str = "B0104B0TX12S0100KS1800604B120F9292800000BB68BE8680A400D9191AD4ECE45B6E6C0D21C4738A52190E248719E24B433627";

fn refused(text: &str) -> KeyBlockError {
    match KeyBlock::parse(text) {
        Err(error) => error,
        Ok(block) => panic!("{block:?} was taken"),
    }
}

#[test]
fn a_block_is_read_by_its_places() {
    let block = KeyBlock::parse(B).expect("the block of TR-31:2018 A.7.2.2");
    assert_eq!(block.version(), b'B');
    assert_eq!(block.usage(), KeyUsage::PinEncryption);
    assert_eq!(block.algorithm(), KeyAlgorithm::Tdes);
    assert_eq!(block.mode(), KeyMode::EncryptOnly);
    assert_eq!(block.key_version(), *b"00");
    assert_eq!(block.export(), KeyExport::Trusted);
    assert_eq!(block.header(), "B0080P0TE00E0000");
    assert_eq!(block.payload(), &B[16..]);
    assert_eq!(block.to_ref().block(), block);
}

#[test]
fn codes_that_are_not_known_stay_as_they_are() {
    let block = KeyBlock::parse(OPTIONAL).expect("the block of TR-31:2018 A.7.3.2");
    assert_eq!(block.usage(), KeyUsage::Other(*b"B0"));
    assert_eq!(block.usage().as_text(), "B0");
    assert_eq!(block.mode(), KeyMode::Other(b'X'));
    assert_eq!(block.key_version(), *b"12");
    assert_eq!(block.export(), KeyExport::Sensitive);
    assert_eq!(block.header(), &OPTIONAL[..40]);
}

#[test]
fn a_malformed_block_is_refused_at_its_place() {
    let changed = |at: usize, with: &str| {
        let mut text = B.to_owned();
        text.replace_range(at..at + with.len(), with);
        text
    };
    for (text, offset) in [
        (String::new(), 0),
        ("B0080P0TE00E000".into(), 15),
        (changed(0, "A"), 0),
        (changed(0, "C"), 0),
        (changed(1, "0081"), 1),
        (changed(1, "+080"), 1),
        (B[..78].into(), 1),
        (changed(5, "-"), 5),
        (changed(12, "x1"), 12),
        (changed(12, "17"), 12),
        // An optional block is wanted where the payload begins.
        (changed(12, "01"), 16),
        (changed(20, "g"), 20),
        (changed(20, "a"), 20),
        (
            "B0048P0TE00E000094B420079CC80BA3".to_owned() + &"0".repeat(15),
            1,
        ),
        ("B0032P0TE00E000094B420079CC80BA3".into(), 16),
        (
            "B0056P0TE00E000094B420079CC80BA3".to_owned() + &"0".repeat(24),
            16,
        ),
        (format!("B1032P0TE00E0000{}", "0".repeat(1016)), 1),
    ] {
        assert_eq!(refused(&text).offset, offset, "{text}");
    }
}

#[test]
fn optional_blocks_are_stepped_over_or_refused() {
    let with = |optional: &str, count: u8| {
        let payload = "0".repeat(64);
        let total = 16 + optional.len() + payload.len();
        format!("D{total:04}P0AE00E{count:02}00{optional}{payload}")
    };
    let long = format!("KS000210{}", "0".repeat(8));
    for (optional, count, taken) in [
        ("KS10000000000000", 1, true),
        ("KS08abcdPB080000", 2, true),
        (long.as_str(), 1, true),
        ("KS10000000000000", 2, false), // one is missing
        ("KS08abcd", 1, false),         // does not fill a block of AES
        ("KS00000000000000", 1, false), // no length
        ("KS03000000000000", 1, false), // shorter than itself
        ("KSFF000000000000", 1, false), // past the end
        ("KSx0000000000000", 1, false),
        ("KS1000000000000\u{7f}", 1, false),
    ] {
        let text = with(optional, count);
        assert_eq!(KeyBlock::parse(&text).is_ok(), taken, "{text}");
    }
}

#[test]
fn nothing_but_the_header_is_shown() {
    let key = KeyRef::parse(B).expect("a block");
    for shown in [format!("{key:?}"), format!("{:?}", key.block())] {
        assert!(shown.contains("B0080P0TE00E0000"), "{shown}");
        assert!(!shown.contains("94B4"), "{shown}");
    }
}

proptest! {
    #[test]
    fn any_text_is_taken_or_refused(text in "[BD0][0-9]{4}[ -~]{0,80}") {
        if let Ok(block) = KeyBlock::parse(&text) {
            prop_assert_eq!(block.header().len() + block.payload().len(), text.len());
            let own = block.to_ref();
            prop_assert_eq!(own.block().header(), block.header());
        }
    }
}
