//! Writes payments: a prepared text with gaps, filled from the payment's number.
//!
//! The text is a pacs.008.001.10 of 84 elements as a bank's host sends it: persons, by account, with addresses, phones and aliases.

use torap_domain::{BankCode, Bic, Date, Money, Time};
use torap_iso20022::{
    view::{Original, StatusReport, TransactionStatus},
    write,
};

use crate::customers::{Customer, customer};
use crate::identity::{Identity, write_digits, write_uetr};
use crate::incoming::Forwarded;
use crate::limits::CUSTOMERS;

const TEXT: &str = include_str!("payment.xml");
/// Amounts are drawn from 100.00 up to 20,100.00 tenge.
const AMOUNT_LEAST_TIYN: u64 = 10_000;
const AMOUNT_SPAN_TIYN: u64 = 2_000_000;

/// What a gap of the text is filled with.
#[derive(Debug, Clone, Copy)]
enum Gap {
    MessageId,
    Time,
    Date,
    Amount,
    InstructionId,
    EndToEndId,
    TransactionId,
    Uetr,
    Agent(Side),
    Name(Side),
    Person(Side),
    Mobile(Side),
    Phone(Side),
    Iban(Side),
}

/// Whose field it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Debtor,
    Creditor,
}

/// Who pays whom how much: a function of the payment's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Places of the banks in the plan; never the same.
    pub(crate) payer: usize,
    pub(crate) payee: usize,
    payer_customer: u32,
    payee_customer: u32,
    pub(crate) tiyn: u64,
}

/// Knows the banks, and writes what they send.
#[derive(Debug)]
pub(crate) struct Writer {
    identity: Identity,
    banks: Vec<(Bic, BankCode)>,
    /// Literal text and the gap behind it; the last literal has none.
    parts: Vec<(&'static str, Option<Gap>)>,
    /// Time and date as text, of the millisecond given.
    stamp: Stamp,
    scratch: Vec<u8>,
}

#[derive(Debug, Default)]
struct Stamp {
    millis: u64,
    time: Vec<u8>,
    date: Vec<u8>,
}

impl Writer {
    pub(crate) fn new(identity: Identity, banks: Vec<(Bic, BankCode)>) -> Writer {
        Writer {
            identity,
            banks,
            parts: parts(TEXT),
            stamp: Stamp::default(),
            scratch: Vec::new(),
        }
    }

    /// Payment `number` belongs to the bank at `number` modulo the number of banks.
    pub(crate) fn terms(&self, number: u64) -> Terms {
        let banks = self.banks.len() as u64;
        let payer = number % banks;
        let others = banks - 1;
        let payee = (payer + 1 + self.identity.mixed(number, 3) % others) % banks;
        let customers = u64::from(CUSTOMERS) / banks;
        // Customers are dealt out like payments: customer c has an account at bank c modulo the number of banks.
        let drawn =
            |bank, purpose| bank + banks * (self.identity.mixed(number, purpose) % customers);
        // All are below the number of customers or of banks.
        Terms {
            payer: payer as usize,
            payee: payee as usize,
            payer_customer: drawn(payer, 4) as u32,
            payee_customer: drawn(payee, 5) as u32,
            tiyn: AMOUNT_LEAST_TIYN + self.identity.mixed(number, 6) % AMOUNT_SPAN_TIYN,
        }
    }

    /// Account of the payee.
    pub(crate) fn payee_iban(&self, terms: &Terms) -> torap_domain::Iban {
        self.customer(terms.payee, terms.payee_customer).iban
    }

    /// BIC of a bank of the plan.
    pub(crate) fn bic(&self, bank: usize) -> &Bic {
        &self.banks[bank].0
    }

    /// Appends payment `number`, written at `created_ns` (wall clock). The same arguments give the same bytes.
    pub(crate) fn write_payment(&mut self, number: u64, created_ns: u64, out: &mut Vec<u8>) {
        self.stamp.set(created_ns);
        let terms = self.terms(number);
        let payer = self.customer(terms.payer, terms.payer_customer);
        let payee = self.customer(terms.payee, terms.payee_customer);
        let (payer_bic, payee_bic) = (self.bic(terms.payer), self.bic(terms.payee));
        let of = |side| match side {
            Side::Debtor => (&payer, payer_bic),
            Side::Creditor => (&payee, payee_bic),
        };
        for (literal, gap) in &self.parts {
            out.extend_from_slice(literal.as_bytes());
            match gap {
                None => {}
                Some(Gap::MessageId) => {
                    self.identity
                        .write_message_id(payer_bic.as_str(), number, out);
                }
                Some(Gap::Time) => out.extend_from_slice(&self.stamp.time),
                Some(Gap::Date) => out.extend_from_slice(&self.stamp.date),
                Some(Gap::Amount) => Money::kzt(terms.tiyn).write_decimal(out),
                Some(Gap::InstructionId) => {
                    out.extend_from_slice(payer_bic.as_str().as_bytes());
                    out.extend_from_slice(b"-INSTR-");
                    write_digits(number, 12, out);
                }
                Some(Gap::EndToEndId) => {
                    out.extend_from_slice(b"E2E-");
                    self.identity.write_tag(out);
                    out.push(b'-');
                    write_digits(number, 12, out);
                }
                Some(Gap::TransactionId) => self.identity.write_transaction_id(number, out),
                Some(Gap::Uetr) => write_uetr(self.identity.uetr(number), out),
                Some(Gap::Agent(side)) => out.extend_from_slice(of(*side).1.as_str().as_bytes()),
                Some(Gap::Name(side)) => write_name(of(*side).0, out),
                Some(Gap::Person(side)) => write_digits(of(*side).0.person.value(), 12, out),
                Some(Gap::Mobile(side)) => {
                    out.extend_from_slice(b"+7-");
                    write_digits(of(*side).0.phone.value(), 10, out);
                }
                Some(Gap::Phone(side)) => {
                    out.push(b'+');
                    write_digits(of(*side).0.phone.value(), 11, out);
                }
                Some(Gap::Iban(side)) => {
                    out.extend_from_slice(of(*side).0.iban.as_str().as_bytes());
                }
            }
        }
    }

