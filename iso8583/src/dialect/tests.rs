use super::*;

/// A small dialect with a bit of everything.
const OWN: &str = r#"
name = "own"
version = 1987
mti = "ascii"
bitmap = "binary"

[messages]
rows = [
    { mti = "0100", name = "Authorisation request", equivalent = "1100" },
    { mti = "0800", name = "Network management request" },
]

[fields]
rows = [
    { n = 2, name = "Card number", type = "n", length = "LL 12..19", mask = "pan" },
    { n = 3, name = "Processing code", type = "n", length = "6" },
    { n = 39, name = "Response", type = "an", length = "2", codes = "response" },
    { n = 48, name = "Tagged", type = "ans", length = "LLL 4..999" },
    { n = 52, name = "PIN block", type = "b", length = "8", mask = "pin" },
    { n = 55, name = "Chip data", type = "b", length = "LLL 3..255" },
    { n = 60, name = "By bitmap", type = "ans", length = "LLL 4..99" },
    { n = 61, name = "Repeated", type = "ans", length = "LLL 5..50" },
    { n = 97, name = "Net amount", type = "x+n", length = "17" },
]

[subfields.3]
layout = "positions"
rows = [
    { key = "1", name = "Type", type = "n", length = "2" },
    { key = "2", name = "Accounts", type = "n", length = "4" },
]

[subfields.48]
layout = "tags"
tag = 2
length = 2
rows = [{ key = "CV", name = "Verification value", type = "n", length = "3..4", mask = "cvv" }]

[subfields.55]
layout = "tlv"
rows = [{ key = "9F26", name = "Cryptogram", type = "b", length = "8" }]

[subfields.60]
layout = "bitmap"
bits = 16
bitmap = "hex"
rows = [{ key = "2", name = "Second", type = "n", length = "LL 1..9" }]

[subfields.61]
layout = "positions"
repeat = true
rows = [{ key = "1", name = "One of several", type = "ans", length = "5" }]

[codes.response]
00 = "Approved"

[[rules]]
name = "tagged"
text = "a request with a PIN is tagged"
when = ["52", "3[1-2] in 00 01"]
tag = "48.CV"

[[presence]]
mti = "0100"
step = "from-acquirer"
must = "2-3"
may = "48 52"
rules = "tagged"
"#;

#[test]
fn the_dialects_that_come_with_the_crate_are_in_order() {
    for name in Dialect::BUILT_IN {
        let dialect = Dialect::built_in(name).unwrap();
        assert_eq!(dialect.name(), name);
        for row in dialect.rows() {
            assert_eq!(dialect.field(row.number).unwrap().name, row.name);
        }
    }
    assert!(Dialect::built_in("iso99").is_none());
}

#[test]
fn a_table_is_read_as_it_stands() {
    let dialect = Dialect::read(OWN).unwrap();
    assert_eq!(
        (dialect.name(), dialect.title(), dialect.year()),
        ("own", "own", 1987)
    );
    assert_eq!(
        dialect.fields(),
        FieldSet::of(&[2, 3, 39, 48, 52, 55, 60, 61, 97])
    );
    let row = dialect.field(2).unwrap();
    assert_eq!(
        (row.number, row.name.as_str(), row.mask),
        (2, "Card number", Mask::Pan)
    );
    assert_eq!(row.shape.length.bounds(), (12, 19));
    assert!(
        dialect.field(4).is_none() && dialect.field(0).is_none() && dialect.field(200).is_none()
    );
    let mti = Mti::new(100).unwrap();
    assert_eq!(dialect.equivalent(mti), Mti::new(1100));
    assert_eq!(dialect.equivalent(Mti::new(800).unwrap()), None);
    assert!(dialect.message(Mti::new(1100).unwrap()).is_none());
    let presence = dialect.presence(mti, Step::FromAcquirer).unwrap();
    assert_eq!(presence.must(), FieldSet::of(&[2, 3]));
    assert_eq!(presence.allowed(), FieldSet::of(&[2, 3, 48, 52]));
    assert!(dialect.presence(mti, Step::ToIssuer).is_none());
    assert_eq!(dialect.meaning("response", "00"), Some("Approved"));
    assert_eq!(dialect.meaning("response", "01"), None);
    assert_eq!(dialect.meaning("answer", "00"), None);
    assert_eq!(format!("{dialect:?}"), "Dialect(own)");
}

