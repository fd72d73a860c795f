use super::*;
use crate::dialect::Dialect;

fn encoded(dialect: &Dialect, text: &str) -> Result<Vec<u8>, JsonError> {
    let mut out = b"before".to_vec();
    let result = Document::parse(text)?.encode(dialect, &mut out);
    if result.is_err() {
        assert_eq!(out, b"before");
    }
    result.map(|()| out.split_off(6))
}

/// The JSON is encoded, and decoded to the same again.
#[track_caller]
fn check(dialect: &Dialect, text: &str) {
    let bytes = encoded(dialect, text).unwrap();
    let message = Message::parse(dialect, &bytes).unwrap();
    assert_eq!(decode(&message, Unmask::Yes).unwrap().to_string(), text);
}

#[track_caller]
fn refused(text: &str, expect: &str) {
    let error = encoded(Dialect::national(), text).unwrap_err();
    assert_eq!(error.to_string(), expect);
}

/// One field of a 0200.
#[track_caller]
fn refused_field(field: &str, expect: &str) {
    refused(
        &format!("{{\"mti\":\"0200\",\"fields\":{{{field}}}}}"),
        expect,
    );
}

#[test]
fn every_kind_of_field_is_encoded_and_decoded_to_the_same() {
    check(
        Dialect::national(),
        r#"{"mti":"0200","fields":{"2":"4000001234567899","3":"000000","28":"C00000125","35":"4000001234567899=2812","48":{"CH":"POS","ZZ":"unknown tag"},"52":"0123456789ABCDEF","53":"0000000100000000","54":"0002398C000000125000","55":{"9F26":"1122334455667788","DF01":"","9C":"00"},"127":{"3":"ACCOUNT","6":"710"}}}"#,
    );
    check(
        Dialect::iso93_bcd(),
        r#"{"mti":"1200","fields":{"2":"400000123456789","28":"261121","35":"4000001234567899=281","43":"Magnum, Almaty","55":{"9F26":"1122334455667788"}}}"#,
    );
    check(
        Dialect::iso87_ascii(),
        r#"{"mti":"0200","fields":{"2":"4000001234567899","52":"0123456789ABCDEF","55":{"9F26":"1122334455667788"}}}"#,
    );
}

#[test]
fn a_tag_that_comes_twice_stays_twice_and_in_its_place() {
    check(
        Dialect::national(),
        r#"{"mti":"0200","fields":{"48":{"ZZ":"1","CH":"POS","ZZ":"2"},"55":{"9C":"00","5F2A":"0398","9C":"01"}}}"#,
    );
}

#[test]
fn fields_may_stand_in_any_order_and_structured_ones_as_one_text() {
    let dialect = Dialect::national();
    let parts = r#"{"mti":"0200","fields":{"11":"000123","48":{"CH":"POS"},"55":{"9C":"00"},"127":{"6":"710"}}}"#;
    let texts = r#"{"fields":{"127":"0400000000000000710","55":"9C0100","48":"CH03POS","11":"000123"},"mti":"0200"}"#;
    assert_eq!(encoded(dialect, texts), encoded(dialect, parts));
}

#[test]
fn what_is_hidden_is_hidden_subfield_by_subfield_and_cannot_come_back() {
    let dialect = Dialect::national();
    let text = r#"{"mti":"0200","fields":{"2":"4000001234567899","48":{"CV":"123","TK":"4000001234567899"},"55":{"5A":"4000001234567899","57":"41"}}}"#;
    let bytes = encoded(dialect, text).unwrap();
    let message = Message::parse(dialect, &bytes).unwrap();
    let masked = decode(&message, Unmask::No).unwrap();
    assert_eq!(
        masked.to_string(),
        r#"{"mti":"0200","fields":{"2":"400000******7899","48":{"CV":"***","TK":"400000******7899"},"55":{"5A":"400000******7899","57":"**"}}}"#
    );
    for field in [
        r#""2":"400000******7899""#,
        r#""48":{"CV":"***"}"#,
        r#""55":{"57":"**"}"#,
        r#""52":"****************""#,
    ] {
        let text = format!("{{\"mti\":\"0200\",\"fields\":{{{field}}}}}");
        let error = encoded(dialect, &text).unwrap_err();
        assert!(error.what.starts_with("is masked"), "{error}");
    }
    for shown in [format!("{masked:?}"), format!("{:?}", masked.fields.0)] {
        assert!(!shown.contains("400000"), "{shown}");
    }
}