    /// Appends the ACSP of a payee's bank to a forwarded payment. `answer` numbers the bank's answers.
    pub(crate) fn write_acceptance(
        &mut self,
        bank: usize,
        answer: u64,
        forwarded: &Forwarded<'_>,
        created_ns: u64,
        out: &mut Vec<u8>,
    ) {
        let bic = self.banks[bank].0;
        self.scratch.clear();
        self.identity
            .write_answer_id(bic.as_str(), answer, &mut self.scratch);
        let report = StatusReport {
            message_id: std::str::from_utf8(&self.scratch).unwrap_or_default(),
            created_ns,
            instructing_agent: Some(bic.as_str()),
            instructed_agent: None,
            status_id: None,
            original: Original {
                message_id: Some(forwarded.message_id),
                message_name: Some(forwarded.message_name),
                instruction_id: None,
                end_to_end_id: Some(forwarded.end_to_end_id),
                transaction_id: forwarded.transaction_id,
                uetr: forwarded.uetr,
            },
            status: TransactionStatus::Acsp,
            reason: None,
            reason_text: None,
            accepted_ns: None,
            settlement_date: None,
            clearing_reference: None,
        };
        write::status_report(out, None, &report);
    }

    fn customer(&self, bank: usize, number: u32) -> Customer {
        customer(self.banks[bank].1, number)
    }
}

impl Stamp {
    fn set(&mut self, wall_ns: u64) {
        let millis = wall_ns / 1_000_000;
        if self.millis == millis && !self.time.is_empty() {
            return;
        }
        let time = Time::from_nanos(wall_ns);
        self.millis = millis;
        self.time.clear();
        time.write_local(&mut self.time);
        self.date.clear();
        Date::from_time(time).write(&mut self.date);
    }
}

fn write_name(customer: &Customer, out: &mut Vec<u8>) {
    for (place, part) in customer.name.iter().enumerate() {
        if place > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(part.as_bytes());
    }
}

/// Cuts the text at its gaps, `{name}`.
fn parts(text: &'static str) -> Vec<(&'static str, Option<Gap>)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((literal, (name, after))) = rest
        .split_once('{')
        .and_then(|(literal, tail)| Some((literal, tail.split_once('}')?)))
    {
        parts.push((literal, Some(gap(name))));
        rest = after;
    }
    parts.push((rest, None));
    parts
}

fn gap(name: &str) -> Gap {
    match name {
        "message-id" => Gap::MessageId,
        "time" => Gap::Time,
        "date" => Gap::Date,
        "amount" => Gap::Amount,
        "instruction-id" => Gap::InstructionId,
        "end-to-end-id" => Gap::EndToEndId,
        "transaction-id" => Gap::TransactionId,
        "uetr" => Gap::Uetr,
        "debtor-agent" => Gap::Agent(Side::Debtor),
        "creditor-agent" => Gap::Agent(Side::Creditor),
        "debtor-name" => Gap::Name(Side::Debtor),
        "creditor-name" => Gap::Name(Side::Creditor),
        "debtor-person" => Gap::Person(Side::Debtor),
        "creditor-person" => Gap::Person(Side::Creditor),
        "debtor-mobile" => Gap::Mobile(Side::Debtor),
        "creditor-mobile" => Gap::Mobile(Side::Creditor),
        "debtor-phone" => Gap::Phone(Side::Debtor),
        "creditor-phone" => Gap::Phone(Side::Creditor),
        "debtor-iban" => Gap::Iban(Side::Debtor),
        "creditor-iban" => Gap::Iban(Side::Creditor),
        other => unreachable!("payment.xml has a gap `{other}` that nothing fills"),
    }
}

#[cfg(test)]
mod tests;
