//! Participants, a directory and messages that tests of translation and rendering share.

use std::{borrow::Cow, cell::Cell, collections::BTreeMap};

use bytes::Bytes;
use torap_domain::{
    BankCode, Bic, Iban, IinBin, ParticipantId, Phone, Position, Sequence, Service, Text, Uetr,
};
use torap_engine::{
    Effect, Outbound,
    directory::{Account, Person, Record},
    instant::{History, PaymentKey},
    participants::{State, View},
};
use torap_iso20022::{
    view::{
        Assignment, BusinessHeader, CancellationRequest, CancellationStatus, CreditTransfer,
        Original, Party, PersonNumber, Resolution, Return, StatusReport, StatusRequest,
        TransactionStatus, TransferService, VerificationReport, VerificationRequest,
    },
    write::{self, Carried},
};

use crate::translate::{Lookups, Network};

pub(crate) const SWITCH: &str = "TORPKZKA";
pub(crate) const HSBK: &str = "HSBKKZKX";
pub(crate) const CASP: &str = "CASPKZKA";
pub(crate) const PAYER_IBAN: &str = "KZ146010002011451923";
pub(crate) const PAYEE_IBAN: &str = "KZ45722S000054326792";
pub(crate) const PAYER_IIN: &str = "850712400122";
pub(crate) const PAYEE_IIN: &str = "790305300457";
pub(crate) const PAYEE_PHONE: &str = "+77779876543";
pub(crate) const UETR: &str = "f47ac10b-58cc-4372-a567-0e02b2c3d479";
/// 2026-11-21T09:15:27.101+05:00
pub(crate) const ACCEPTED_NS: u64 = 1_795_234_527_101_000_000;

/// The document that the throughput figures are measured with.
pub(crate) const BENCH: &[u8] = include_bytes!("../../../iso20022/benches/data/pacs008-84.xml");

/// Short code, BIC and bank code; the place is the participant's identifier, counted from 1.
pub(crate) const BANKS: [(&str, &str, &str); 4] = [
    ("HSBK", HSBK, "601"),
    ("CASP", CASP, "722"),
    ("IRTY", "IRTYKZKA", "965"),
    ("TSES", "TSESKZKA", "998"),
];

pub(crate) fn bic(text: &str) -> Bic {
    Bic::parse(text).unwrap()
}

pub(crate) fn iban(text: &str) -> Iban {
    Iban::parse(text).unwrap()
}

pub(crate) fn iin(text: &str) -> IinBin {
    IinBin::parse(text).unwrap()
}

pub(crate) fn phone(text: &str) -> Phone {
    Phone::parse(text).unwrap()
}

pub(crate) fn uetr() -> Uetr {
    Uetr::parse(UETR).unwrap()
}

/// The four banks, active and signed on.
pub(crate) fn views() -> Vec<View> {
    let numbered = BANKS.iter().zip(1..);
    numbered
        .map(|((code, bic, bank_code), id)| view(id, code, bic, bank_code))
        .collect()
}

pub(crate) fn view(id: u16, code: &str, bic_text: &str, bank_code: &str) -> View {
    View {
        id: ParticipantId(id),
        code: Text::try_from(code).unwrap(),
        name: Text::try_from(code).unwrap(),
        bics: vec![bic(bic_text)],
        bank_codes: vec![BankCode::parse(bank_code).unwrap()],
        sponsor: None,
        technical_senders: Vec::new(),
        services: Service::ALL.to_vec(),
        state: State::Active,
        successor: None,
        link_up: true,
        inbound_last: Sequence::ZERO,
        outbound_last: Sequence::ZERO,
    }
}

pub(crate) fn network() -> Network {
    Network::new(bic(SWITCH), &views())
}

/// A directory and an index that tests fill by hand.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) as_of: u64,
    pub(crate) aliases: BTreeMap<u64, Record>,
    /// Whether the engine has forgotten anything; without it no history is asked for.
    pub(crate) forgets: bool,
    pub(crate) by_key: Vec<(PaymentKey, History)>,
    pub(crate) by_uetr: Vec<(Uetr, History)>,
    pub(crate) aliases_asked: Cell<u32>,
    pub(crate) congested: Option<ParticipantId>,
}

impl Known {
    pub(crate) fn with(records: impl IntoIterator<Item = Record>) -> Known {
        let aliases = records
            .into_iter()
            .map(|record| (record.phone.value(), record))
            .collect();
        Known {
            as_of: 90,
            aliases,
            ..Known::default()
        }
    }

    fn history<K: PartialEq>(&self, known: &[(K, History)], wanted: &K) -> Option<History> {
        let found = known
            .iter()
            .find(|(key, _)| key == wanted)
            .map(|(_, history)| *history);
        let unknown = History::Unknown {
            as_of: Position::new(self.as_of),
        };
        self.forgets.then_some(found.unwrap_or(unknown))
    }
}

