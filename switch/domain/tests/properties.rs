//! What money and identifiers promise for any value: sums and differences undo each other, what is written is read again, check digits find
//! the mistakes that they are made for, and no text whatever makes anything panic.

use proptest::prelude::*;
use torap_domain::{
    Asset, BankCode, Bic, CardService, Date, Iban, IinBin, Knp, Money, MoneyError, PartyKind,
    Phone, SectorCode, Time, Uetr,
    card::{
        ApprovalCode, Channel, InstitutionId, Mcc, MonthDay, Prefix, ResponseCode, Stan,
        Transmission,
    },
};

/// A digit and the letter behind it that a mod 97 check cannot tell from their exchange: the letter counts eleven times the digit.
const EXCHANGEABLE: [(u8, u8); 3] = [(b'1', b'B'), (b'2', b'M'), (b'3', b'X')];

fn kzt(minor: u64) -> Money {
    Money::from_minor(minor, Asset::Kzt)
}

fn iban(account: &str) -> Iban {
    let bank = BankCode::from_value(601).expect("a bank code");
    Iban::for_kz(bank, account).expect("an account")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("ASCII")
}

fn decimal(amount: Money) -> String {
    let mut out = Vec::new();
    amount.write_decimal(&mut out);
    String::from_utf8(out).expect("ASCII")
}

/// A number in a mobile range of the national plan.
fn phone() -> impl Strategy<Value = u64> {
    let ranges = [
        700, 701, 702, 705, 706, 707, 708, 747, 760, 764, 771, 775, 776, 777, 778, 785,
    ];
    (prop::sample::select(ranges.to_vec()), 0_u64..10_000_000)
        .prop_map(|(range, rest)| 70_000_000_000 + range * 10_000_000 + rest)
}

