//! International bank account numbers (ISO 13616): strict for Kazakhstan, length and check digits elsewhere.

use crate::digits::digit;
use crate::text::Text;
use std::fmt;

/// A checked IBAN in electronic form: upper case, no blanks, at most 34 characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Iban(Text<34>);

/// The three-digit code of a Kazakhstani bank inside its IBANs; leading zeros count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BankCode(u16);

rules! {
    /// Why an IBAN or a bank code was refused.
    IbanError {
        Characters => "iban-characters", "an IBAN is 2 upper-case letters, 2 digits, then upper-case letters and digits, without blanks";
        CountryUnknown => "iban-country", "the country of the IBAN is not in the IBAN registry";
        Length => "iban-length", "the IBAN does not have the length of its country";
        CheckDigits => "iban-check-digits", "the check digits of the IBAN are wrong (ISO 7064 mod 97-10)";
        BankCode => "iban-bank-code", "the bank code of a KZ IBAN is 3 digits";
    }
}

/// Length of an IBAN by country, from the IBAN registry (ISO 13616-2), sorted by country.
const LENGTHS: [(&str, u8); 89] = [
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BI", 27),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DJ", 27),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FK", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HN", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MN", 20),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NI", 28),
    ("NL", 18),
    ("NO", 15),
    ("OM", 23),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("RU", 33),
    ("SA", 24),
    ("SC", 31),
    ("SD", 18),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("SO", 23),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
    ("YE", 30),
];

impl Iban {
    /// Reads an IBAN in electronic form. Checked for every country: characters, registered length, check digits
    /// between 02 and 98 with remainder 1. A KZ IBAN is `KZ`, 2 check digits, 3 digits of the bank, 13 letters or
    /// digits of the account.
    pub fn parse(text: &str) -> Result<Iban, IbanError> {
        let bytes = text.as_bytes();
        let [first, second, check_1, check_2, rest @ ..] = bytes else {
            return Err(IbanError::Characters);
        };
        let characters_right = first.is_ascii_uppercase()
            && second.is_ascii_uppercase()
            && check_1.is_ascii_digit()
            && check_2.is_ascii_digit()
            && rest
                .iter()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if !characters_right {
            return Err(IbanError::Characters);
        }
        let length = registered_length(text).ok_or(IbanError::CountryUnknown)?;
        if text.len() != usize::from(length) {
            return Err(IbanError::Length);
        }
        // 00, 01 and 99 are congruent to 97, 98 and 02, yet never issued: ISO 13616 check digits run from 02 to 98.
        let issued = !matches!((check_1, check_2), (b'0', b'0' | b'1') | (b'9', b'9'));
        let turned = rest.iter().chain([first, second, check_1, check_2]);
        if !issued || remainder_97(turned.copied()) != 1 {
            return Err(IbanError::CheckDigits);
        }
        if text.starts_with("KZ") && !rest.iter().take(3).all(u8::is_ascii_digit) {
            return Err(IbanError::BankCode);
        }
        Text::try_from(text)
            .map(Iban)
            .map_err(|_| IbanError::Length)
    }

    /// The KZ IBAN of `account` (13 upper-case letters or digits) at `bank`, with its check digits computed.
    pub fn for_kz(bank: BankCode, account: &str) -> Result<Iban, IbanError> {
        if account.len() != 13 {
            return Err(IbanError::Length);
        }
        if !account
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        {
            return Err(IbanError::Characters);
        }
        let bare: Text<34> =
            Text::format(format_args!("{bank}{account}KZ00")).map_err(|_| IbanError::Length)?;
        let check = 98_u64.saturating_sub(remainder_97(bare.as_bytes().iter().copied()));
        let text: Text<34> = Text::format(format_args!("KZ{check:02}{bank}{account}"))
            .map_err(|_| IbanError::Length)?;
        Iban::parse(text.as_str())
    }

    /// The number in electronic form.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The two letters of the country.
    pub fn country(&self) -> &str {
        self.as_str().get(..2).unwrap_or_default()
    }

    /// The bank's code of a KZ IBAN; none for other countries.
    pub fn bank_code(&self) -> Option<BankCode> {
        match self.as_bytes() {
            [b'K', b'Z', _, _, code @ ..] => BankCode::from_digits(code.get(..3)?).ok(),
            _ => None,
        }
    }

    /// The number as bytes, all ASCII.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl BankCode {
    /// Reads exactly three digits.
    pub fn parse(text: &str) -> Result<BankCode, IbanError> {
        BankCode::from_digits(text.as_bytes())
    }

    fn from_digits(digits: &[u8]) -> Result<BankCode, IbanError> {
        let &[a, b, c] = digits else {
            return Err(IbanError::BankCode);
        };
        let mut value: u16 = 0;
        for byte in [a, b, c] {
            let digit = digit(byte).ok_or(IbanError::BankCode)?;
            value = value.saturating_mul(10).saturating_add(u16::from(digit));
        }
        Ok(BankCode(value))
    }

    /// The code of a number from 0 to 999.
    pub const fn from_value(value: u16) -> Option<BankCode> {
        if value <= 999 {
            Some(BankCode(value))
        } else {
            None
        }
    }

    /// The code as a number from 0 to 999.
    pub const fn value(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Iban {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for BankCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:03}", self.0)
    }
}

fn registered_length(iban: &str) -> Option<u8> {
    let country = iban.get(..2)?;
    let place = LENGTHS
        .binary_search_by(|(code, _)| code.cmp(&country))
        .ok()?;
    LENGTHS.get(place).map(|(_, length)| *length)
}

/// ISO 7064 mod 97 over letters (A = 10 … Z = 35) and digits. Divides only when the number grows long.
fn remainder_97(bytes: impl Iterator<Item = u8>) -> u64 {
    let sum = bytes.fold(0_u64, |sum, byte| {
        let (shift, value) = match digit(byte) {
            Some(value) => (10, value),
            None => (100, byte.wrapping_sub(b'A').saturating_add(10)),
        };
        let sum = sum.saturating_mul(shift).saturating_add(u64::from(value));
        if sum < LONG { sum } else { sum % 97 }
    });
    sum % 97
}

/// Two more digits still fit a `u64` behind a number below this.
const LONG: u64 = 1_000_000_000_000_000;

#[cfg(test)]
mod tests;