impl Lookups for Known {
    fn alias(&self, phone: Phone) -> (Position, Option<Record>) {
        self.aliases_asked.set(self.aliases_asked.get() + 1);
        (
            Position::new(self.as_of),
            self.aliases.get(&phone.value()).cloned(),
        )
    }

    fn by_key(&self, key: &PaymentKey) -> Option<History> {
        self.history(&self.by_key, key)
    }

    fn by_uetr(&self, uetr: &Uetr) -> Option<History> {
        self.history(&self.by_uetr, uetr)
    }

    fn is_congested(&self, payee: ParticipantId) -> bool {
        self.congested == Some(payee)
    }
}

/// The payee's number, with accounts at CASP (the default) and at IRTY; last changed at position 77.
pub(crate) fn payee_record() -> Record {
    let account = |participant, agent: &str, number: &str| Account {
        participant: ParticipantId(participant),
        agent: bic(agent),
        iban: iban(number),
        name: Text::try_from("ИВАНОВ СЕРГЕЙ ПЕТРОВИЧ").unwrap(),
    };
    let other = Iban::for_kz(BankCode::parse("965").unwrap(), "0000000000777").unwrap();
    Record {
        phone: phone(PAYEE_PHONE),
        persons: vec![Person {
            person: iin(PAYEE_IIN),
            accounts: vec![
                account(2, CASP, PAYEE_IBAN),
                account(3, "IRTYKZKA", other.as_str()),
            ],
            default: 0,
            claim: None,
        }],
        suspended: false,
        changed_at: Position::new(77),
    }
}

/// C2C2 by account from HSBK to CASP, as the bench document has it.
pub(crate) fn by_account() -> CreditTransfer<'static> {
    CreditTransfer {
        message_id: "HSBK-MSG-1",
        created_ns: ACCEPTED_NS,
        settlement_date: None,
        service: TransferService::C2cAccount,
        instructing_agent: HSBK,
        instructed_agent: Some(CASP),
        instruction_id: Some("HSBK-INSTR-1"),
        end_to_end_id: "E2E-1",
        transaction_id: "TX-1",
        uetr: UETR,
        resolution_id: None,
        tiyn: 1_525_000,
        accepted_ns: ACCEPTED_NS,
        debtor: party("АХМЕТОВА АЙГЕРИМ", PAYER_IIN),
        debtor_iban: PAYER_IBAN,
        debtor_agent: HSBK,
        creditor_agent: CASP,
        creditor: party("ИВАНОВ СЕРГЕЙ ПЕТРОВИЧ", PAYEE_IIN),
        creditor_iban: Some(PAYEE_IBAN),
        creditor_phone: None,
        knp: "119",
        kod: None,
        kbe: None,
        qr_id: None,
        remittance: Some(Cow::Borrowed("Перевод & \"долг\"")),
    }
}

/// The same by phone.
pub(crate) fn by_phone() -> CreditTransfer<'static> {
    CreditTransfer {
        service: TransferService::C2cPhone,
        instructed_agent: None,
        creditor_agent: SWITCH,
        creditor: Party::default(),
        creditor_iban: None,
        creditor_phone: Some(PAYEE_PHONE),
        ..by_account()
    }
}

/// Between the payer's own accounts at HSBK and CASP.
pub(crate) fn own_accounts() -> CreditTransfer<'static> {
    CreditTransfer {
        service: TransferService::Me2Me,
        creditor: party("АХМЕТОВА АЙГЕРИМ", PAYER_IIN),
        ..by_account()
    }
}

/// For the QR code of a merchant at CASP.
pub(crate) fn by_qr(id: &'static str) -> CreditTransfer<'static> {
    CreditTransfer {
        service: TransferService::Qr,
        qr_id: Some(id),
        ..by_account()
    }
}

pub(crate) fn party(name: &'static str, number: &'static str) -> Party<'static> {
    Party {
        name: Some(Cow::Borrowed(name)),
        number: Some(PersonNumber::Iin(number)),
        phone: None,
    }
}

/// A header from a bank to the switch.
pub(crate) fn header(from: &'static str, message_id: &'static str) -> BusinessHeader<'static> {
    BusinessHeader {
        from,
        to: SWITCH,
        message_id,
        service: Some("torap.inst.1"),
        created_ns: ACCEPTED_NS,
        possible_duplicate: false,
    }
}

/// A payment in an envelope from its instructing agent.
pub(crate) fn payment(transfer: &CreditTransfer<'_>) -> Bytes {
    let header = BusinessHeader {
        from: transfer.instructing_agent,
        to: SWITCH,
        message_id: transfer.message_id,
        ..header(HSBK, "")
    };
    written(|out| write::credit_transfer(out, Some(&header), transfer, &Carried::default()))
}

pub(crate) fn written(write: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut out = Vec::new();
    write(&mut out);
    Bytes::from(out)
}

