//! What is refused, with the place, the rule and the code.

use super::*;

#[test]
fn the_schema() {
    let group = "/Document/FIToFICstmrCdtTrf/GrpHdr";
    let transaction = "/Document/FIToFICstmrCdtTrf/CdtTrfTxInf";
    for (from, to, expected) in [
        (
            "<MsgId>HSBKKZKX20261121000000000001234</MsgId>",
            "",
            format!(
                "{group}/CreDtTm unexpected element CreDtTm, expected MsgId unexpected-element"
            ),
        ),
        (
            "<ChrgBr>",
            "<Purpose/><ChrgBr>",
            format!(
                "{transaction}/Purpose unexpected element Purpose, expected \
                 PoolgAdjstmntDt|InstdAmt|XchgRate|ChrgBr unexpected-element"
            ),
        ),
        (
            "<SttlmMtd>CLRG</SttlmMtd>",
            "",
            format!(
                "{group}/SttlmInf/ClrSys unexpected element ClrSys, expected SttlmMtd unexpected-element"
            ),
        ),
        (
            "<Cd>INST</Cd>",
            "",
            format!("{group}/PmtTpInf/SvcLvl missing element, expected Cd|Prtry missing-element"),
        ),
        (
            "<Cd>INST</Cd>",
            "<Cd>INST</Cd><Prtry>X</Prtry>",
            format!(
                "{group}/PmtTpInf/SvcLvl/Prtry unexpected element Prtry, expected the end unexpected-element"
            ),
        ),
        (
            "HSBKKZKX20261121000000000001234",
            "",
            format!("{group}/MsgId minLength 1 min-length"),
        ),
        (
            "HSBKKZKX20261121000000000001234",
            "ёёёёёёёёёёёёёёёёёёёёёёёёёёёёёёёёёёёё",
            format!("{group}/MsgId maxLength 35 max-length"),
        ),
        (
            ">CLRG<",
            ">CLEAR<",
            format!("{group}/SttlmInf/SttlmMtd enumeration INDA|INGA|COVE|CLRG enumeration"),
        ),
        (
            "<NbOfTxs>1<",
            "<NbOfTxs>one<",
            format!("{group}/NbOfTxs pattern [0-9]{{1,15}} pattern"),
        ),
        (
            ">15250.00</Ttl",
            ">1.123456</Ttl",
            format!("{group}/TtlIntrBkSttlmAmt fractionDigits 5 fraction-digits"),
        ),
        (
            ">15250.00</Ttl",
            ">1234567890123456789</Ttl",
            format!("{group}/TtlIntrBkSttlmAmt totalDigits 18 total-digits"),
        ),
        (
            ">15250.00</Ttl",
            ">-1</Ttl",
            format!("{group}/TtlIntrBkSttlmAmt minInclusive 0 min-inclusive"),
        ),
        (
            ">15250.00</Ttl",
            ">1e3</Ttl",
            format!("{group}/TtlIntrBkSttlmAmt not a valid decimal lexical"),
        ),
        (
            " Ccy=\"KZT\">15250.00</Ttl",
            ">1</Ttl",
            format!("{group}/TtlIntrBkSttlmAmt missing attribute Ccy missing-attribute"),
        ),
        (
            "Ccy=\"KZT\">15250.00</Ttl",
            "Ccy=\"tenge\">1</Ttl",
            format!("{group}/TtlIntrBkSttlmAmt/@Ccy pattern [A-Z]{{3,3}} pattern"),
        ),
        (
            "<MsgId>",
            "<MsgId a='1'>",
            format!("{group}/MsgId/@a attribute not declared unexpected-attribute"),
        ),
        (
            ">2026-11-21<",
            ">2026-11-31<",
            format!("{group}/IntrBkSttlmDt not a valid date lexical"),
        ),
        (
            "09:15:27.123+05:00",
            "09:15:27.123+5",
            format!("{group}/CreDtTm not a valid dateTime lexical"),
        ),
        (
            "<GrpHdr>",
            "<GrpHdr>text",
            format!("{group} text between elements unexpected-text"),
        ),
        (
            "<GrpHdr>",
            "<GrpHdr><![CDATA[ ]]>",
            format!("{group} text between elements unexpected-text"),
        ),
        (
            "HSBKKZKX20261121000000000001234",
            "a<b/>",
            format!("{group}/MsgId unexpected element b, expected text unexpected-element"),
        ),
        (
            "<GrpHdr>",
            "<GrpHdr xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='false'>",
            format!("{group}/@nil the element is not nillable xsi-nil"),
        ),
        (
            "</RmtInf>",
            "</RmtInf><SplmtryData><Envlp/></SplmtryData>",
            format!(
                "{transaction}/SplmtryData/Envlp missing element, expected any element missing-element"
            ),
        ),
    ] {
        check(with(from, to), &expected);
    }
}

