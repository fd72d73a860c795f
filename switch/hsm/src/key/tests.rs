use super::*;

#[test]
fn every_code_survives() {
    for code in 0..=u8::MAX {
        assert_eq!(KeyAlgorithm::from_code(code).code(), code);
        assert_eq!(KeyMode::from_code(code).code(), code);
        assert_eq!(KeyExport::from_code(code).code(), code);
        assert_eq!(KeyUsage::from_code([code, b'0']).code(), [code, b'0']);
    }
    let usages: Vec<String> = KeyUsage::ALL.iter().map(KeyUsage::as_text).collect();
    assert_eq!(usages, ["K0", "K1", "M3", "M6", "P0", "V2"]);
    assert_eq!(KeyUsage::Other([0, b'0']).as_text(), "??");
}

#[test]
fn modes_allow_what_they_name() {
    // encrypts, decrypts, generates, verifies
    for (letter, allowed) in [
        (b'B', "xx.."),
        (b'C', "..xx"),
        (b'D', ".x.."),
        (b'E', "x..."),
        (b'G', "..x."),
        (b'N', "xxxx"),
        (b'V', "...x"),
        (b'X', "...."),
    ] {
        let mode = KeyMode::from_code(letter);
        let own = [
            mode.encrypts(),
            mode.decrypts(),
            mode.generates(),
            mode.verifies(),
        ];
        let own: String = own
            .map(|yes| if yes { 'x' } else { '.' })
            .into_iter()
            .collect();
        assert_eq!(own, allowed, "{mode:?}");
    }
}

#[test]
fn a_check_value_has_3_to_5_bytes() {
    for length in 0..8 {
        let value = CheckValue::from_bytes(&vec![0xA5; length]);
        assert_eq!(value.is_some(), (3..=5).contains(&length), "{length}");
        if let Some(value) = value {
            assert_eq!(value.to_string(), "A5".repeat(length));
        }
    }
}