/// The payment of [`by_account`] as other messages refer to it.
pub(crate) fn original() -> Original<'static> {
    Original {
        message_id: Some("HSBK-MSG-1"),
        message_name: Some("pacs.008.001.10"),
        instruction_id: Some("HSBK-INSTR-1"),
        end_to_end_id: Some("E2E-1"),
        transaction_id: "TX-1",
        uetr: UETR,
    }
}

pub(crate) fn assignment(id: &'static str, assigner: &'static str) -> Assignment<'static> {
    Assignment {
        id,
        assigner,
        assignee: SWITCH,
        created_ns: ACCEPTED_NS,
    }
}

/// CASP's answer.
pub(crate) fn answer(
    status: TransactionStatus,
    reason: Option<&'static str>,
) -> StatusReport<'static> {
    StatusReport {
        message_id: "CASP-STS-1",
        created_ns: ACCEPTED_NS,
        instructing_agent: Some(CASP),
        instructed_agent: Some(SWITCH),
        status_id: None,
        original: original(),
        status,
        reason,
        reason_text: None,
        accepted_ns: None,
        settlement_date: None,
        clearing_reference: None,
    }
}

/// CASP gives the payment back.
pub(crate) fn payment_return() -> Return<'static> {
    Return {
        message_id: "CASP-RTR-1",
        created_ns: ACCEPTED_NS,
        instructing_agent: CASP,
        instructed_agent: Some(HSBK),
        settlement_date: None,
        return_id: "RTR-1",
        original: original(),
        original_tiyn: Some(1_525_000),
        tiyn: 1_525_000,
        reason: "FOCR",
        reason_text: None,
    }
}

pub(crate) fn status_request() -> StatusRequest<'static> {
    StatusRequest {
        message_id: "HSBK-ASK-1",
        created_ns: ACCEPTED_NS,
        instructing_agent: HSBK,
        instructed_agent: Some(SWITCH),
        request_id: Some("ASK-1"),
        original: original(),
        accepted_ns: None,
    }
}

pub(crate) fn recall() -> CancellationRequest<'static> {
    CancellationRequest {
        assignment: assignment("HSBK-CXL-1", HSBK),
        case_id: None,
        cancellation_id: "CXL-1",
        original: original(),
        original_tiyn: None,
        reason: "DUPL",
        reason_text: None,
    }
}

pub(crate) fn resolution() -> Resolution<'static> {
    Resolution {
        assignment: assignment("CASP-RES-1", CASP),
        case_id: None,
        status_id: Some("CXL-1"),
        original: original(),
        status: CancellationStatus::Refused,
        reason: Some("CUST"),
        reason_text: None,
    }
}

pub(crate) fn look_up() -> VerificationRequest<'static> {
    VerificationRequest {
        assignment: assignment("HSBK-LKP-1", HSBK),
        verification_id: "LKP-1",
        party: Party::default(),
        iban: None,
        phone: Some(PAYEE_PHONE),
        agent: None,
    }
}

/// CASP confirms the account of the payment with the UETR of the fixtures.
pub(crate) fn confirmation(verified: bool) -> VerificationReport<'static> {
    VerificationReport {
        assignment: assignment("CASP-CNF-1", CASP),
        original_message_id: None,
        verification_id: "f47ac10b58cc4372a5670e02b2c3d479",
        verified,
        reason: if verified { None } else { Some("PI01") },
        name: None,
        resolution_id: None,
        phone: None,
        agent: None,
    }
}

/// An entry as the index gives it back: without what the engine had at hand.
pub(crate) fn cold(outbound: Outbound) -> Effect {
    Effect {
        outbound,
        references: None,
        amount: None,
        resolved: None,
    }
}

/// Numbers that are the same in every run (xorshift64*).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let mixed = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        (mixed % bound.max(1) as u64) as usize
    }

    /// The bytes with one to three small changes: a byte replaced, left out or doubled, a piece moved, the end cut.
    pub(crate) fn mutate(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(3) {
            if bytes.is_empty() {
                break;
            }
            let at = self.below(bytes.len());
            match self.below(8) {
                0 => bytes[at] = self.below(256) as u8,
                1 => bytes[at] = b"<>&/-!?\"' 0aZ"[self.below(13)],
                2 => drop(bytes.remove(at)),
                3 => bytes.insert(at, bytes[at]),
                4 => bytes.insert(at, b"<>/! \n"[self.below(6)]),
                5 => {
                    let end = (at + 1 + self.below(40)).min(bytes.len());
                    let piece = bytes[at..end].to_vec();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, piece);
                }
                6 => {
                    let end = (at + 1 + self.below(40)).min(bytes.len());
                    bytes.drain(at..end);
                }
                _ if self.below(8) == 0 => bytes.truncate(at),
                _ => bytes[at] = bytes[at].wrapping_add(1),
            }
        }
        bytes
    }
}