/// The table with one thing changed is refused like this.
#[track_caller]
fn refused(from: &str, to: &str, expect: &str) {
    assert!(OWN.contains(from), "{from}");
    match Dialect::read(&OWN.replacen(from, to, 1)) {
        Ok(_) => panic!("{to} is taken"),
        Err(error) => assert_eq!(error.to_string(), expect),
    }
}

#[test]
fn what_is_no_toml_is_refused_by_its_line() {
    refused(
        "mti = \"ascii\"",
        "mti = ascii",
        "line 4: string values must be quoted, expected literal string",
    );
    refused(
        "[codes.response]",
        "[codes.response",
        "line 54: unclosed table, expected `]`",
    );
}

#[test]
fn the_head_is_refused_by_its_path() {
    refused("name = \"own\"\n", "", "name: is missing");
    refused("name = \"own\"", "name = 7", "name: a text is expected");
    refused(
        "version = 1987",
        "version = 1988",
        "version: 1987, 1993 or 2003 is expected",
    );
    refused(
        "version = 1987",
        "version = \"1987\"",
        "version: a number from 1987 to 2003 is expected",
    );
    refused(
        "mti = \"ascii\"",
        "mti = \"hex\"",
        "mti: `hex` is none of ascii, ebcdic, bcd",
    );
    refused(
        "bitmap = \"binary\"",
        "bitmap = \"ascii\"",
        "bitmap: `ascii` is none of binary, hex, hex-ebcdic",
    );
    refused(
        "bitmap = \"binary\"",
        "bitmap = \"binary\"\ncode_page = \"latin\"",
        "code_page: is none of cp037, cp500, cp1047",
    );
    refused(
        "bitmap = \"binary\"",
        "bitmap = \"binary\"\nbitmaps = 2",
        "bitmaps: unknown key; there are name, title, version, mti, bitmap, code_page, \
        defaults, messages, fields, subfields, codes, rules, presence",
    );
    refused(
        "[messages]",
        "[defaults]\nnumber = \"binary\"\n[messages]",
        "defaults.number: a value of type n cannot stand like that",
    );
    refused(
        "[messages]",
        "[defaults]\nlength = \"hex\"\n[messages]",
        "defaults.length: `hex` is none of ascii, ebcdic, bcd, binary",
    );
}

#[test]
fn message_types_are_refused_by_their_row() {
    refused(
        "mti = \"0800\"",
        "mti = \"1800\"",
        "messages.rows[1].mti: four digits are expected, the first of them 0",
    );
    refused(
        "mti = \"0800\"",
        "mti = \"0100\"",
        "messages.rows[1].mti: stands twice in the table",
    );
    refused(
        "equivalent = \"1100\"",
        "equivalent = \"11\"",
        "messages.rows[0].equivalent: four digits are expected",
    );
    refused(
        "\"1100\" },",
        "\"1100\", steps = 2 },",
        "messages.rows[0].steps: unknown key; there are mti, name, equivalent",
    );
}

