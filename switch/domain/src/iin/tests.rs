use super::*;
use proptest::prelude::*;

fn check(text: &str, expect: Result<PartyKind, IinBinError>) {
    assert_eq!(IinBin::parse(text).map(IinBin::kind), expect, "{text:?}");
}

/// The rule written out once more, the plain way.
fn expected_check(prefix: &[u32]) -> Option<u32> {
    let first: u32 = prefix
        .iter()
        .enumerate()
        .map(|(place, digit)| digit * (place as u32 + 1))
        .sum();
    let second: u32 = prefix
        .iter()
        .enumerate()
        .map(|(place, digit)| digit * ((place as u32 + 2) % 11 + 1))
        .sum();
    [first % 11, second % 11].into_iter().find(|sum| *sum != 10)
}

#[test]
fn reads_both_kinds() {
    // 9·1 + 0 + 0 + 1·4 + 0 + 1·6 + 3·7 + 0 + 0 + 0 + 0 = 40, 40 mod 11 = 7.
    check("900101300007", Ok(PartyKind::Individual));
    // 1·1 + 2·2 + 0 + 5·4 + 4·5 + 0 + … + 1·11 = 56, 56 mod 11 = 1.
    check("120540000011", Ok(PartyKind::Business));
}

#[test]
fn the_fifth_digit_tells_the_kind() {
    for fifth in 0..10_u64 {
        let number = (0..100)
            .find_map(|tail| IinBin::with_check(1_200_000_000 + fifth * 1_000_000 + tail))
            .unwrap();
        let expect = if (4..=6).contains(&fifth) {
            PartyKind::Business
        } else {
            PartyKind::Individual
        };
        assert_eq!(number.kind(), expect, "{number}");
    }
}

#[test]
fn names_the_rule_it_refuses_by() {
    for text in ["", "90010130000", "9001013000071", "90010130000Ж"] {
        check(text, Err(IinBinError::Length));
    }
    for text in [
        "90010130000A",
        "900101 30000",
        "-90010130000",
        "9001013000Ж",
    ] {
        check(text, Err(IinBinError::Characters));
    }
    check("900101300008", Err(IinBinError::CheckDigit));
    assert_eq!(
        IinBin::from_value(1_000_000_000_000),
        Err(IinBinError::Length)
    );
    assert_eq!(IinBin::from_value(u64::MAX), Err(IinBinError::Length));
    assert_eq!(IinBin::with_check(100_000_000_000), None);
}

#[test]
fn the_second_pass_and_the_numbers_never_issued() {
    let (mut second_passes, mut never_issued) = (0, 0);
    for prefix in 90_010_130_000..90_010_135_000_u64 {
        let digits: Vec<u32> = prefix
            .to_string()
            .bytes()
            .map(|byte| u32::from(byte - b'0'))
            .collect();
        let first: u32 = digits
            .iter()
            .zip(1..)
            .map(|(digit, weight)| digit * weight)
            .sum();
        let made = IinBin::with_check(prefix);
        assert_eq!(
            made.map(|number| (number.value() % 10) as u32),
            expected_check(&digits),
            "{prefix}"
        );
        match made {
            Some(number) if first % 11 == 10 => {
                second_passes += 1;
                check(&number.to_string(), Ok(PartyKind::Individual));
            }
            Some(_) => {}
            None => {
                never_issued += 1;
                for last in 0..10 {
                    check(&format!("{prefix}{last}"), Err(IinBinError::NeverIssued));
                }
            }
        }
    }
    assert!(
        second_passes > 300 && never_issued > 20,
        "{second_passes} {never_issued}"
    );
}

#[test]
fn leading_zeros_are_kept() {
    let number = (0..100)
        .find_map(|tail| IinBin::with_check(101_300_000 + tail))
        .unwrap();
    assert_eq!(number.to_string().len(), 12);
    assert_eq!(IinBin::parse(&number.to_string()), Ok(number));
}

proptest! {
    #[test]
    fn generated_numbers_are_read_and_any_wrong_digit_but_its_twins_is_noticed(
        prefix in 0_u64..PREFIX_END, place in 0_usize..12, shift in 1_u8..10,
    ) {
        let Some(number) = IinBin::with_check(prefix) else { return Ok(()) };
        let text = number.to_string();
        prop_assert_eq!(IinBin::parse(&text), Ok(number));
        prop_assert_eq!(IinBin::from_value(number.value()), Ok(number));
        let mut bytes = text.into_bytes();
        bytes[place] = b'0' + (bytes[place] - b'0' + shift) % 10;
        let changed = String::from_utf8(bytes).unwrap();
        let digits: Vec<u32> = changed.bytes().map(|byte| u32::from(byte - b'0')).collect();
        let right = expected_check(&digits[..11]) == Some(digits[11]);
        prop_assert_eq!(IinBin::parse(&changed).is_ok(), right);
        // The check digit itself has no twin.
        prop_assert!(place < 11 || !right);
    }

    #[test]
    fn any_string_is_read_or_refused(text in "\\PC{0,14}", digits in "[0-9]{12}") {
        let _ = IinBin::parse(&text);
        if let Ok(number) = IinBin::parse(&digits) {
            prop_assert_eq!(number.to_string(), digits);
        }
    }
}
