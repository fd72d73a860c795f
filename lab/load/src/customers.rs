//! Customers: persons with an account and a phone, made from a number when they are needed.

use torap_domain::{BankCode, Iban, IinBin, Phone};

const SURNAMES: [&str; 12] = [
    "АХМЕТОВ",
    "ИВАНОВ",
    "СЕРІКОВ",
    "КИМ",
    "ОМАРОВ",
    "ПЕТРОВ",
    "НҰРЛАНОВ",
    "ТӨЛЕГЕНОВ",
    "ЦОЙ",
    "ӘБІШЕВ",
    "СМАИЛОВ",
    "КУЗНЕЦОВ",
];
const NAMES: [&str; 8] = [
    "АЙДАР",
    "СЕРГЕЙ",
    "ЕРЛАН",
    "ВИКТОР",
    "ДӘУРЕН",
    "ПАВЕЛ",
    "БОЛАТ",
    "САНЖАР",
];
const PATRONYMICS: [&str; 8] = [
    "СЕРИКОВИЧ",
    "ПЕТРОВИЧ",
    "МАРАТОВИЧ",
    "АЛЕКСЕЕВИЧ",
    "ҚАЙРАТҰЛЫ",
    "ИВАНОВИЧ",
    "ЕРМЕКҰЛЫ",
    "НИКОЛАЕВИЧ",
];
/// Mobile ranges of the national numbering plan.
const OPERATORS: [u64; 6] = [701, 702, 705, 747, 775, 777];

/// A person with one account and one phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Customer {
    /// Surname, name, patronymic.
    pub(crate) name: [&'static str; 3],
    pub(crate) person: IinBin,
    pub(crate) phone: Phone,
    pub(crate) iban: Iban,
}

/// The customer with this number, over all banks, at the bank given. Different numbers have different persons, phones and accounts
/// up to ten million.
pub(crate) fn customer(bank: BankCode, number: u32) -> Customer {
    let number = u64::from(number);
    let operator = pick(&OPERATORS, number);
    let phone = 70_000_000_000 + operator * 10_000_000 + number % 10_000_000;
    let account = format_account(number);
    let account = std::str::from_utf8(&account).unwrap_or_default();
    Customer {
        name: [
            pick(&SURNAMES, number),
            pick(&NAMES, number / SURNAMES.len() as u64),
            pick(&PATRONYMICS, number / (SURNAMES.len() * NAMES.len()) as u64),
        ],
        person: person(number),
        phone: Phone::from_value(phone).unwrap_or_else(|| unreachable!("{phone} is in the plan")),
        iban: Iban::for_kz(bank, account)
            .unwrap_or_else(|error| unreachable!("{account}: {error:?}")),
    }
}

/// A number with right check digits. Ten prefixes are kept for each person, as some were never issued.
fn person(number: u64) -> IinBin {
    let (year, month, day) = (
        60 + number % 40,
        1 + number / 40 % 12,
        1 + number / 480 % 28,
    );
    let date = year * 10_000 + month * 100 + day;
    let prefix = (date * 10 + 3) * 10_000 + number / 13_440 % 1000 * 10;
    (prefix..prefix + 10)
        .find_map(IinBin::with_check)
        .unwrap_or_else(|| {
            unreachable!("one in eleven prefixes was never issued, not ten in a row")
        })
}

/// Thirteen digits of an account.
fn format_account(number: u64) -> [u8; 13] {
    let mut account = [b'0'; 13];
    let mut rest = number;
    for place in account.iter_mut().rev() {
        // A remainder of ten always fits.
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    account
}

fn pick<T: Copy, const N: usize>(from: &[T; N], number: u64) -> T {
    // A remainder of the length is inside.
    from[(number % N as u64) as usize]
}

#[cfg(test)]
mod tests;
