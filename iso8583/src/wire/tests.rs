use super::*;
use crate::code_page::CODE_PAGES;

fn shape(
    class: Class,
    length: Length,
    encoding: Encoding,
    length_encoding: LengthEncoding,
) -> Shape {
    Shape {
        class,
        length,
        encoding,
        length_encoding,
        sign_ebcdic: encoding == Encoding::BcdRight,
    }
}

const LL: Length = Length::Variable {
    digits: 2,
    min: 1,
    max: 37,
};
const LLL: Length = Length::Variable {
    digits: 3,
    min: 0,
    max: 300,
};

/// A text becomes these bytes, and these bytes become the text.
#[track_caller]
fn check(shape: Shape, text: &[u8], wire: &[u8]) {
    let page = &CODE_PAGES[0];
    let mut out = vec![0xEE];
    shape.write(page, text, &mut out).unwrap();
    assert_eq!(&out[1..], wire);
    // Bytes behind it belong to the next value.
    let found = shape.find(page, &[&out[..], &[0x99]].concat(), 1).unwrap();
    assert_eq!(
        (found.start, found.end),
        (1 + shape.prefix_bytes(), out.len())
    );
    let mut room = [0; 400];
    let read = shape.text(page, &out[found.start..found.end], found.units, &mut room);
    assert_eq!(read, Some(text));
}

/// These bytes are refused, at this place and by this rule.
#[track_caller]
fn refuse(shape: Shape, wire: &[u8], expect: Breach) {
    let found = shape.find(&CODE_PAGES[0], wire, 0);
    assert_eq!(found.map(|found| found.end), Err(expect));
}

#[test]
fn ascii_and_ebcdic_text() {
    use {Encoding::*, LengthEncoding as L};
    check(
        shape(Class::Printable, LL, Ascii, L::Ascii),
        b"Aa 1",
        b"04Aa 1",
    );
    check(
        shape(Class::Printable, LL, Ebcdic, L::Ebcdic),
        b"Aa 1",
        &[0xF0, 0xF4, 0xC1, 0x81, 0x40, 0xF1],
    );
    check(
        shape(Class::Printable, LLL, Ebcdic, L::Bcd),
        b"Z",
        &[0x00, 0x01, 0xE9],
    );
    check(
        shape(Class::Printable, LLL, Ascii, L::Binary),
        &[b'x'; 258],
        &[&[1, 2][..], &[b'x'; 258]].concat(),
    );
    check(
        shape(Class::Printable, LL, Ascii, L::Bcd),
        &[b'x'; 37],
        &[&[0x37][..], &[b'x'; 37]].concat(),
    );
    check(
        shape(Class::Numeric, Length::Fixed(3), Ascii, L::Ascii),
        b"398",
        b"398",
    );
    check(
        shape(Class::SignedAmount, Length::Fixed(3), Ebcdic, L::Ascii),
        b"C10",
        &[0xC3, 0xF1, 0xF0],
    );
}

#[test]
fn packed_digits_to_both_sides() {
    use {Encoding::*, LengthEncoding as L};
    check(
        shape(Class::Numeric, Length::Fixed(4), BcdRight, L::Bcd),
        b"1234",
        &[0x12, 0x34],
    );
    check(
        shape(Class::Numeric, Length::Fixed(3), BcdRight, L::Bcd),
        b"398",
        &[0x03, 0x98],
    );
    check(
        shape(Class::Numeric, Length::Fixed(3), BcdLeft, L::Bcd),
        b"398",
        &[0x39, 0x8F],
    );
    check(
        shape(Class::Numeric, LL, BcdRight, L::Bcd),
        b"41234",
        &[0x05, 0x04, 0x12, 0x34],
    );
    check(
        shape(Class::Numeric, LL, BcdLeft, L::Ascii),
        b"41234",
        &[b'0', b'5', 0x41, 0x23, 0x4F],
    );
    check(
        shape(Class::Track, LL, BcdLeft, L::Binary),
        b"41=28",
        &[0x05, 0x41, 0xD2, 0x8F],
    );
    check(
        shape(Class::SignedAmount, Length::Fixed(9), BcdRight, L::Bcd),
        b"D00012345",
        &[0xC4, 0, 1, 0x23, 0x45],
    );
    let ascii_sign = Shape {
        sign_ebcdic: false,
        ..shape(Class::SignedAmount, Length::Fixed(4), BcdRight, L::Bcd)
    };
    check(ascii_sign, b"C123", &[b'C', 0x01, 0x23]);
}