proptest! {
    #[test]
    fn sums_and_differences_undo_each_other_or_name_their_limit(a in any::<u64>(), b in any::<u64>()) {
        let (a, b) = (kzt(a), kzt(b));
        prop_assert_eq!(a.checked_add(b), b.checked_add(a));
        match a.checked_add(b) {
            Ok(sum) => {
                prop_assert_eq!(sum.checked_sub(b), Ok(a));
                prop_assert_eq!(sum.checked_sub(a), Ok(b));
                prop_assert!(sum >= a && sum >= b);
            }
            Err(error) => {
                prop_assert_eq!(error, MoneyError::Overflow);
                prop_assert!(u128::from(a.minor()) + u128::from(b.minor()) > u128::from(u64::MAX));
            }
        }
        match a.checked_sub(b) {
            Ok(rest) => prop_assert_eq!(rest.checked_add(b), Ok(a)),
            Err(error) => {
                prop_assert_eq!(error, MoneyError::Underflow);
                prop_assert!(a < b);
            }
        }
        prop_assert_eq!(a.checked_add(Money::zero(Asset::Kzt)), Ok(a));
        prop_assert!(a.checked_sub(a).is_ok_and(Money::is_zero));
    }

    #[test]
    fn sums_do_not_depend_on_their_order(amounts in prop::collection::vec(0..u64::MAX / 16, 1..16)) {
        let sum = |amounts: &[u64]| {
            amounts
                .iter()
                .try_fold(Money::zero(Asset::Kzt), |sum, minor| sum.checked_add(kzt(*minor)))
        };
        let turned: Vec<u64> = amounts.iter().rev().copied().collect();
        prop_assert!(sum(&amounts).is_ok());
        prop_assert_eq!(sum(&amounts), sum(&turned));
    }

    #[test]
    fn amounts_are_read_as_they_are_written(minor in any::<u64>(), zeros in 0_usize..4) {
        let amount = kzt(minor);
        let written = decimal(amount);
        prop_assert_eq!(Money::parse(&written, Asset::Kzt), Ok(amount));
        let padded = format!("{}{written}", "0".repeat(zeros));
        prop_assert_eq!(Money::parse(&padded, Asset::Kzt), Ok(amount));
        for wrong in [format!("{written}0"), format!("-{written}"), format!("+{written}"), format!(" {written}")] {
            prop_assert!(Money::parse(&wrong, Asset::Kzt).is_err(), "{}", wrong);
        }
    }

    #[test]
    fn an_account_with_letters_is_checked_like_one_of_digits(
        account in "[A-Z]{13}", place in 7_usize..20, shift in 1_u8..26,
    ) {
        let right = iban(&account);
        let mut bytes = right.as_bytes().to_vec();
        bytes[place] = b'A' + (bytes[place] - b'A' + shift) % 26;
        prop_assert!(Iban::parse(text(&bytes)).is_err());
    }

    #[test]
    fn neighbours_that_change_places_are_noticed_but_for_three_pairs(
        account in "[A-Z0-9]{13}", place in 7_usize..19,
    ) {
        let right = iban(&account);
        let mut bytes = right.as_bytes().to_vec();
        bytes.swap(place, place + 1);
        prop_assume!(bytes != right.as_bytes());
        let (left, other) = (bytes[place], bytes[place + 1]);
        let is_twin = EXCHANGEABLE
            .iter()
            .any(|pair| *pair == (left, other) || *pair == (other, left));
        prop_assert_eq!(Iban::parse(text(&bytes)).is_ok(), is_twin, "{}", text(&bytes));
    }

    /// Weights of neighbours differ by one, so an exchange changes the sum by the digits' difference; what the second pass makes of
    /// one of the two numbers is the rule's own gap.
    #[test]
    fn digits_of_an_iin_that_change_places_are_noticed_within_one_pass(
        prefix in 0_u64..100_000_000_000, place in 0_usize..10,
    ) {
        let first_pass = |digits: &[u8]| {
            let sum: u64 = digits[..11]
                .iter()
                .zip(1..)
                .map(|(digit, weight)| u64::from(digit - b'0') * weight)
                .sum();
            sum % 11 != 10
        };
        let Some(number) = IinBin::with_check(prefix) else { return Ok(()) };
        let written = number.to_string();
        prop_assert_eq!(written.len(), 12);
        let mut bytes = written.clone().into_bytes();
        bytes.swap(place, place + 1);
        prop_assume!(bytes != written.as_bytes());
        if first_pass(written.as_bytes()) && first_pass(&bytes) {
            prop_assert!(IinBin::parse(text(&bytes)).is_err());
        }
    }

    #[test]
    fn the_kind_of_a_number_is_its_fifth_digit(prefix in 0_u64..100_000_000_000) {
        let Some(number) = IinBin::with_check(prefix) else { return Ok(()) };
        let is_business = matches!(number.to_string().as_bytes()[4], b'4'..=b'6');
        prop_assert_eq!(number.kind() == PartyKind::Business, is_business);
    }

    #[test]
    fn every_spelling_of_a_phone_is_the_same_number(value in phone()) {
        let phone = Phone::from_value(value);
        prop_assert!(phone.is_some());
        let national = value - 70_000_000_000;
        let (area, rest) = (national / 10_000_000, national % 10_000_000);
        let (a, b) = (rest / 10_000, rest % 10_000);
        for spelling in [
            format!("+{value}"),
            format!("{value}"),
            format!("8{national}"),
            format!("{national}"),
            format!("00{value}"),
            format!("+7 ({area}) {a:03}-{b:04}"),
            format!("8.{area}.{a:03}.{b:04}"),
            format!("+7-{national}"),
        ] {
            prop_assert_eq!(Phone::parse(&spelling).ok(), phone, "{}", spelling);
        }
        prop_assert_eq!(phone.map(Phone::value), Some(value));
        // One digit more or less is another number, or none.
        for other in [format!("+{value}0"), format!("+{}", value / 10)] {
            prop_assert!(Phone::parse(&other).is_err(), "{}", other);
        }
    }

    #[test]
    fn a_bic_comes_back_and_its_branch_does_not_change_its_institution(
        code in "[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}", branch in "[A-Z0-9]{3}",
    ) {
        let head_office = Bic::parse(&code).expect("a BIC");
        let full = Bic::parse(&format!("{code}{branch}")).expect("a BIC");
        prop_assert_eq!(head_office.as_str(), code.as_str());
        prop_assert_eq!(full.institution(), code.as_str());
        prop_assert_eq!(full.country(), &code[4..6]);
        prop_assert!(full.same_institution(&head_office));
        let lower = code.to_lowercase();
        prop_assert!(Bic::parse(&lower).is_err());
    }

    #[test]
    fn a_uetr_comes_back_and_no_other_spelling_is_one(random in any::<[u8; 16]>(), place in 0_usize..36) {
        let uetr = Uetr::from_random(random);
        let written = uetr.to_string();
        prop_assert_eq!(Uetr::parse(&written), Ok(uetr));
        prop_assert_eq!(Uetr::from_bytes(uetr.bytes()), Some(uetr));
        // Version and variant are in it whatever the bytes were, and capitals are refused.
        prop_assert_eq!(&written[14..15], "4");
        let upper = written.to_uppercase();
        prop_assert_eq!(Uetr::parse(&upper).is_ok(), upper == written);
        let mut bytes = written.into_bytes();
        bytes[place] = b'g';
        prop_assert!(Uetr::parse(text(&bytes)).is_err());
    }

    #[test]
    fn codes_come_back_as_they_were_written(knp in 0_u16..1000, sector in 1_u8..10, residency in 1_u8..3) {
        let written = format!("{knp:03}");
        let code = Knp::parse(&written).expect("a KNP");
        prop_assert_eq!((code.value(), code.to_string()), (knp, written));
        let value = residency * 10 + sector;
        let code = SectorCode::parse(&value.to_string()).expect("a KBE");
        prop_assert_eq!((code.value(), code.sector()), (value, sector));
        prop_assert_eq!(code.is_resident(), residency == 1);
        prop_assert_eq!(SectorCode::from_value(value), Some(code));
    }

    #[test]
    fn numbers_of_card_messages_come_back(stan in 0_u32..1_000_000, mcc in 0_u16..10_000, prefix in "[0-9]{6,11}", institution in "[0-9]{1,11}") {
        let written = Stan::new(stan).expect("a STAN").to_string();
        prop_assert_eq!((written.len(), written.parse::<u32>().ok()), (6, Some(stan)));
        prop_assert_eq!(Mcc::new(mcc).expect("an MCC").to_string(), format!("{mcc:04}"));
        prop_assert_eq!(Prefix::parse(&prefix).expect("a prefix").to_string(), prefix);
        prop_assert_eq!(InstitutionId::parse(&institution).expect("an institution").to_string(), institution);
    }

    #[test]
    fn no_text_makes_anything_panic(any in any::<String>(), ascii in "[ -~]{0,48}", digits in "[0-9+. -]{0,40}") {
        for text in [&any, &ascii, &digits] {
            let text = text.as_str();
            let read = Money::parse(text, Asset::Kzt);
            if let Ok(amount) = read {
                prop_assert_eq!(Money::parse(&decimal(amount), Asset::Kzt), Ok(amount));
            }
            if let Ok(iban) = Iban::parse(text) {
                prop_assert_eq!(iban.as_str(), text);
            }
            if let Ok(number) = IinBin::parse(text) {
                prop_assert_eq!(number.to_string(), text);
            }
            if let Ok(phone) = Phone::parse(text) {
                prop_assert_eq!(Phone::from_value(phone.value()), Some(phone));
            }
            if let Ok(bic) = Bic::parse(text) {
                prop_assert_eq!(bic.as_str(), text);
            }
            if let Ok(uetr) = Uetr::parse(text) {
                prop_assert_eq!(uetr.to_string(), text);
            }
            if let Ok(code) = Knp::parse(text) {
                prop_assert_eq!(code.to_string(), text);
            }
            if let Ok(code) = SectorCode::parse(text) {
                prop_assert_eq!(code.to_string(), text);
            }
            let _ = (BankCode::parse(text), Time::parse(text), Date::parse(text));
            let _ = (Prefix::parse(text), InstitutionId::parse(text));
            let _ = (CardService::from_name(text), Channel::from_name(text));
            let bytes = text.as_bytes();
            let _ = (ApprovalCode::parse(bytes), ResponseCode::parse(bytes));
            let _ = (MonthDay::parse(bytes), Transmission::parse(bytes));
        }
    }
}
