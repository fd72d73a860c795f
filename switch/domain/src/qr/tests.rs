use super::*;
use crate::money::Asset;
use proptest::prelude::*;

fn merchant() -> MerchantAccount {
    MerchantAccount {
        bank: Bic::parse("CASPKZKA").unwrap(),
        iban: Iban::parse("KZ86125KZT5004100100").unwrap(),
        merchant_id: Text::try_from("M-0001").unwrap(),
        bin: None,
    }
}

fn dynamic() -> QrCode {
    let expiry = Time::parse("2026-11-21T09:20:00+05:00").unwrap();
    let order = (QrId::parse("Q-42").unwrap(), Money::kzt(1_525_050), expiry);
    QrCode::new_dynamic(merchant(), 5411, "Dyken", "Almaty", order).unwrap()
}

/// A code of the fields given as text, with a right CRC.
fn with_crc(fields: &[&str]) -> String {
    let mut text = fields.concat();
    text.push_str("6304");
    let crc = crc16(text.as_bytes());
    format!("{text}{crc:04X}")
}

const FORMAT: &str = "000201";
const STATIC: &str = "010211";
const ACCOUNT: &str = "26600011kz.torap.qr0108CASPKZKA0220KZ86125KZT50041001000305M-001";

/// A code with one part replaced; the rest is right.
fn changed(from: &str, to: &str) -> String {
    let whole = [
        FORMAT,
        STATIC,
        ACCOUNT,
        "52045411",
        "5303398",
        "5802KZ",
        "5905Dyken",
        "6006Almaty",
    ];
    let parts: Vec<&str> = whole
        .iter()
        .map(|part| if *part == from { to } else { part })
        .collect();
    assert!(
        from.is_empty() || whole.contains(&from),
        "{from} is no part"
    );
    with_crc(&parts)
}

fn check(code: &str, expect: Result<(), (&str, QrRule)>) {
    let found = QrCode::decode(code)
        .map(|_| ())
        .map_err(|error| (error.path.to_string(), error.rule));
    assert_eq!(
        found,
        expect.map_err(|(path, rule)| (path.to_owned(), rule)),
        "{code}"
    );
}

#[test]
fn crc_is_ccitt_false() {
    assert_eq!(crc16(b"123456789"), 0x29b1);
    assert_eq!(crc16(b""), 0xffff);
}

#[test]
fn a_static_code_to_the_character() {
    let code = QrCode::new_static(merchant(), 5411, "Dyken", "Almaty", None).unwrap();
    let account = "26610011kz.torap.qr0108CASPKZKA0220KZ86125KZT50041001000306M-0001";
    let expect = format!("000201010211{account}5204541153033985802KZ5905Dyken6006Almaty6304");
    assert_eq!(code.encode(), format!("{expect}8228"));
    assert_eq!(QrCode::decode(&code.encode()), Ok(code));
}

#[test]
fn a_dynamic_code_to_the_character() {
    let code = dynamic();
    let account = "26610011kz.torap.qr0108CASPKZKA0220KZ86125KZT50041001000306M-0001";
    let order = "80370011kz.torap.qr0104Q-4202101795234800";
    let expect = format!(
        "000201010212{account}520454115303398540815250.505802KZ5905Dyken6006Almaty{order}6304"
    );
    assert_eq!(code.encode(), format!("{expect}E299"));
    assert_eq!(QrCode::decode(&code.encode()), Ok(code));
}

#[test]
fn lengths_count_characters_and_the_crc_counts_bytes() {
    let mut fields = dynamic().fields().clone();
    fields.name = "Дүкен".to_owned();
    fields.language = Some(LanguageTemplate {
        language: Text::try_from("kk").unwrap(),
        name: "«Наурыз» дүкені".to_owned(),
        city: Some("Қызылорда".to_owned()),
    });
    let code = QrCode::new(fields).unwrap();
    let text = code.encode();
    assert!(text.contains("5905Дүкен"), "{text}");
    assert!(
        text.contains("64380002kk0115«Наурыз» дүкені0209Қызылорда"),
        "{text}"
    );
    assert_eq!(
        text[text.len() - 4..],
        format!("{:04X}", crc16(&text.as_bytes()[..text.len() - 4]))
    );
    assert_eq!(QrCode::decode(&text), Ok(code));
}