#[test]
fn bytes_and_hexadecimal() {
    use {Encoding::*, LengthEncoding as L};
    check(
        shape(Class::Binary, Length::Fixed(2), Binary, L::Ascii),
        &[0xAB, 0x01],
        &[0xAB, 0x01],
    );
    check(
        shape(Class::Binary, Length::Fixed(4), Hex, L::Ascii),
        &[0xAB, 0x01],
        b"AB01",
    );
    check(shape(Class::Binary, LLL, Hex, L::Ascii), &[0x5C], b"0025C");
    check(shape(Class::Binary, LLL, Binary, L::Ascii), &[], b"000");
}

#[test]
fn lengths_that_are_wrong() {
    use {Encoding::*, LengthEncoding as L};
    let text = |length_encoding| shape(Class::Printable, LL, Ascii, length_encoding);
    refuse(text(L::Ascii), b"0", (0, Rule::Truncated));
    refuse(text(L::Ascii), b"05abcd", (2, Rule::Truncated));
    refuse(text(L::Ascii), b"00", (0, Rule::TooShort { min: 1 }));
    refuse(text(L::Ascii), b"38", (0, Rule::TooLong { max: 37 }));
    refuse(text(L::Ascii), b"+1a", (0, Rule::LengthDigits));
    refuse(text(L::Ebcdic), b"01a", (0, Rule::LengthDigits));
    refuse(text(L::Bcd), &[0x0A, 0, 0], (0, Rule::LengthDigits));
    refuse(text(L::Binary), &[38], (0, Rule::TooLong { max: 37 }));
    let three = shape(Class::Printable, LLL, Ascii, L::Bcd);
    refuse(three, &[0x10, 0x01, b'a'], (0, Rule::Filler));
    let hex = shape(Class::Binary, LLL, Hex, L::Ascii);
    refuse(hex, b"003ABC", (3, Rule::Truncated));
}

#[test]
fn characters_that_are_wrong() {
    use {Encoding::*, LengthEncoding as L};
    let wrong = |place, class| (place, Rule::CharacterSet(class));
    refuse(
        shape(Class::Numeric, Length::Fixed(3), Ascii, L::Ascii),
        b"39 ",
        wrong(2, Class::Numeric),
    );
    refuse(
        shape(Class::Numeric, Length::Fixed(3), Ebcdic, L::Ascii),
        b"398",
        wrong(0, Class::Numeric),
    );
    refuse(
        shape(Class::Binary, Length::Fixed(2), Hex, L::Ascii),
        b"aB",
        wrong(0, Class::Binary),
    );
    let packed = |encoding, units| shape(Class::Numeric, Length::Fixed(units), encoding, L::Bcd);
    refuse(packed(BcdRight, 4), &[0x12, 0x3A], wrong(1, Class::Numeric));
    refuse(packed(BcdRight, 3), &[0x13, 0x98], (0, Rule::Filler));
    refuse(packed(BcdLeft, 3), &[0x39, 0x80], (1, Rule::Filler));
    refuse(packed(BcdLeft, 4), &[0x39, 0xD0], wrong(1, Class::Numeric));
    let amount = shape(Class::SignedAmount, Length::Fixed(3), BcdRight, L::Bcd);
    refuse(amount, &[b'C', 0x12], wrong(0, Class::SignedAmount));
    let page = &CODE_PAGES[0];
    let mut out = Vec::new();
    let number = shape(Class::Numeric, LL, BcdRight, L::Bcd);
    assert_eq!(
        number.write(page, b"12x", &mut out),
        Err(wrong(2, Class::Numeric))
    );
    assert_eq!(
        number.write(page, b"", &mut out),
        Err((0, Rule::TooShort { min: 1 }))
    );
    assert_eq!(
        number.write(page, &[b'1'; 38], &mut out),
        Err((0, Rule::TooLong { max: 37 }))
    );
    assert!(out.is_empty());
}

#[test]
fn text_does_not_go_where_there_is_no_room_for_it() {
    let number = shape(
        Class::Numeric,
        Length::Fixed(4),
        Encoding::BcdRight,
        LengthEncoding::Bcd,
    );
    assert_eq!(
        number.text(&CODE_PAGES[0], &[0x12, 0x34], 4, &mut [0; 3]),
        None
    );
}