#[test]
fn what_is_no_message() {
    for (text, expected) in [
        (
            "<Document/>",
            "/Document the root element is not a known message unknown-message",
        ),
        (
            "<Document xmlns='urn:x'></Document>",
            "/Document the root element is not a known message unknown-message",
        ),
        (
            "<a/>",
            "/a the root element is not a known message unknown-message",
        ),
        (
            "<a></a>",
            "/a envelope: exactly one AppHdr and then one Document envelope",
        ),
        (
            "<a><b></b></a>",
            "/a/b envelope: exactly one AppHdr and then one Document envelope",
        ),
        ("<a>text</a>", "/a text between elements unexpected-text"),
        ("", "/ not well-formed: no root element not-well-formed"),
    ] {
        check(text, expected);
    }
    let shape = "envelope: exactly one AppHdr and then one Document envelope";
    check(envelope(HEADER), &format!("/Envelope {shape}"));
    check(envelope(bare()), &format!("/Envelope/Document {shape}"));
    check(
        envelope(&format!("{}{HEADER}", bare())),
        &format!("/Envelope/Document {shape}"),
    );
    check(
        envelope(&format!("{HEADER}{HEADER}")),
        &format!("/Envelope/AppHdr {shape}"),
    );
    check(
        envelope(&format!("{HEADER}{}{}", bare(), bare())),
        &format!("/Envelope/Document {shape}"),
    );
    check(
        envelope(&format!("{HEADER}{}<x></x>", bare())),
        &format!("/Envelope/x {shape}"),
    );
    check(
        format!("<a><b><c><d><e>{HEADER}{}</e></d></c></b></a>", bare()),
        &format!("/a/b/c/d/e {shape}"),
    );
}

#[test]
fn what_is_not_well_formed() {
    let group = "/Document/FIToFICstmrCdtTrf/GrpHdr";
    for (from, to, expected) in [
        (
            "</MsgId>",
            "</MsgID>",
            format!("{group} not well-formed: end tag does not match the start tag"),
        ),
        (
            "HSBK",
            "a&nbsp;",
            format!("{group}/MsgId only the predefined entities may be referred to"),
        ),
        (
            "HSBK",
            "a&#0;",
            format!("{group}/MsgId not well-formed: character reference"),
        ),
        (
            "HSBK",
            "a&amp",
            format!("{group} not well-formed: unfinished reference"),
        ),
        (
            "HSBK",
            "a]]>",
            format!("{group}/MsgId not well-formed: ]]> in text"),
        ),
        (
            "HSBK",
            "a\u{1}",
            format!("{group}/MsgId not well-formed: control character"),
        ),
        (
            "HSBK",
            "a\u{FFFF}",
            format!("{group}/MsgId not well-formed: not a character"),
        ),
        (
            "<GrpHdr>",
            "<GrpHdr><!-- a--b -->",
            format!("{group} not well-formed: -- in a comment"),
        ),
        (
            "<GrpHdr>",
            "<GrpHdr><?x?>",
            format!("{group} a processing instruction is forbidden"),
        ),
        (
            "<MsgId>",
            "<MsgId a='1' a='2'>",
            format!("{group}/MsgId not well-formed: attribute twice"),
        ),
        (
            "<MsgId>",
            "<MsgId a='<'>",
            format!("{group}/MsgId not well-formed: < in an attribute value"),
        ),
        (
            "<MsgId>",
            "<MsgId a=1>",
            format!("{group}/MsgId not well-formed: attribute value without quotes"),
        ),
        (
            "<MsgId>",
            "<MsgId a='1'b='2'>",
            format!("{group}/MsgId not well-formed: blank needed between attributes"),
        ),
    ] {
        let expected_code = match &expected {
            text if text.contains("entities") => "entity",
            text if text.contains("instruction") => "processing-instruction",
            _ => "not-well-formed",
        };
        check(with(from, to), &format!("{expected} {expected_code}"));
    }
    check(
        format!("{BENCH}x"),
        "/ not well-formed: content after the root element not-well-formed",
    );
    check(
        format!("x{}", bare()),
        "/ not well-formed: text before the root element not-well-formed",
    );
    check(
        "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>",
        "/ a document type declaration is forbidden doctype",
    );
    check(
        BENCH.replace("UTF-8", "KOI8-R"),
        "/ the encoding must be UTF-8 encoding",
    );
    let mut bytes = BENCH.as_bytes().to_vec();
    let at = BENCH.find("HSBK").unwrap();
    bytes[at] = 0xFF;
    assert_eq!(
        verdict(&bytes, Mode::SchemaOnly),
        format!("{group} not well-formed: not UTF-8 not-well-formed")
    );
    let refusal = Parser::new().parse(&bytes, Mode::SchemaOnly).unwrap_err();
    assert_eq!(refusal.offset, at);
}