#[test]
fn fields_are_refused_by_their_row() {
    refused(
        "n = 3,",
        "n = 2,",
        "fields.rows[1].n: field numbers must ascend",
    );
    refused(
        "n = 97,",
        "n = 129,",
        "fields.rows[8].n: a number from 2 to 128 is expected",
    );
    refused(
        "n = 97,",
        "n = 65,",
        "fields.rows[8].n: field 65 is reserved for a third bitmap",
    );
    refused(
        "type = \"n\", length = \"6\"",
        "type = \"num\", length = \"6\"",
        "fields.rows[1].type: is none of n, a, s, an, as, ns, ans, x+n, z, track1, b",
    );
    refused(
        "length = \"6\"",
        "length = \"L\"",
        "fields.rows[1].length: a number, least..most, or LL, LLL with least..most is expected",
    );
    refused(
        "length = \"6\"",
        "length = \"0\"",
        "fields.rows[1].length: least is above most, or nothing fits",
    );
    refused(
        "LL 12..19",
        "LL 19..12",
        "fields.rows[0].length: least is above most, or nothing fits",
    );
    refused(
        "LL 12..19",
        "LL 12..100",
        "fields.rows[0].length: a length of that form goes to 99",
    );
    refused(
        "LL 12..19",
        "12..19",
        "fields.rows[0].length: a number, or LL, LLL with least..most is expected",
    );
    refused(
        "LL 12..19\"",
        "LL 12..19\", encoding = \"hex\"",
        "fields.rows[0].encoding: a value of type n cannot stand like that",
    );
    refused(
        "\"8\", mask",
        "\"7\", encoding = \"hex\", mask",
        "fields.rows[4].length: hexadecimal digits come in twos",
    );
    refused(
        "length = \"17\"",
        "length = \"1\"",
        "fields.rows[8].length: an amount has a sign and at least one digit",
    );
    refused(
        "mask = \"pin\"",
        "mask = \"pink\"",
        "fields.rows[4].mask: `pink` is none of open, pan, track, pin, cvv, mac, key, name",
    );
    refused(
        "mask = \"pin\"",
        "mask = \"pan\"",
        "fields.rows[4]: a card number is of type n",
    );
    refused(
        "codes = \"response\"",
        "codes = \"answer\"",
        "fields.rows[2].codes: there is no table codes.answer",
    );
    refused(
        "name = \"Card number\", ",
        "",
        "fields.rows[0].name: is missing",
    );
}

#[test]
fn subfields_are_refused_by_their_row() {
    refused(
        "[subfields.3]",
        "[subfields.4]",
        "subfields.4: there is no such field",
    );
    refused(
        "\"positions\"",
        "\"list\"",
        "subfields.3.layout: `list` is none of positions, tags, bitmap, tlv",
    );
    refused(
        "length = \"4\" }",
        "length = \"3\" }",
        "subfields.3.rows: positions take 5, which does not agree with the field's length",
    );
    refused(
        "key = \"2\", name = \"Accounts\"",
        "key = \"3\", name = \"Accounts\"",
        "subfields.3.rows: positions are 1, 2, 3 and so on",
    );
    refused(
        "length = \"2\" },\n    { key",
        "length = \"LL 1..2\" },\n    { key",
        "subfields.3.rows[0].length: is no length of such subfields",
    );
    refused(
        "\"LLL 5..50\"",
        "\"LLL 5..51\"",
        "subfields.61.rows: positions take 5, which does not agree with the field's length",
    );
    refused(
        "repeat = true",
        "repeat = 1",
        "subfields.61.repeat: true or false is expected",
    );
    refused(
        "tag = 2",
        "tag = 5",
        "subfields.48.tag: a number from 1 to 4 is expected",
    );
    refused(
        "tag = 2",
        "tag = 2\nbinary_tag = true",
        "subfields.48.binary_tag: goes with a field of type b",
    );
    refused(
        "key = \"CV\"",
        "key = \"CVV\"",
        "subfields.48.rows[0].key: is no key of such subfields",
    );
    refused(
        "length = \"3..4\"",
        "length = \"LL 3..4\"",
        "subfields.48.rows[0].length: is no length of such subfields",
    );
    refused(
        "mask = \"cvv\"",
        "mask = \"name\"",
        "subfields.48.rows[0].mask: a masked name stands in BER-TLV",
    );
    refused(
        "key = \"9F26\"",
        "key = \"9FFF\"",
        "subfields.55.rows[0].key: is no key of such subfields",
    );
    refused(
        "type = \"b\", length = \"8\" }",
        "type = \"n\", length = \"8\" }",
        "subfields.55.rows[0].type: values of BER-TLV are of type b",
    );
    refused(
        "bits = 16",
        "bits = 12",
        "subfields.60.bits: bits come in eights",
    );
    refused(
        "bitmap = \"hex\"",
        "bitmap = \"binary\"",
        "subfields.60.bitmap: a binary bitmap stands in a field of type b",
    );
    refused(
        "key = \"2\", name = \"Second\"",
        "key = \"17\", name = \"Second\"",
        "subfields.60.rows[0].key: is no key of such subfields",
    );
    let twice =
        "rows = [{ key = \"9F26\", name = \"A\", type = \"b\", length = \"8\" }, { key = \"9F26\"";
    refused(
        "rows = [{ key = \"9F26\"",
        twice,
        "subfields.55.rows: key 9F26 stands twice",
    );
    refused(
        "[subfields.48]\nlayout = \"tags\"\ntag = 2\nlength = 2",
        "[subfields.48]\nlayout = \"tlv\"",
        "subfields.48.layout: BER-TLV stands in a field of type b",
    );
}

