//! Which dialect a target reads by.

use torap_iso8583::Dialect;

/// One of the three that come with the crate.
pub fn dialect(choice: u8) -> &'static Dialect {
    match choice % 3 {
        0 => Dialect::national(),
        1 => Dialect::iso87_ascii(),
        _ => Dialect::iso93_bcd(),
    }
}
