use super::*;
use proptest::prelude::*;

fn check(text: &str, expect: Result<(), IbanError>) {
    assert_eq!(
        Iban::parse(text).map(|iban| assert_eq!(iban.as_str(), text)),
        expect,
        "{text:?}"
    );
}

#[test]
fn reads_kazakhstan() {
    check("KZ86125KZT5004100100", Ok(()));
    let iban = Iban::parse("KZ86125KZT5004100100").unwrap();
    assert_eq!(
        (iban.country(), iban.bank_code().map(BankCode::value)),
        ("KZ", Some(125))
    );
}

#[test]
fn reads_the_examples_of_other_countries() {
    // Examples of the IBAN registry (ISO 13616-2).
    for text in [
        "DE89370400440532013000",
        "GB29NWBK60161331926819",
        "FR1420041010050500013M02606",
        "NO9386011117947",
        "MT84MALT011000012345MTLCAST001S",
        "TR330006100519786457841326",
        "LC55HEMM000100010012001200023015",
    ] {
        check(text, Ok(()));
        assert_eq!(Iban::parse(text).unwrap().bank_code(), None);
    }
}

#[test]
fn names_the_rule_it_refuses_by() {
    for text in [
        "",
        "K",
        "KZ8",
        "kz86125KZT5004100100",
        "KZ86 125K ZT50 0410 0100",
        "KZ86125kzt5004100100",
        "KZ8Ж",
    ] {
        check(text, Err(IbanError::Characters));
    }
    check("QQ86125KZT5004100100", Err(IbanError::CountryUnknown));
    for text in [
        "KZ86",
        "KZ86125KZT500410010",
        "KZ86125KZT50041001000",
        "DE8937040044053201300",
    ] {
        check(text, Err(IbanError::Length));
    }
    check("KZ87125KZT5004100100", Err(IbanError::CheckDigits));
    check("KZ86125KZT5004100101", Err(IbanError::CheckDigits));
}

#[test]
fn a_kz_bank_code_is_digits() {
    // Right check digits over a bank code with a letter.
    let account = "A25KZT5004100100";
    let check_digits = 98 - remainder_97(format!("{account}KZ00").bytes());
    check(
        &format!("KZ{check_digits:02}{account}"),
        Err(IbanError::BankCode),
    );
}

#[test]
fn check_digits_that_are_only_congruent_are_refused() {
    let mut seen = 0;
    for account in 0..2000 {
        let iban =
            Iban::for_kz(BankCode::parse("722").unwrap(), &format!("{account:013}")).unwrap();
        let twin = match &iban.as_str()[2..4] {
            "97" => "00",
            "98" => "01",
            "02" => "99",
            _ => continue,
        };
        check(
            &format!("KZ{twin}{}", &iban.as_str()[4..]),
            Err(IbanError::CheckDigits),
        );
        seen += 1;
    }
    assert!(seen > 30, "only {seen} such numbers");
}

#[test]
fn for_kz_refuses_what_is_not_an_account() {
    let bank = BankCode::parse("007").unwrap();
    assert_eq!(Iban::for_kz(bank, "12"), Err(IbanError::Length));
    assert_eq!(
        Iban::for_kz(bank, "KZT50041001zz"),
        Err(IbanError::Characters)
    );
}

#[test]
fn bank_codes_keep_their_zeros() {
    assert_eq!(BankCode::parse("007").unwrap().to_string(), "007");
    assert_eq!(BankCode::from_value(7), BankCode::parse("007").ok());
    assert_eq!(BankCode::from_value(1000), None);
    for text in ["", "72", "7222", "72A", "+72"] {
        assert_eq!(BankCode::parse(text), Err(IbanError::BankCode), "{text:?}");
    }
}

#[test]
fn the_table_of_countries_is_sorted() {
    assert!(LENGTHS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    assert!(LENGTHS.iter().all(|(_, length)| (15..=34).contains(length)));
}

proptest! {
    #[test]
    fn generated_numbers_are_read(bank in 0_u16..1000, account in "[A-Z0-9]{13}") {
        let bank = BankCode::from_value(bank).unwrap();
        let iban = Iban::for_kz(bank, &account).unwrap();
        prop_assert_eq!(Iban::parse(iban.as_str()), Ok(iban));
        prop_assert_eq!(iban.bank_code(), Some(bank));
        prop_assert_eq!(&iban.as_str()[7..], account);
    }

    #[test]
    fn one_wrong_digit_is_noticed(account in "[0-9]{13}", place in 2_usize..20, shift in 1_u8..10) {
        let iban = Iban::for_kz(BankCode::from_value(601).unwrap(), &account).unwrap();
        let mut bytes = iban.as_str().as_bytes().to_vec();
        bytes[place] = b'0' + (bytes[place] - b'0' + shift) % 10;
        prop_assert_eq!(Iban::parse(std::str::from_utf8(&bytes).unwrap()), Err(IbanError::CheckDigits));
    }

    #[test]
    fn two_swapped_digits_are_noticed(account in "[0-9]{13}", place in 4_usize..19) {
        let iban = Iban::for_kz(BankCode::from_value(601).unwrap(), &account).unwrap();
        let mut bytes = iban.as_str().as_bytes().to_vec();
        bytes.swap(place, place + 1);
        prop_assume!(bytes != iban.as_str().as_bytes());
        prop_assert_eq!(Iban::parse(std::str::from_utf8(&bytes).unwrap()), Err(IbanError::CheckDigits));
    }

    #[test]
    fn any_string_is_read_or_refused(text in "\\PC{0,40}", shaped in "[A-Z]{2}[0-9]{2}[A-Za-z0-9]{0,40}") {
        let _ = Iban::parse(&text);
        let _ = Iban::parse(&shaped);
        let _ = BankCode::parse(&text);
    }
}
