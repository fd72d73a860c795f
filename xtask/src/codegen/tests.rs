use super::pattern::{Dfa, compile};
use super::{emit, xsd};

fn accepts(dfa: &Dfa, text: &str) -> bool {
    let mut state = 1usize;
    for byte in text.bytes() {
        state = usize::from(dfa.next[state][usize::from(dfa.classes[usize::from(byte)])]);
    }
    dfa.accepting[state]
}

#[track_caller]
fn check(pattern: &str, good: &[&str], bad: &[&str]) {
    let dfa = compile(pattern).unwrap();
    for text in good {
        assert!(accepts(&dfa, text), "{pattern} must accept {text:?}");
    }
    for text in bad {
        assert!(!accepts(&dfa, text), "{pattern} must refuse {text:?}");
    }
}

#[test]
fn patterns_of_the_standard() {
    check(
        "[A-Z0-9]{4,4}[A-Z]{2,2}[A-Z0-9]{2,2}([A-Z0-9]{3,3}){0,1}",
        &["CASPKZKA", "HSBKKZKXXXX", "1234KZ00"],
        &[
            "",
            "CASPKZK",
            "CASPKZKAX",
            "CASPKZKAXX",
            "CASP12KA",
            "caspkzka",
            "CASPKZKAXXXX",
            "CASPKZKЯ",
        ],
    );
    check(
        "\\+[0-9]{1,3}-[0-9()+\\-]{1,30}",
        &["+7-7011234567", "+7-(701)+1-2"],
        &["+7", "+7-", "7-701", "+7777-1", "+7-7 0"],
    );
    check(
        "[BEOVW]{1,1}[0-9]{2,2}|DUM",
        &["B12", "DUM"],
        &["DU", "B1", "A12", "B12DUM"],
    );
    check(
        "[\\+]{0,1}[0-9]{1,15}",
        &["+1", "123456789012345"],
        &["", "+", "1234567890123456"],
    );
    check("(ab)*c+d?", &["c", "ababccd"], &["abd", "ac", "cdd"]);
    check("a{2,}", &["aa", "aaaa"], &["a", ""]);
}

#[test]
fn patterns_beyond_the_dialect_are_refused() {
    for pattern in [
        "a.b", "\\d", "[^a]", "(a", "a)", "[z-a]", "a{2,1}", "é", "[a", "a{", "a{9999}",
    ] {
        assert!(compile(pattern).is_err(), "{pattern}");
    }
}

const SMALL: &str = r#"<?xml version="1.0"?>
<xs:schema xmlns="urn:iso:std:iso:20022:tech:xsd:test.001.001.01" xmlns:xs="http://www.w3.org/2001/XMLSchema"
           elementFormDefault="qualified" targetNamespace="urn:iso:std:iso:20022:tech:xsd:test.001.001.01">
  <xs:element name="Document" type="Document"/>
  <xs:complexType name="Document"><xs:sequence><xs:element maxOccurs="3" minOccurs="0" name="Amt" type="Amount"/></xs:sequence></xs:complexType>
  <xs:simpleType name="Amount_SimpleType"><xs:restriction base="xs:decimal"><xs:minInclusive value="0"/><xs:totalDigits value="18"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="Currency"><xs:restriction base="xs:string"><xs:pattern value="[A-Z]{3,3}"/></xs:restriction></xs:simpleType>
  <xs:complexType name="Amount"><xs:simpleContent><xs:extension base="Amount_SimpleType"><xs:attribute name="Ccy" type="Currency" use="required"/></xs:extension></xs:simpleContent></xs:complexType>
</xs:schema>"#;

#[test]
fn a_small_schema() {
    let files = emit::files(&[xsd::read("test.001.001.01.xsd", SMALL).unwrap()]).unwrap();
    let table = &files["test_001_001_01.rs"];
    assert!(
        table.contains(r#"many("Amt", 0, 3, Attributed(&AMOUNT)),"#),
        "{table}"
    );
    assert!(
        table.contains(r#"Attribute { name: "Ccy", ty: &simple::CURRENCY, required: true },"#),
        "{table}"
    );
    assert!(
        table.contains(r#"root: one("Document", Complex(&DOCUMENT)),"#),
        "{table}"
    );
    let simple = &files["simple.rs"];
    assert!(
        simple.contains("total_digits: 18, fraction_digits: u8::MAX, not_negative: true"),
        "{simple}"
    );
    assert!(simple.contains("dfa: &patterns::P1"), "{simple}");
}

#[test]
fn what_the_tables_cannot_express_is_refused() {
    for (good, bad) in [
        ("xs:sequence>", "xs:all>"),
        (r#"maxOccurs="3""#, r#"maxOccurs="3" nillable="true""#),
        (
            r#"<xs:minInclusive value="0"/>"#,
            r#"<xs:minInclusive value="1"/>"#,
        ),
        (
            r#"<xs:minInclusive value="0"/>"#,
            r#"<xs:maxExclusive value="9"/>"#,
        ),
        ("xs:decimal", "xs:float"),
        (
            r#"elementFormDefault="qualified""#,
            r#"elementFormDefault="unqualified""#,
        ),
        ("[A-Z]{3,3}", "\\p{L}"),
    ] {
        let text = SMALL.replace(good, bad);
        assert_ne!(text, SMALL);
        let refused = xsd::read("test.xsd", &text).and_then(|schema| emit::files(&[schema]));
        assert!(refused.is_err(), "{bad}");
    }
}
