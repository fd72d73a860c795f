use super::builtin::Builtin;
use super::{Check, SimpleType};
use crate::message::MessageType;
use crate::schema::TypeRef;

/// The simple type of that name, from the table of pacs.008.001.10.
fn named(name: &str) -> &'static SimpleType {
    let types = MessageType::PACS_008_001_10.table().types;
    let found = types.iter().find(|ty| ty.name() == name).unwrap();
    match found {
        TypeRef::Simple(ty) => ty,
        _ => panic!("{name} is not simple"),
    }
}

#[track_caller]
fn check(name: &str, good: &[&str], bad: &[(&str, &str)]) {
    let ty = named(name);
    for text in good {
        assert!(ty.accepts(text.as_bytes()), "{name} must accept {text:?}");
    }
    for (text, rule) in bad {
        assert!(!ty.accepts(text.as_bytes()), "{name} must refuse {text:?}");
        assert_eq!(
            ty.breach(text.as_bytes()).to_string(),
            *rule,
            "{name} {text:?}"
        );
    }
}

#[test]
fn text_is_measured_in_characters() {
    let most = "ё".repeat(35);
    let more = "ё".repeat(36);
    check(
        "Max35Text",
        &["a", &most, "😀"],
        &[("", "minLength 1"), (&more, "maxLength 35")],
    );
}

#[test]
fn patterns() {
    check(
        "BICFIDec2014Identifier",
        &["HSBKKZKX", "CASPKZKAXXX"],
        &[(
            "HSBKKZK",
            "pattern [A-Z0-9]{4,4}[A-Z]{2,2}[A-Z0-9]{2,2}([A-Z0-9]{3,3}){0,1}",
        )],
    );
    check(
        "IBAN2007Identifier",
        &["KZ86125KZT5004100100"],
        &[(
            "kz86125KZT5004100100",
            "pattern [A-Z]{2,2}[0-9]{2,2}[a-zA-Z0-9]{1,30}",
        )],
    );
}

#[test]
fn decimals_as_libxml2_reads_them() {
    check(
        "ActiveCurrencyAndAmount_SimpleType",
        &[
            "0",
            "1.",
            ".5",
            " 1 ",
            "- ",
            "-0.00",
            "+1",
            "000000000000000000000000000001",
            "100000000000000000.000000",
        ],
        &[
            ("", "not a valid decimal"),
            (".", "not a valid decimal"),
            ("-", "not a valid decimal"),
            ("1 1", "not a valid decimal"),
            ("-0.01", "minInclusive 0"),
            ("1.000001", "fractionDigits 5"),
            ("1234567890123456789", "totalDigits 18"),
            ("1.000000000000000000000000", "not a valid decimal"),
        ],
    );
}

#[test]
fn dates_as_libxml2_reads_them() {
    check(
        "ISODateTime",
        &[
            "2026-11-21T24:00:00",
            "2026-11-21T09:15:27Z ",
            "-2026-11-21T09:15:27.5+14:00",
            "12026-01-01T00:00:00",
        ],
        &[
            (" 2026-11-21T09:15:27Z", "not a valid dateTime"),
            ("2026-11-21T09:15:27 ", "not a valid dateTime"),
            ("2026-11-21T24:00:01", "not a valid dateTime"),
            (
                "2026-11-21T09:15:59.99999999999999999",
                "not a valid dateTime",
            ),
            ("0000-11-21T09:15:27", "not a valid dateTime"),
            ("2026-11-21T09:15:27+14:01", "not a valid dateTime"),
        ],
    );
    check(
        "ISODate",
        &["2024-02-29", "2026-11-21Z"],
        &[
            ("2026-02-29", "not a valid date"),
            ("2026-11-21 ", "not a valid date"),
        ],
    );
}

#[test]
fn booleans() {
    check(
        "BatchBookingIndicator",
        &["true", " 0\n", "1"],
        &[
            ("TRUE", "not a valid boolean"),
            ("\u{C}true", "not a valid boolean"),
        ],
    );
}

#[test]
fn base64_counts_octets() {
    let ty = SimpleType {
        name: "test",
        check: Check::Base64 { min: 1, max: 2 },
    };
    for (text, is_good) in [
        ("QQ==", true),
        ("QUI=", true),
        ("QUJD", false),
        ("", false),
        ("QR==", false),
        ("Q Q = =", true),
    ] {
        assert_eq!(ty.accepts(text.as_bytes()), is_good, "{text}");
    }
    assert_eq!(ty.breach(b"QUJD").to_string(), "maxLength 2");
    assert_eq!(ty.breach(b"QR==").to_string(), "not a valid base64Binary");
}

#[test]
fn built_in_types() {
    let accepts = |name: &str, text: &str| {
        Builtin::from_name(name.as_bytes())
            .unwrap()
            .accepts(text.as_bytes())
    };
    assert!(accepts("int", "-2147483648") && !accepts("int", "2147483648"));
    assert!(accepts("duration", "P1DT2H") && !accepts("duration", "P1H"));
    assert!(accepts("anyURI", "urn:a") && !accepts("anyURI", "%zz"));
    assert_eq!(Builtin::from_name(b"noSuchType"), None);
}

#[test]
fn no_bytes_make_a_check_panic() {
    let types: Vec<&SimpleType> = MessageType::all()
        .flat_map(|message| message.table().types)
        .filter_map(|ty| match ty {
            TypeRef::Simple(ty) => Some(*ty),
            _ => None,
        })
        .collect();
    let mut state = 7u64;
    for round in 0..2_000usize {
        let text: Vec<u8> = (0..round % 40)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let byte = (state >> 33) as u8;
                if byte < 0x40 {
                    byte
                } else {
                    b"0123456789+-.:TZP=eE "[usize::from(byte) % 21]
                }
            })
            .collect();
        let ty = types[round % types.len()];
        if !ty.accepts(&text) {
            assert!(!ty.breach(&text).code().is_empty());
        }
        for name in [
            "date",
            "time",
            "duration",
            "gMonthDay",
            "float",
            "anyURI",
            "long",
            "QName",
        ] {
            Builtin::from_name(name.as_bytes()).unwrap().accepts(&text);
        }
    }
}
