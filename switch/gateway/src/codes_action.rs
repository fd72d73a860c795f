//! DE39 of the 1993 dialect: three-digit action codes, and the national code that each stands for.
//!
//! The engine and the national dialect know two-character codes; a host of the 1993 dialect knows action codes. This is the one table between
//! them, both ways; `docs/cards.md` shows it to banks, and a test keeps both equal. What is an approval in a payment is "accepted" with a number
//! of its own in other classes of messages.
//!
//! The standard itself is not public. Numbers and meanings were compared with code lists that operators of 1993 hosts publish for their
//! merchants: 000 to 007, 100 to 129, 200 to 210, 400 and 900 to 923 agree with them; 300 to 309, 500 to 504 and 600 to 603 are found in few.

/// Pairs that stand for each other both ways.
const PAIRS: [(&[u8; 2], u16); 53] = [
    (b"00", 0),
    (b"01", 107),
    (b"03", 109),
    (b"04", 200),
    (b"05", 100),
    (b"06", 190),
    (b"10", 2),
    (b"12", 902),
    (b"13", 110),
    (b"14", 111),
    (b"15", 908),
    (b"17", 191),
    (b"19", 903),
    (b"1A", 112),
    (b"21", 192),
    (b"22", 193),
    (b"25", 914),
    (b"30", 904),
    (b"31", 905),
    (b"32", 194),
    (b"38", 206),
    (b"40", 115),
    (b"41", 208),
    (b"43", 209),
    (b"51", 116),
    (b"52", 114),
    (b"54", 101),
    (b"55", 117),
    (b"57", 119),
    (b"58", 120),
    (b"59", 102),
    (b"61", 121),
    (b"62", 104),
    (b"63", 122),
    (b"64", 195),
    (b"65", 123),
    (b"68", 911),
    (b"75", 106),
    (b"76", 601),
    (b"77", 603),
    (b"78", 125),
    (b"81", 126),
    (b"82", 129),
    (b"86", 920),
    (b"88", 921),
    (b"90", 906),
    (b"91", 907),
    (b"92", 912),
    (b"93", 124),
    (b"94", 913),
    (b"95", 915),
    (b"96", 909),
    (b"97", 950),
];

/// National codes without an action code of their own.
const CODES_ONLY: [(&[u8; 2], u16); 3] = [(b"39", 114), (b"53", 114), (b"85", 0)];

/// Action codes without a national code of their own.
const ACTIONS_ONLY: [(u16, &[u8; 2]); 49] = [
    // Approvals, whatever is to be done besides: the issuer has counted them.
    (1, b"00"),
    (3, b"00"),
    (4, b"00"),
    (5, b"00"),
    (6, b"10"),
    (7, b"00"),
    (103, b"05"),
    (105, b"05"),
    (108, b"01"),
    (113, b"05"),
    (118, b"14"),
    (127, b"81"),
    (128, b"81"),
    (201, b"04"),
    (202, b"04"),
    (203, b"04"),
    (204, b"04"),
    (205, b"04"),
    (207, b"04"),
    (210, b"04"),
    (300, b"00"),
    (301, b"40"),
    (302, b"25"),
    (303, b"00"),
    (304, b"30"),
    (305, b"96"),
    (306, b"06"),
    (307, b"30"),
    (308, b"94"),
    (309, b"25"),
    (400, b"00"),
    (500, b"00"),
    (501, b"95"),
    (502, b"95"),
    (503, b"95"),
    (504, b"95"),
    (600, b"00"),
    (602, b"25"),
    (700, b"00"),
    (800, b"00"),
    (900, b"00"),
    (901, b"00"),
    (910, b"91"),
    (916, b"63"),
    (917, b"63"),
    (918, b"88"),
    (919, b"88"),
    (922, b"96"),
    (923, b"94"),
];

/// For a code that is in no table: "do not honour".
const DO_NOT_HONOUR: u16 = 100;

/// The action code for a national code in an answer of this class (second digit of the message type). A code that nobody knows becomes "do not
/// honour".
pub fn action(class: u8, code: &[u8]) -> u16 {
    let mut known = PAIRS.iter().chain(&CODES_ONLY);
    let found = known.find(|(national, _)| national.as_slice() == code);
    match (found, class) {
        (None, _) => DO_NOT_HONOUR,
        (Some((_, 0)), 3..=6 | 8) => u16::from(class).saturating_mul(100),
        (Some((b"25", _)), 3) => 302,
        (Some((b"95", _)), 5) => 501,
        (Some((_, action)), _) => *action,
    }
}

/// The national code for an action code. One that nobody knows declines, as unknown national codes do.
pub fn national(action: u16) -> &'static [u8; 2] {
    let pair = PAIRS.iter().find(|(_, known)| *known == action);
    let single = ACTIONS_ONLY.iter().find(|(known, _)| *known == action);
    match (pair, single, action) {
        (Some((code, _)), _, _) | (None, Some((_, code)), _) => code,
        (None, None, 200..=299) => b"04",
        (None, None, 300..) => b"96",
        (None, None, _) => b"05",
    }
}

#[cfg(test)]
mod tests;