#[test]
fn the_national_mode() {
    let group = "/Document/FIToFICstmrCdtTrf/GrpHdr";
    let set = "character outside the national set character-set";
    for (written, national) in [
        ("Ә-Ғ-Қ-Ң-Ө-Ұ-Ү-Һ-І «№» — “…”", String::new()),
        (
            "<![CDATA[a]]>",
            format!("{group}/MsgId CDATA is forbidden cdata"),
        ),
        (
            "a<![CDATA[]]>",
            format!("{group}/MsgId CDATA is forbidden cdata"),
        ),
        ("a\nb", format!("{group}/MsgId {set}")),
        ("a\u{7F}", format!("{group}/MsgId {set}")),
        ("a😀", format!("{group}/MsgId {set}")),
        ("é", format!("{group}/MsgId {set}")),
        ("&#233;", format!("{group}/MsgId {set}")),
        ("&#10;", format!("{group}/MsgId {set}")),
    ] {
        let text = with("HSBKKZKX20261121000000000001234", written);
        check(&text, "pacs.008.001.10");
        let found = verdict(&text, Mode::National);
        let expected = if national.is_empty() {
            "pacs.008.001.10"
        } else {
            &national
        };
        // A section is refused where it begins, before the element is left.
        assert_eq!(
            found.replace("GrpHdr CDATA", "GrpHdr/MsgId CDATA"),
            *expected
        );
    }
    let any = |inner: &str| {
        with(
            "</RmtInf>",
            &format!("</RmtInf><SplmtryData><Envlp>{inner}</Envlp></SplmtryData>"),
        )
    };
    let envelope_path = "/Document/FIToFICstmrCdtTrf/CdtTrfTxInf/SplmtryData/Envlp";
    let prefix = "undeclared namespace prefix undeclared-prefix";
    for (inner, expected) in [
        ("<p:a/>", format!("{envelope_path}/a {prefix}")),
        ("<a p:b='1'/>", format!("{envelope_path}/a {prefix}")),
        ("<a:/>", format!("{envelope_path}/ {prefix}")),
        ("<a b='é'/>", format!("{envelope_path}/a {set}")),
        ("<a>é</a>", format!("{envelope_path}/a {set}")),
        ("<a>&#233;</a>", format!("{envelope_path}/a {set}")),
    ] {
        check(any(inner), "pacs.008.001.10");
        assert_eq!(verdict(any(inner), Mode::National), expected);
    }
    let foreign = format!("<Other>{HEADER}{}</Other>", bare());
    assert_eq!(
        verdict(foreign, Mode::National),
        "/Other the root element is not a known message unknown-message"
    );
}

#[test]
fn the_limits() {
    let long = Parser::new()
        .parse(
            &vec![b' '; crate::limits::MESSAGE_BYTES_MAX + 1],
            Mode::SchemaOnly,
        )
        .unwrap_err();
    assert_eq!(long.to_string(), "/ message_bytes_max 10000000 limit");
    let any = |inner: &str| {
        with(
            "</RmtInf>",
            &format!("</RmtInf><SplmtryData><Envlp>{inner}</Envlp></SplmtryData>"),
        )
    };
    // Document, FIToFICstmrCdtTrf, CdtTrfTxInf, SplmtryData, Envlp.
    let nested = |depth: usize| {
        any(&format!(
            "{}{}",
            "<a>".repeat(depth - 5),
            "</a>".repeat(depth - 5)
        ))
    };
    check(nested(DEPTH_MAX), "pacs.008.001.10");
    assert!(verdict(nested(DEPTH_MAX + 1), Mode::SchemaOnly).ends_with("depth_max 257 limit"));
    let attributes = |count: usize| {
        let list: String = (0..count).map(|i| format!(" a{i}=''")).collect();
        any(&format!("<a{list}/>"))
    };
    check(attributes(ATTRIBUTES_MAX), "pacs.008.001.10");
    assert!(
        verdict(attributes(ATTRIBUTES_MAX + 1), Mode::SchemaOnly)
            .ends_with("attributes_max 64 limit")
    );
    let namespaces = |count: usize| {
        let open: String = (0..count).map(|i| format!("<a xmlns:p{i}='u'>")).collect();
        any(&format!("{open}{}", "</a>".repeat(count)))
    };
    // The document declares one itself, and nesting ends before all are used; so several stand in one tag.
    let many = format!(
        "<a{}><b{}><c{}><d{}/></c></b></a>",
        declarations(0..64),
        declarations(64..128),
        declarations(128..192),
        declarations(192..NAMESPACES_MAX)
    );
    assert!(verdict(any(&many), Mode::SchemaOnly).ends_with("namespaces_max 256 limit"));
    check(namespaces(200), "pacs.008.001.10");
    let strict = Limits {
        message_bytes_max: 10,
        depth_max: 3,
        attributes_max: usize::MAX,
    };
    let mut parser = Parser::new().with_limits(strict);
    assert_eq!(
        parser
            .parse(b"<a><b></b>c</a>", Mode::SchemaOnly)
            .unwrap_err()
            .rule
            .to_string(),
        "message_bytes_max 10"
    );
    assert_eq!(parser.limits.attributes_max, ATTRIBUTES_MAX);
    let mut parser = Parser::new().with_limits(Limits {
        depth_max: 3,
        ..Limits::default()
    });
    let refusal = parser
        .parse(BENCH.as_bytes(), Mode::SchemaOnly)
        .unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "/Document/FIToFICstmrCdtTrf/GrpHdr depth_max 3 limit"
    );
}

fn declarations(range: std::ops::Range<usize>) -> String {
    range.map(|i| format!(" xmlns:p{i}='u'")).collect()
}
