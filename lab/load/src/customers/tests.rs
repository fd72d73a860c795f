use std::collections::HashSet;

use super::*;
use crate::limits::CUSTOMERS;

#[test]
fn a_million_customers_differ_in_person_phone_and_account() {
    let bank = BankCode::from_value(901).unwrap();
    let mut seen = HashSet::new();
    for number in 0..CUSTOMERS {
        let customer = customer(bank, number);
        assert!(seen.insert(customer.person.value()), "person of {number}");
        // Phones have eleven digits, persons twelve: one set holds both.
        assert!(seen.insert(customer.phone.value()), "phone of {number}");
        let account = &customer.iban.as_str()[7..];
        assert_eq!(account.parse(), Ok(number));
        assert_eq!(customer.iban.bank_code(), Some(bank));
    }
    const { assert!(CUSTOMERS >= 1_000_000) };
}
