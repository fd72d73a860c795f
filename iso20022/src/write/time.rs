//! Times as the national profile writes them.

use crate::view::time::{DAY_SECONDS, civil_from_day};

/// Business time is UTC+5 all year.
const OFFSET_SECONDS: u64 = 5 * 3600;

/// Appends a time.
pub(crate) fn time(out: &mut Vec<u8>, nanoseconds: u64) {
    out.extend_from_slice(&local(nanoseconds));
}

/// `YYYY-MM-DDThh:mm:ss.mmm+05:00` of nanoseconds since 1970 UTC; digits below the millisecond are cut.
pub(super) fn local(nanoseconds: u64) -> [u8; 29] {
    let milliseconds = nanoseconds / 1_000_000;
    let seconds = milliseconds / 1000 + OFFSET_SECONDS;
    let (year, month, day) = civil_from_day(seconds / DAY_SECONDS);
    let second_of_day = seconds % DAY_SECONDS;
    let mut text = *b"0000-00-00T00:00:00.000+05:00";
    let mut put = |position: usize, width: usize, mut value: u64| {
        for place in text.iter_mut().skip(position).take(width).rev() {
            *place = b'0' + (value % 10) as u8;
            value /= 10;
        }
    };
    put(0, 4, year);
    put(5, 2, month);
    put(8, 2, day);
    put(11, 2, second_of_day / 3600);
    put(14, 2, second_of_day / 60 % 60);
    put(17, 2, second_of_day % 60);
    put(20, 3, milliseconds % 1000);
    text
}