#[test]
fn the_code_of_another_scheme_is_read_as_far_as_its_crc() {
    // The example of the EMVCo specification, annex A.
    let code = "00020101021229300012D156000000000510A93FO3230Q31280012D15600000001030812345678520441115802CN\
                5914BEST TRANSPORT6007BEIJING64200002ZH0104最佳运输0202北京540523.72530315655020162330304\
                12340603***0708A60086670902ME91320016A0112233449988770708123456786304A13A";
    check(code, Err(("tag 26", QrRule::SchemeMissing)));
    check(
        &code.replace("A13A", "A13B"),
        Err(("tag 63", QrRule::CrcMismatch)),
    );
}

#[test]
fn unknown_fields_are_carried_along() {
    let account = "26670011kz.torap.qr0108CASPKZKA0220KZ86125KZT50041001000305M-0019903abc";
    let code = with_crc(&[
        FORMAT,
        STATIC,
        account,
        "52045411",
        "5303398",
        "550201",
        "5802KZ",
        "5905Dyken",
        "6006Almaty",
        "6106050000",
        "62080704T001",
    ]);
    let read = QrCode::decode(&code).unwrap();
    let unknown: Vec<(Level, u8, &str)> = read
        .fields()
        .unknown
        .iter()
        .map(|field| (field.level, field.tag, field.value.as_str()))
        .collect();
    assert_eq!(
        unknown,
        [
            (Level::Root, 55, "01"),
            (Level::Root, 61, "050000"),
            (Level::Root, 62, "0704T001"),
            (Level::Account, 99, "abc")
        ]
    );
    assert_eq!(read.encode(), code);
}

#[test]
fn the_template_stands_beside_those_of_other_schemes() {
    let other = "26120008com.visa";
    let ours = ACCOUNT.replacen("26", "27", 1);
    let code = changed(ACCOUNT, &format!("{other}{ours}"));
    let read = QrCode::decode(&code).unwrap();
    assert_eq!(read.fields().merchant.merchant_id.as_str(), "M-001");
    assert_eq!(read.encode(), code);
    check(
        &changed(ACCOUNT, &format!("{ACCOUNT}{ours}")),
        Err(("tag 27", QrRule::SchemeTwice)),
    );
    check(
        &changed(ACCOUNT, other),
        Err(("tag 26", QrRule::SchemeMissing)),
    );
}

#[test]
fn a_code_without_point_of_initiation_is_static() {
    let read = QrCode::decode(&changed(STATIC, "")).unwrap();
    assert_eq!(read.fields().initiation, Initiation::Static);
    assert_eq!(read.encode(), changed("", ""));
}

