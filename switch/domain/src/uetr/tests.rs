use super::*;
use proptest::prelude::*;

fn check(text: &str, expect: Result<(), UetrError>) {
    assert_eq!(
        Uetr::parse(text).map(|uetr| assert_eq!(uetr.to_string(), text)),
        expect,
        "{text:?}"
    );
}

#[test]
fn reads_what_the_schema_allows() {
    check("8a562c67-ca16-48ba-b074-65581be6f001", Ok(()));
    check("00000000-0000-4000-8000-000000000000", Ok(()));
    check("ffffffff-ffff-4fff-bfff-ffffffffffff", Ok(()));
    let bytes = Uetr::parse("00112233-4455-4677-8899-aabbccddeeff")
        .unwrap()
        .bytes();
    assert_eq!(
        bytes,
        [
            0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x46, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd,
            0xee, 0xff
        ]
    );
}

#[test]
fn names_the_rule_it_refuses_by() {
    for text in [
        "",
        "8a562c67-ca16-48ba-b074-65581be6f00",
        "{8a562c67-ca16-48ba-b074-65581be6f001}",
    ] {
        check(text, Err(UetrError::Length));
    }
    for text in [
        "8A562c67-ca16-48ba-b074-65581be6f001",
        "8a562c67ca16-48ba-b074-65581be6f001-",
        "8a562c67_ca16_48ba_b074_65581be6f001",
        "8a562c67-ca16-48ba-b074-65581be6f0Ж",
    ] {
        check(text, Err(UetrError::Characters));
    }
    for text in [
        "8a562c67-ca16-18ba-b074-65581be6f001",
        "8a562c67-ca16-48ba-7074-65581be6f001",
        "8a562c67-ca16-48ba-c074-65581be6f001",
        "00000000-0000-0000-0000-000000000000",
    ] {
        check(text, Err(UetrError::Version));
    }
}

proptest! {
    #[test]
    fn random_bytes_make_a_uetr_that_round_trips(random: [u8; 16]) {
        let uetr = Uetr::from_random(random);
        prop_assert_eq!(Uetr::parse(&uetr.to_string()), Ok(uetr));
        prop_assert_eq!(Uetr::from_bytes(uetr.bytes()), Some(uetr));
        let changed = (0..16).filter(|place| uetr.bytes()[*place] != random[*place]);
        prop_assert!(changed.into_iter().all(|place| place == 6 || place == 8));
    }

    #[test]
    fn any_string_is_read_or_refused(text in "\\PC{0,40}", shaped in "[0-9a-f-]{36}") {
        let _ = Uetr::parse(&text);
        let _ = Uetr::parse(&shaped);
    }
}
