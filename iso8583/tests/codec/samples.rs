//! Messages of our own, with test cards. Benches use them as well.

use torap_iso8583::{Dialect, Mti, Writer};

/// Chip data of 130 bytes: 20 data objects, the last in no table.
pub const CHIP: &str = "5F2A0203985F34010182023C008407A0000000031010950580800080009A032611219C01009F02060000012500009F03060000000000009F10\
    0706010A03A4A0029F1A0203989F1E0830303030303031329F26081122334455667788\
    9F2701809F3303E0F8C89F34030203009F3501229F360201A59F3704A1B2C3D4DF0103010203";

/// A purchase of 1 250.00 with chip and PIN: 22 fields, as an acquirer sends it.
pub const PURCHASE: &[(u8, &[u8])] = &[
    (2, b"4000001234567899"),
    (3, b"000000"),
    (4, b"000000125000"),
    (7, b"1121130405"),
    (11, b"000123"),
    (12, b"180405"),
    (13, b"1121"),
    (18, b"5411"),
    (22, b"051"),
    (24, b"200"),
    (25, b"00"),
    (32, b"601"),
    (35, b"4000001234567899=28122011234500001230"),
    (37, b"632613000123"),
    (41, b"T0000012"),
    (42, b"M00000000000012"),
    (43, b"Magnum Express Dostyk    Almaty       KZ"),
    (48, b"CH03POSFS03042WA02AP"),
    (49, b"398"),
    (52, &[0x1A, 0x2B, 0x3C, 0x4D, 0x5E, 0x6F, 0x70, 0x81]),
    (53, b"0000000100000000"),
];

/// Hexadecimal to bytes; blanks count for nothing.
pub fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits
        .chunks(2)
        .map(|pair| (pair[0] * 16 + pair[1]) as u8)
        .collect()
}

/// Writes fields, which ascend, as a message.
pub fn message(dialect: &Dialect, mti: u16, fields: &[(u8, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::start(dialect, Mti::new(mti).unwrap(), &mut out);
    for (number, value) in fields {
        writer.field(*number, value).unwrap();
    }
    writer.finish().unwrap();
    out
}

/// The purchase with its chip data, in any dialect with these fields.
pub fn purchase(dialect: &Dialect) -> Vec<u8> {
    let chip = bytes(CHIP);
    let mut fields = PURCHASE.to_vec();
    fields.push((55, &chip));
    message(dialect, 200, &fields)
}