#[test]
fn names_tag_and_rule_of_every_refusal() {
    check(&changed("", ""), Ok(()));
    check("", Err(("tag 00", QrRule::FormatFirst)));
    check(&"0".repeat(513), Err(("the code", QrRule::TooLong)));
    check("0A0201", Err(("the code", QrRule::Tag)));
    check("0002016", Err(("the code", QrRule::Tag)));
    check("000201591", Err(("tag 59", QrRule::Length)));
    check("0002015900", Err(("tag 59", QrRule::Length)));
    check("00020159-1", Err(("tag 59", QrRule::Length)));
    check("0002015905Dyke", Err(("tag 59", QrRule::Truncated)));
    check("0002015905Dy\nen", Err(("tag 59", QrRule::Characters)));
    check("000201000201", Err(("tag 00", QrRule::Duplicate)));
    check(
        &with_crc(&[STATIC, FORMAT]),
        Err(("tag 00", QrRule::FormatFirst)),
    );
    check(&with_crc(&["000202"]), Err(("tag 00", QrRule::FormatFirst)));
    check("000201", Err(("tag 63", QrRule::CrcLast)));
    check("0002016303ABC", Err(("tag 63", QrRule::CrcLast)));
    check("0002016304ABCD5905Dyken", Err(("tag 63", QrRule::CrcLast)));
    check(
        &changed("", "").to_ascii_lowercase(),
        Err(("tag 63", QrRule::CrcMismatch)),
    );
    check(
        &changed(STATIC, "010213"),
        Err(("tag 01", QrRule::Initiation)),
    );
    check(&changed("52045411", ""), Err(("tag 52", QrRule::Missing)));
    check(
        &changed("52045411", "5203541"),
        Err(("tag 52", QrRule::Mcc)),
    );
    check(
        &changed("52045411", "520454I1"),
        Err(("tag 52", QrRule::Mcc)),
    );
    check(
        &changed("5303398", "5303840"),
        Err(("tag 53", QrRule::Currency)),
    );
    for amount in [
        "0.00",
        "0",
        "1.005",
        "1,00",
        "-1.00",
        ".50",
        "12345678901234",
    ] {
        let field = format!("530339854{:02}{amount}", amount.len());
        check(&changed("5303398", &field), Err(("tag 54", QrRule::Amount)));
    }
    check(
        &changed("5802KZ", "5802RU"),
        Err(("tag 58", QrRule::Country)),
    );
    check(&changed("5905Dyken", ""), Err(("tag 59", QrRule::Missing)));
    check(
        &changed("5905Dyken", "5926ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        Err(("tag 59", QrRule::ValueLength)),
    );
    check(
        &changed("6006Almaty", "6016ABCDEFGHIJKLMNOP"),
        Err(("tag 60", QrRule::ValueLength)),
    );
    check(
        &changed("6006Almaty", "6006Almaty64130002KK0103abc"),
        Err(("tag 64.00", QrRule::Language)),
    );
    check(
        &changed("6006Almaty", "6006Almaty64060002kk"),
        Err(("tag 64.01", QrRule::Missing)),
    );
}

#[test]
fn names_tag_and_rule_inside_the_account() {
    let account = |from: &str, to: &str| {
        let value = ACCOUNT[4..].replacen(from, to, 1);
        changed(ACCOUNT, &format!("26{:02}{value}", value.chars().count()))
    };
    check(&account("", ""), Ok(()));
    check(&account("CASPKZKA", "CASPKZ7A"), Ok(()));
    check(
        &account("CASPKZKA", "caspkzka"),
        Err(("tag 26.01", QrRule::Bank)),
    );
    check(&account("KZ86", "KZ87"), Err(("tag 26.02", QrRule::Iban)));
    check(
        &account("0305M-001", ""),
        Err(("tag 26.03", QrRule::Missing)),
    );
    check(
        &account("0305M-001", "0305M-00Ж"),
        Err(("tag 26.03", QrRule::Characters)),
    );
    check(
        &account("0305M-001", "0316ABCDEFGHIJKLMNOP"),
        Err(("tag 26.03", QrRule::ValueLength)),
    );
    check(&account("0305M-001", "0305M-0010412120540000011"), Ok(()));
    check(
        &account("0305M-001", "0305M-0010412120540000012"),
        Err(("tag 26.04", QrRule::Bin)),
    );
    check(
        &account("0305M-001", "0305M-0010305M-002"),
        Err(("tag 26.03", QrRule::Duplicate)),
    );
    check(
        &account("0305M-001", "0306M-001"),
        Err(("tag 26.03", QrRule::Truncated)),
    );
}

#[test]
fn a_dynamic_code_is_complete() {
    let order = |value: &str| {
        let amount = "5303398540510.00";
        let order = format!("6006Almaty80{:02}0011kz.torap.qr{value}", value.len() + 15);
        with_crc(&[
            FORMAT,
            "010212",
            ACCOUNT,
            "52045411",
            amount,
            "5802KZ",
            "5905Dyken",
            &order,
        ])
    };
    check(&order("0104Q-4202101795234800"), Ok(()));
    check(
        &order("02101795234800"),
        Err(("tag 80.01", QrRule::DynamicIncomplete)),
    );
    check(
        &order("0104Q-42"),
        Err(("tag 80.02", QrRule::DynamicIncomplete)),
    );
    check(
        &order("0104Q-4<02101795234800"),
        Err(("tag 80.01", QrRule::Identifier)),
    );
    for expiry in ["179523480A", "0795234800", "18446744074"] {
        let value = format!("0104Q-4202{:02}{expiry}", expiry.len());
        check(&order(&value), Err(("tag 80.02", QrRule::Expiry)));
    }
    check(
        &changed(STATIC, "010212"),
        Err(("tag 54", QrRule::DynamicIncomplete)),
    );
    let expiring = changed("6006Almaty", "6006Almaty80290011kz.torap.qr02101795234800");
    check(
        &expiring,
        Err(("tag 80.01", QrRule::ExpiryWithoutIdentifier)),
    );
}

#[test]
fn offsets_count_characters() {
    let code = changed("5905Dyken", "5905Дүкен").replace("6006Almaty", "6006Almat\u{7}");
    let error = QrCode::decode(&code).unwrap_err();
    assert_eq!(
        (error.path.to_string(), error.rule),
        ("tag 60".to_owned(), QrRule::Characters)
    );
    let expect = code
        .chars()
        .collect::<String>()
        .split("Almat")
        .next()
        .unwrap()
        .chars()
        .count();
    assert_eq!(error.offset, expect);
    assert_eq!(
        error.to_string(),
        format!("tag 60 at character {expect}: the value has a character its field does not allow")
    );
}

#[test]
fn new_refuses_what_would_not_read_back() {
    let with = |change: fn(&mut QrFields)| {
        let mut fields = dynamic().fields().clone();
        change(&mut fields);
        QrCode::new(fields)
            .map(|_| ())
            .map_err(|error| (error.path.to_string(), error.rule))
    };
    let refused = |path: &str, rule| Err((path.to_owned(), rule));
    assert_eq!(with(|_| {}), Ok(()));
    assert_eq!(
        with(|fields| fields.name.clear()),
        refused("tag 59", QrRule::ValueLength)
    );
    assert_eq!(
        with(|fields| fields.name = "x".repeat(100)),
        refused("tag 59", QrRule::ValueLength)
    );
    assert_eq!(
        with(|fields| fields.city = "x".repeat(16)),
        refused("tag 60", QrRule::ValueLength)
    );
    assert_eq!(
        with(|fields| fields.mcc = 10_000),
        refused("tag 52", QrRule::Mcc)
    );
    assert_eq!(
        with(|fields| fields.amount = None),
        refused("tag 54", QrRule::DynamicIncomplete)
    );
    assert_eq!(
        with(|fields| fields.amount = Some(Money::zero(Asset::Kzt))),
        refused("tag 54", QrRule::Amount)
    );
    assert_eq!(
        with(|fields| fields.amount = Some(Money::kzt(u64::MAX))),
        refused("tag 54", QrRule::Amount)
    );
    assert_eq!(
        with(|fields| fields.merchant.merchant_id = Text::EMPTY),
        refused("tag 26.03", QrRule::ValueLength)
    );
    let unknown = |level, tag| UnknownField {
        level,
        tag,
        value: "x".to_owned(),
    };
    let mut fields = dynamic().fields().clone();
    fields.unknown = vec![unknown(Level::Root, 59)];
    assert_eq!(
        QrCode::new(fields.clone()).unwrap_err().rule,
        QrRule::Duplicate
    );
    fields.unknown = vec![unknown(Level::Language, 5)];
    assert_eq!(
        QrCode::new(fields.clone()).unwrap_err().rule,
        QrRule::NotReproducible
    );
    fields.unknown = (26..=51).map(|tag| unknown(Level::Root, tag)).collect();
    assert_eq!(
        QrCode::new(fields.clone()).unwrap_err().rule,
        QrRule::NoTemplateFree
    );
    fields.unknown = (2..=9)
        .map(|tag| UnknownField {
            level: Level::Root,
            tag,
            value: "x".repeat(80),
        })
        .collect();
    assert_eq!(QrCode::new(fields).unwrap_err().rule, QrRule::TooLong);
}

#[test]
fn an_expiry_is_cut_to_whole_seconds() {
    let mut fields = dynamic().fields().clone();
    fields.expiry = fields
        .expiry
        .map(|expiry| expiry.saturating_add(Span::from_millis(999)));
    assert_eq!(QrCode::new(fields), Ok(dynamic()));
}

#[test]
fn a_read_code_that_grows_when_written_must_still_fit() {
    // Written back, an amount gets its decimals: 10 digits before the point are all that 13 characters hold.
    for (field, fits) in [
        ("54109999999999", true),
        ("541110000000000", false),
        ("541612345678901234.5", false),
    ] {
        let code = changed("5303398", &format!("5303398{field}"));
        let expect = if fits {
            Ok(())
        } else {
            Err(("tag 54", QrRule::Amount))
        };
        check(&code, expect);
    }
    // The whole code too: without its point of initiation it has 512 characters, with it 518.
    let filled = |initiation: &str, last: usize| {
        let fields = [(2, 99), (3, 99), (4, 99), (5, last)];
        let unknown =
            fields.map(|(tag, length)| format!("{tag:02}{length:02}{}", "x".repeat(length)));
        changed(STATIC, &format!("{initiation}{}", unknown.concat()))
    };
    let fits = |last: &usize| filled("", *last).len() == QR_CHARACTERS_MAX;
    let last = (1..=99).find(fits).unwrap();
    check(&filled("", last), Err(("the code", QrRule::TooLong)));
    check(&filled("", last - STATIC.len()), Ok(()));
    check(&filled(STATIC, last - STATIC.len()), Ok(()));
}

prop_compose! {
    fn any_fields()(
        dynamic: bool,
        account in "[A-Z0-9]{13}",
        merchant_id in "[ -~]{1,15}",
        prefix in 0_u64..99_999_999_999,
        mcc in 0_u16..10_000,
        amount in proptest::option::of(1_u64..1_000_000_000_000),
        (name, city) in ("\\PC{1,25}", "\\PC{1,15}"),
        language in proptest::option::of(("[a-z]{2}", "\\PC{1,25}", proptest::option::of("\\PC{1,15}"))),
        id in proptest::option::of("[0-9A-Za-z_-]{1,35}"),
        seconds in 0_u64..18_000_000_000,
        unknown in proptest::collection::btree_map(2_u8..25, "\\PC{1,9}", 0..4),
    ) -> QrFields {
        let bank = crate::iban::BankCode::from_value(722).unwrap();
        let id = if dynamic { Some(id.unwrap_or("Q".to_owned())) } else { id };
        let amount = if dynamic { Some(amount.unwrap_or(1)) } else { amount };
        QrFields {
            initiation: if dynamic { Initiation::Dynamic } else { Initiation::Static },
            merchant: MerchantAccount {
                bank: Bic::parse("CASPKZKA001").unwrap(),
                iban: Iban::for_kz(bank, &account).unwrap(),
                merchant_id: Text::try_from(merchant_id.as_str()).unwrap(),
                bin: IinBin::with_check(prefix),
            },
            mcc,
            amount: amount.map(Money::kzt),
            name,
            city,
            language: language.map(|(language, name, city)| LanguageTemplate {
                language: Text::try_from(language.as_str()).unwrap(), name, city,
            }),
            expiry: id.is_some().then(|| Time::EPOCH.saturating_add(Span::from_secs(seconds))),
            id: id.map(|id| QrId::parse(&id).unwrap()),
            unknown: unknown.into_iter().map(|(tag, value)| UnknownField { level: Level::Root, tag, value }).collect(),
        }
    }
}

proptest! {
    #[test]
    fn every_valid_code_round_trips(fields in any_fields()) {
        let code = QrCode::new(fields.clone()).unwrap();
        let text = code.encode();
        prop_assert_eq!(code.fields(), &fields);
        prop_assert!(text.chars().count() <= QR_CHARACTERS_MAX);
        prop_assert_eq!(QrCode::decode(&text), Ok(code));
    }

    #[test]
    fn one_changed_character_is_noticed(place: proptest::sample::Index, with in "[ -~]") {
        let mut bytes = dynamic().encode().into_bytes();
        let place = place.index(bytes.len());
        prop_assume!(bytes[place] != with.as_bytes()[0]);
        bytes[place] = with.as_bytes()[0];
        prop_assert!(QrCode::decode(std::str::from_utf8(&bytes).unwrap()).is_err());
    }

    #[test]
    fn any_string_is_read_or_refused(text in "\\PC{0,80}", shaped in "000201([0-9]{2}0[1-9][0-9A-Za-zЖ]{1,9}){0,20}") {
        let _ = QrCode::decode(&text);
        let _ = QrCode::decode(&shaped);
        let _ = QrCode::decode(&with_crc(&[&shaped]));
    }

    #[test]
    fn what_is_read_is_written_and_read_again(parts in proptest::collection::vec(0_usize..8, 0..4), tail in "(6[12]0[1-9][0-9A-Za-z]{1,9}){0,3}") {
        let mut whole = vec![FORMAT, STATIC, ACCOUNT, "52045411", "530339854011", "5802KZ", "5905Dyken", "6006Almaty"];
        for part in parts {
            let moved = whole.remove(part.max(1));
            whole.push(moved);
        }
        whole.push(&tail);
        if let Ok(code) = QrCode::decode(&with_crc(&whole)) {
            prop_assert_eq!(QrCode::decode(&code.encode()), Ok(code));
        }
    }
}
