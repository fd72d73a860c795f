//! docs/hsm.md says what is true here.

use super::*;

const PAGE: &str = include_str!("../../../../../docs/hsm.md");

/// The first two cells of every table row that begins with a number.
fn numbered_rows() -> Vec<(u32, &'static str)> {
    PAGE.lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| ")?.split(" | ");
            let number = cells.next()?.parse().ok()?;
            Some((number, cells.next()?))
        })
        .collect()
}

#[test]
fn every_command_field_and_status_is_on_the_page() {
    let rows = numbered_rows();
    let has = |number: u16, name: &str| {
        assert!(
            rows.contains(&(number.into(), name)),
            "docs/hsm.md has no row {number} {name}"
        );
    };
    for command in Command::ALL {
        has(command.code(), &format!("{command:?}"));
    }
    for field in Field::ALL {
        let name = format!("{field:?}");
        let words = name.char_indices().map(|(at, letter)| {
            let gap = if at > 0 && letter.is_uppercase() {
                "_"
            } else {
                ""
            };
            format!("{gap}{}", letter.to_uppercase())
        });
        has(field.code(), &words.collect::<String>());
    }
    for status in Status::ALL {
        has(status.code(), status.name());
    }
}

#[test]
fn the_worked_example_is_right() {
    let mut echo = BytesMut::new();
    encode_request(&Request::Echo(b"hi"), 7, &mut echo).expect("short");
    let mut done = BytesMut::new();
    let answer = Ok(Response::Echo(b"hi".to_vec()));
    encode_response(Command::Echo, 7, &answer, &mut done);
    let mut refused = BytesMut::new();
    let answer = Err(Status::KeyBlockInvalid);
    encode_response(Command::TranslatePin, 8, &answer, &mut refused);
    for frame in [echo, done, refused] {
        let hex: Vec<String> = frame.iter().map(|byte| format!("{byte:02x}")).collect();
        let line = hex.join(" ");
        assert!(
            PAGE.lines().any(|own| own == line),
            "docs/hsm.md lacks {line}"
        );
    }
}

#[test]
fn the_limits_on_the_page_are_the_limits() {
    use crate::limits::*;
    for (limit, text) in [
        (FRAME_BYTES_MAX as u64, "20 to 40,960"),
        (PREFIX_BYTES as u64, "20 to 40,960"),
        (MAC_DATA_BYTES_MAX as u64, "0 to 32,768 bytes"),
        (ECHO_BYTES_MAX as u64, "Echo: 0 to 64 bytes"),
        (FIELDS_MAX as u64, "at most 32"),
        (NAME_BYTES_MAX as u64, "1 to 64 bytes of UTF-8"),
        (ECHO_NS / 1_000_000_000, "After 5 s without a word"),
        (SILENCE_NS_MAX / 1_000_000_000, "says nothing for 3 s"),
        (RECONNECT_NS_MIN / 1_000_000, "after 100 ms"),
        (RECONNECT_NS_MAX / 1_000_000_000, "up to 5 s"),
    ] {
        assert!(PAGE.contains(text), "docs/hsm.md does not say {text}");
        let plain = text.replace(',', "");
        let numbers = plain.split(|letter: char| !letter.is_ascii_digit());
        let said = numbers
            .filter_map(|word| word.parse().ok())
            .any(|number: u64| number == limit);
        assert!(said, "{text} is not {limit}");
    }
}
