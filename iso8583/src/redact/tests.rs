use crate::{dialect::Dialect, message::Message, mti::Mti, write::Writer};

/// Number of a field, its value, and what is left of it.
type Row<'a> = (u8, &'a [u8], &'a [u8]);

#[track_caller]
fn check(dialect: &Dialect, mti: u16, fields: &[Row<'_>]) {
    let write = |value: fn(&Row<'_>) -> Vec<u8>| {
        let mut out = Vec::new();
        let mut writer = Writer::start(dialect, Mti::new(mti).unwrap(), &mut out);
        for field in fields {
            writer.field(field.0, &value(field)).unwrap();
        }
        writer.finish().unwrap();
        out
    };
    let (before, after) = (
        write(|field| field.1.to_vec()),
        write(|field| field.2.to_vec()),
    );
    let mut out = b"before".to_vec();
    Message::parse(dialect, &before).unwrap().redacted(&mut out);
    assert_eq!(
        out[6..].escape_ascii().to_string(),
        after.escape_ascii().to_string()
    );
}

#[test]
fn secrets_are_put_out_of_sight_and_the_rest_stays() {
    check(
        Dialect::national(),
        200,
        &[
            (2, b"4111111111111111", b"4111110000001111"),
            (4, b"000000125000", b"000000125000"),
            (35, b"4111111111111111=2812101", b"000000000000000000000000"),
            (
                45,
                b"B4111111111111111^TEST/CARD",
                b"000000000000000000000000000",
            ),
            (
                48,
                b"CH03WEBCV03123TK164111111111111111EC0205",
                b"CH03WEBCV03000TK164111110000001111EC0205",
            ),
            (52, &[1, 2, 3, 4, 5, 6, 7, 8], &[0; 8]),
            (
                55,
                &[
                    0x9C, 1, 9, 0x57, 3, 0x41, 0x11, 0xD2, 0x5A, 8, 0x41, 0x11, 0x11, 0x11, 0x11,
                    0x11, 0x11, 0x11,
                ],
                &[
                    0x9C, 1, 9, 0x57, 3, 0, 0, 0, 0x5A, 8, 0x41, 0x11, 0x11, 0, 0, 0, 0x11, 0x11,
                ],
            ),
            (110, &[7; 16], &[0; 16]),
            (
                125,
                b"KB016D0016P0TE00E0000KV006A1B2C3",
                b"KB0160000000000000000KV006A1B2C3",
            ),
            (128, &[1; 8], &[0; 8]),
        ],
    );
}

#[test]
fn what_cannot_be_taken_apart_goes_as_a_whole() {
    check(
        Dialect::national(),
        200,
        &[
            (
                48,
                b"CV03123TK994111111111111111",
                b"000000000000000000000000000",
            ),
            (55, &[0x5A, 8, 0x41, 0x11], &[0; 4]),
        ],
    );
}

#[test]
fn templates_are_looked_through() {
    check(
        Dialect::national(),
        200,
        &[(
            55,
            &[0x71, 6, 0x9C, 1, 9, 0x57, 1, 0x41, 0xE1, 3, 0x5A, 7, 0x41],
            &[0x71, 6, 0x9C, 1, 9, 0x57, 1, 0, 0xE1, 3, 0, 0, 0],
        )],
    );
}

#[test]
fn packed_digits_ebcdic_and_hexadecimal() {
    check(
        Dialect::iso93_bcd(),
        1200,
        &[
            (2, b"378282246310005", b"378282000000005"),
            (35, b"378282246310005=281", b"0000000000000000000"),
            (48, b"CV03123EC0205", b"CV03000EC0205"),
            (96, &[9, 9], &[0, 0]),
        ],
    );
    check(
        Dialect::iso87_ascii(),
        200,
        &[
            (34, b"59411111=1", b"0000000000"),
            (52, &[1, 2, 3, 4, 5, 6, 7, 8], &[0; 8]),
            (
                55,
                &[0x9C, 1, 9, 0x57, 3, 0x41, 0x11, 0xD2],
                &[0x9C, 1, 9, 0x57, 3, 0, 0, 0],
            ),
        ],
    );
}
