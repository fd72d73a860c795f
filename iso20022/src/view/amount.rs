//! Amounts of money as the national profile reads them.

/// Tiyn of a decimal number of tenge: digits, then at most a point and one or two digits. No sign, no blanks.
///
/// # Errors
/// The code of the rule that is broken: `amount-form`, `amount-decimals` (more than two, even if they are zeros),
/// `amount-zero` or `amount-range` (does not fit 64 bits).
pub(crate) fn parse(text: &str) -> Result<u64, &'static str> {
    let (whole, decimals) = text
        .split_once('.')
        .map_or((text, None), |(whole, decimals)| (whole, Some(decimals)));
    let hundredths = match decimals.map(str::as_bytes) {
        None => 0,
        Some([tens]) => digit(*tens).ok_or("amount-form")? * 10,
        Some([tens, ones]) => {
            digit(*tens).ok_or("amount-form")? * 10 + digit(*ones).ok_or("amount-form")?
        }
        Some(more) if more.len() > 2 && more.iter().all(u8::is_ascii_digit) => {
            return Err("amount-decimals");
        }
        Some(_) => return Err("amount-form"),
    };
    if whole.is_empty() {
        return Err("amount-form");
    }
    let mut value: u64 = 0;
    for byte in whole.bytes() {
        let digit = digit(byte).ok_or("amount-form")?;
        value = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(digit))
            .ok_or("amount-range")?;
    }
    let tiyn = value
        .checked_mul(100)
        .and_then(|tiyn| tiyn.checked_add(hundredths))
        .ok_or("amount-range")?;
    if tiyn == 0 {
        Err("amount-zero")
    } else {
        Ok(tiyn)
    }
}

fn digit(byte: u8) -> Option<u64> {
    byte.is_ascii_digit().then(|| u64::from(byte - b'0'))
}
