//! Customers of simulated banks: made from the bank's number and the customer's, so that every process agrees on them.

use torap_domain::{BankCode, Iban, IinBin, Phone};

/// A person with one account and one number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    pub person: IinBin,
    pub phone: Phone,
    pub iban: Iban,
    pub name: String,
}

const SURNAMES: [&str; 8] = [
    "АХМЕТОВ",
    "ИВАНОВ",
    "СЕРІКОВ",
    "КИМ",
    "ОМАРОВ",
    "ПЕТРОВ",
    "НҰРЛАНОВ",
    "ТӨЛЕГЕНОВ",
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
/// Operator codes that the national numbering plan gives to mobile networks.
const OPERATORS: [u64; 4] = [701, 705, 747, 777];

/// Customer `number` (below one million) of the bank.
pub fn customer(bank_code: BankCode, number: u32) -> Customer {
    let bank = u64::from(bank_code.value());
    let number = u64::from(number);
    // Operator and number together are unique per bank and customer: the bank chooses the block.
    let operator = OPERATORS[(bank % 4) as usize];
    let subscriber = (bank * 7_919 % 10) * 1_000_000 + number % 1_000_000;
    let phone = 70_000_000_000 + operator * 10_000_000 + subscriber;
    let account = format!("{number:013}");
    let (name, surname) = (
        NAMES[(number % 8) as usize],
        SURNAMES[(number / 8 % 8) as usize],
    );
    Customer {
        person: person(bank, number),
        phone: Phone::from_value(phone)
            .unwrap_or_else(|| unreachable!("{phone} is in the numbering plan")),
        iban: Iban::for_kz(bank_code, &account)
            .unwrap_or_else(|error| unreachable!("{account}: {error}")),
        name: format!("{surname} {name}"),
    }
}

/// A person number with right check digits; some prefixes were never issued, and the next one is taken.
fn person(bank: u64, number: u64) -> IinBin {
    let (year, month, day) = (
        60 + number % 40,
        1 + number / 40 % 12,
        1 + number / 480 % 28,
    );
    let serial = (bank * 613 + number / 13_440) % 1_000;
    let mut prefix = ((year * 10_000 + month * 100 + day) * 10 + 3) * 10_000 + serial * 10;
    loop {
        if let Some(person) = IinBin::with_check(prefix) {
            return person;
        }
        prefix += 1;
    }
}
