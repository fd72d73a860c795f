use super::time;
use super::xml::Xml;

fn written(write: impl FnOnce(&mut Xml<'_>)) -> String {
    let mut out = Vec::new();
    write(&mut Xml::new(&mut out));
    String::from_utf8(out).unwrap()
}

#[test]
fn text_is_escaped_and_cut_in_characters() {
    let check = |text: &str, limit: usize, expect: &str| {
        assert_eq!(written(|xml| xml.text(text, limit)), expect, "{text:?}");
    };
    check("plain", 5, "plain");
    check("plain", 4, "plai");
    check("a<b>&c]]>", 35, "a&lt;b&gt;&amp;c]]&gt;");
    check("&&&", 2, "&amp;&amp;");
    check("Қазақстан", 9, "Қазақстан");
    check("Қазақстан", 5, "Қазақ");
    check("tab\tline\nreturn\r", 35, "tab\tline\nreturn&#13;");
    check("\u{0}\u{1f}\u{fffe}\u{ffff}\u{1f600}", 35, "    \u{1f600}");
    check("", 35, "");
}

#[test]
fn amounts_have_two_decimals() {
    for (tiyn, expect) in [
        (0, "0.00"),
        (1, "0.01"),
        (10, "0.10"),
        (100, "1.00"),
        (1_525_000, "15250.00"),
        (u64::MAX, "184467440737095516.15"),
    ] {
        assert_eq!(written(|xml| xml.amount(tiyn)), expect);
    }
}

#[test]
fn times_are_local_with_milliseconds() {
    for (nanoseconds, expect) in [
        (0, "1970-01-01T05:00:00.000+05:00"),
        (1_795_234_527_123_999_999, "2026-11-21T09:15:27.123+05:00"),
        (1_798_743_599_999_000_000, "2026-12-31T23:59:59.999+05:00"),
        (1_798_743_600_000_000_000, "2027-01-01T00:00:00.000+05:00"),
        (u64::MAX, "2554-07-22T04:34:33.709+05:00"),
    ] {
        assert_eq!(std::str::from_utf8(&time::local(nanoseconds)), Ok(expect));
    }
}

#[test]
fn a_time_written_reads_back_to_the_millisecond() {
    let mut nanoseconds = 0;
    while nanoseconds < 16_000_000_000_000_000_000 {
        let text = time::local(nanoseconds);
        let read = crate::view::time::parse(std::str::from_utf8(&text).unwrap());
        assert_eq!(read, Ok(nanoseconds / 1_000_000 * 1_000_000));
        nanoseconds += 7_777_777_777_777_777;
    }
}