#[test]
fn codes_rules_and_presence_are_refused_by_their_row() {
    refused(
        "00 = \"Approved\"",
        "00 = 1",
        "codes.response.00: a text is expected",
    );
    refused("tag = \"48.CV\"", "", "rules[0]: the rule asks for nothing");
    refused(
        "tag = \"48.CV\"",
        "tag = \"48.CVV\"",
        "rules[0].tag: `FIELD.TAG` of a field with tags is expected",
    );
    refused(
        "tag = \"48.CV\"",
        "luhn = 4",
        "rules[0].luhn: there is no such field",
    );
    refused(
        "tag = \"48.CV\"",
        "must = \"4\"",
        "rules[0].must: there is no field 4",
    );
    refused(
        "\"52\", \"3[",
        "\"53\", \"3[",
        "rules[0].when[0]: there is no field 53",
    );
    refused(
        "3[1-2] in",
        "3[2-1] in",
        "rules[0].when[1]: `FIELD in VALUE…` or `FIELD[FROM-TO] in VALUE…` of a field that is there is expected",
    );
    refused(
        "in 00 01",
        "in 123456789",
        "rules[0].when[1]: values of one to eight characters are expected",
    );
    refused(
        "[[presence]]",
        "[[rules]]\nname = \"tagged\"\ntext = \"\"\nmust = \"2\"\n[[presence]]",
        "rules[1]: the name tagged stands twice",
    );
    refused(
        "mti = \"0100\"\nstep",
        "mti = \"0200\"\nstep",
        "presence[0]: there is no message type 0200",
    );
    refused(
        "mti = \"0100\"\nstep",
        "mti = \"100\"\nstep",
        "presence[0].mti: `100` is no message type",
    );
    refused(
        "\"from-acquirer\"",
        "\"midway\"",
        "presence[0].step: `midway` is none of from-acquirer, to-issuer, from-issuer, to-acquirer, from-participant, \
        to-participant, to-scheme, from-scheme",
    );
    refused(
        "must = \"2-3\"",
        "must = \"2-4\"",
        "presence[0].must: there is no field 4",
    );
    refused(
        "must = \"2-3\"",
        "must = \"3-2\"",
        "presence[0].must: `3-2` is neither a field number nor a range of them",
    );
    refused(
        "may = \"48 52\"",
        "may = \"3 48\"",
        "presence[0].may: field 3 stands in both lists",
    );
    refused(
        "rules = \"tagged\"",
        "rules = \"chip\"",
        "presence[0].rules: there is no rule `chip`",
    );
    let twice = "[[presence]]\nmti = \"0100\"\nstep = \"from-acquirer\"\nmust = \"2\"\nmay = \"\"\n[[presence]]";
    refused(
        "[[presence]]",
        twice,
        "presence[1]: message type 0100 has a row for step from-acquirer already",
    );
}

#[test]
fn tables_of_codes_are_bounded() {
    let tables: String = (0..254).map(|i| format!("[codes.t{i}]\n")).collect();
    let error =
        Dialect::read(&OWN.replace("[codes.response]", &format!("{tables}[codes.response]")));
    let error = error.err().unwrap().to_string();
    assert!(
        error.ends_with(": more than 254 tables of codes"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_too_long_is_not_read() {
    let text = format!("{OWN}#{}", "-".repeat(1 << 20));
    assert_eq!(
        Dialect::read(&text).err().unwrap().to_string(),
        "file: more than 1048576 bytes"
    );
}