#[test]
fn text_that_is_no_such_json_is_refused_by_line_and_column_without_its_values() {
    refused("{\"mti\":\n\"0200\"", "line 2 column 6: not JSON");
    let form = "not of the form {\"mti\",\"fields\":{\"2\":…,\"55\":{tag:value}}}";
    refused("{}", &format!("line 1 column 2: {form}"));
    refused(
        r#"{"mti":"0200","fields":{"2":4000001234567899}}"#,
        &format!("line 1 column 44: {form}"),
    );
    refused(
        r#"{"mti":"0200","fields":{},"more":1}"#,
        &format!("line 1 column 32: {form}"),
    );
    refused(
        r#"{"mti":"0200","fields":{"48":{"CH":{}}}}"#,
        &format!("line 1 column 35: {form}"),
    );
    refused(
        r#"{"mti":"0200","fields":{}} {"mti":"0200","fields":{}}"#,
        "one JSON object is expected",
    );
    refused("", "one JSON object is expected");
    assert!(Document::parse(&"[".repeat(10_000)).is_err());
}

#[test]
fn several_documents_are_read_one_behind_the_other() {
    let one = r#"{"mti":"0200","fields":{}}"#;
    assert_eq!(
        Document::parse_all(&format!("{one}\n\n{one} {one}"))
            .unwrap()
            .len(),
        3
    );
    assert_eq!(Document::parse_all(" \n").unwrap(), []);
    assert!(Document::parse_all(&format!("{one} no")).is_err());
}

#[test]
fn wrong_members_are_refused_by_their_path() {
    refused(
        r#"{"mti":"0999","fields":{}}"#,
        "mti: is no message type of national",
    );
    refused_field(r#""1":"00""#, "fields.1: is no field of national");
    refused_field(
        r#""02":"4000001234567899""#,
        "fields.02: is no field of national",
    );
    refused_field(r#""300":"0""#, "fields.300: is no field of national");
    refused_field(
        r#""11":"000001","11":"000002""#,
        "fields.11: fields have to be written once, in ascending order order",
    );
    refused_field(r#""3":"00000A""#, "fields.3: not of type n character-set");
    refused_field(r#""3":"00000""#, "fields.3: shorter than 6 too-short");
    refused_field(r#""43":"Алматы""#, "fields.43: shorter than 40 too-short");
    refused_field(r#""52":"0123""#, "fields.52: shorter than 8 too-short");
    refused_field(
        r#""52":"01234""#,
        "fields.52: hexadecimal digits in twos are expected",
    );
    refused_field(r#""11":{"1":"0"}"#, "fields.11: has no subfields");
    refused_field(
        r#""48":{"CHA":"POS"}"#,
        "fields.48.CHA: the tag is not of letters and digits tag-characters",
    );
    refused_field(
        r#""48":{"CH":"PO5"}"#,
        "fields.48.CH: not of type a character-set",
    );
    refused_field(
        r#""48":{"CV":"12"}"#,
        "fields.48.CV: shorter than 3 too-short",
    );
    refused_field(r#""55":{"9F":"00"}"#, "fields.55.9F: malformed BER-TLV tag");
    refused_field(
        r#""55":{"XY":"00"}"#,
        "fields.55.XY: is no tag in hexadecimal",
    );
    refused_field(
        r#""127":{"6":"710","2":"00000001"}"#,
        "fields.127.2: subfields are expected in ascending order",
    );
    refused_field(r#""127":{"1":"710"}"#, "fields.127.1: is no such subfield");
    refused_field(
        r#""3":{"1":"00","3":"00"}"#,
        "fields.3.3: positions are expected one after the other",
    );
    refused_field(
        r#""3":{"1":"00","2":"00"}"#,
        "fields.3: a position is missing",
    );
}
