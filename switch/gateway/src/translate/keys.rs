//! Keys and fingerprints of payments and returns: hashes over business fields.
//!
//! Both are BLAKE3 cut to 16 bytes, over a label and then each field with its length in front (two bytes, big-endian), so
//! that no two rows of fields give the same input (but the key of a line of a presentment file: the participant, little-endian, and the
//! reference, without lengths). They stand in the journal and the index: the inputs never change; a new
//! rule is a new label.
//!
//! | hash | label | fields |
//! |---|---|---|
//! | key of a payment | `torap key payment 1` | participant (u16) whose own BIC InstgAgt is, TxId |
//! | key of a return | `torap key return 1` | participant (u16) whose own BIC InstgAgt is, RtrId |
//! | fingerprint of a payment | `torap payment 1` | service (u8), asset (u16), amount (u64, minor units), DbtrAgt, DbtrAcct IBAN, CdtrAgt, CdtrAcct IBAN (empty by phone), phone (u64) and chosen bank (empty if none) by phone, QR identifier (empty if none) |
//! | fingerprint of an item | `torap item 1` | asset (u16), amount (u64), value date (i32, days since 1970), DbtrAgt, DbtrAcct IBAN, CdtrAgt, CdtrAcct IBAN, KNP (u16) |
//! | fingerprint of an item with a list of beneficiaries | `torap item 2` | the same, and BLAKE3 of the list as it was sent, cut to 16 bytes |
//! | key of a line of a presentment file | `torap card presentment 1` | acquirer (u16), the line's reference |
//! | key of a file | `torap key file 1` | participant (u16), the file's identifier |
//! | content of a piece | `torap mass piece 1` | of each line: key of the payment, UETR (16 bytes), fingerprint of the payment, or the words of what is wrong with it |
//! | fingerprint of a return | `torap return 1` | asset (u16), amount (u64), InstgAgt, OrgnlTxId, OrgnlUETR (16 bytes) |
//!
//! Numbers are big-endian. A fingerprint never has message identifiers, times, names, purposes or signatures.

use torap_domain::{Bic, Date, Iban, Knp, Money, ParticipantId, Phone, QrId, Service, Uetr};
use torap_engine::{
    cards::CardKey,
    clearing::{Beneficiaries, FileKey},
    instant::{Fingerprint, PaymentKey},
    mass::Line,
};
use torap_iso20022::MessageType;

use crate::versions;

/// Key of the payment that the participant whose own BIC is InstgAgt names with this TxId. After a merger the key stays
/// that of the participant that was taken over.
pub fn payment_key(participant: ParticipantId, transaction_id: &str) -> PaymentKey {
    key(b"torap key payment 1", participant, transaction_id)
}

/// Key of the return that the participant names with this RtrId; never equal to the key of a payment.
pub fn return_key(participant: ParticipantId, return_id: &str) -> PaymentKey {
    key(b"torap key return 1", participant, return_id)
}

/// What makes two messages the same payment.
#[derive(Debug, Clone, Copy)]
pub(super) struct PaymentFields<'a> {
    pub(super) service: Service,
    pub(super) amount: Money,
    pub(super) debtor_agent: &'a Bic,
    pub(super) debtor_account: &'a Iban,
    pub(super) creditor_agent: &'a Bic,
    pub(super) creditor_account: Option<&'a Iban>,
    /// By phone: the number and the bank that the payer chose.
    pub(super) proxy: Option<(Phone, Option<&'a Bic>)>,
    pub(super) qr: Option<&'a QrId>,
}

pub(super) fn payment_fingerprint(fields: &PaymentFields<'_>) -> Fingerprint {
    let mut input = Input::new(b"torap payment 1");
    input.field(&[fields.service.number()]);
    input.money(fields.amount);
    input.field(fields.debtor_agent.as_str().as_bytes());
    input.field(fields.debtor_account.as_str().as_bytes());
    input.field(fields.creditor_agent.as_str().as_bytes());
    input.field(fields.creditor_account.map_or("", Iban::as_str).as_bytes());
    if let Some((phone, chosen)) = fields.proxy {
        input.field(&phone.value().to_be_bytes());
        input.field(chosen.map_or("", Bic::as_str).as_bytes());
    }
    input.field(fields.qr.map_or("", QrId::as_str).as_bytes());
    Fingerprint(input.hash())
}

/// Fingerprint of an item of the clearing system: `debtor` and `creditor` are agent and account.
pub fn item_fingerprint(
    amount: Money,
    value_date: Date,
    (debtor_agent, debtor_account): (&Bic, &Iban),
    (creditor_agent, creditor_account): (&Bic, &Iban),
    purpose: Knp,
    list: Option<&Beneficiaries>,
) -> Fingerprint {
    let label: &[u8] = match list {
        None => b"torap item 1",
        Some(_) => b"torap item 2",
    };
    let mut input = Input::new(label);
    input.money(amount);
    input.field(&value_date.days().to_be_bytes());
    input.field(debtor_agent.as_str().as_bytes());
    input.field(debtor_account.as_str().as_bytes());
    input.field(creditor_agent.as_str().as_bytes());
    input.field(creditor_account.as_str().as_bytes());
    input.field(&purpose.value().to_be_bytes());
    if let Some(list) = list {
        input.field(&list.digest);
    }
    Fingerprint(input.hash())
}

/// Digest of a list of beneficiaries, of its bytes as they were sent.
pub(super) fn list_digest(list: &[u8]) -> [u8; 16] {
    let mut digest = [0; 16];
    let hash = blake3::hash(list);
    for (place, byte) in digest.iter_mut().zip(hash.as_bytes()) {
        *place = *byte;
    }
    digest
}

/// Version that a submission without a message of its own, such as a piece of a file, is answered as.
pub fn submission_version() -> u8 {
    versions::number(MessageType::PACS_008_001_10).unwrap_or_default()
}

/// Key of a participant's file of items, by the identifier that its submitter gives it.
pub fn file_key(participant: ParticipantId, file_id: &str) -> FileKey {
    FileKey(key(b"torap key file 1", participant, file_id).0)
}

/// Identity of a line of an acquirer's presentment file, by the acquirer's own reference, which it uses once.
pub fn presentment_key(acquirer: ParticipantId, reference: &str) -> CardKey {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"torap card presentment 1");
    hasher.update(&acquirer.value().to_le_bytes());
    hasher.update(reference.as_bytes());
    let hash = hasher.finalize();
    CardKey(hash.as_bytes().first_chunk().copied().unwrap_or_default())
}

pub(super) fn return_fingerprint(
    amount: Money,
    instructing_agent: &Bic,
    original_transaction_id: &str,
    original_uetr: Uetr,
) -> Fingerprint {
    let mut input = Input::new(b"torap return 1");
    input.money(amount);
    input.field(instructing_agent.as_str().as_bytes());
    input.field(original_transaction_id.as_bytes());
    input.field(&original_uetr.bytes());
    Fingerprint(input.hash())
}

/// What the lines of a piece say, as one hash.
pub(super) struct Content(Input);

impl Content {
    pub(super) fn new() -> Content {
        Content(Input::new(b"torap mass piece 1"))
    }

    /// The next line, with the fingerprint of its payment or what is wrong with it.
    pub(super) fn line(&mut self, line: &Line, says: &[u8]) {
        self.0.field(&line.key.0);
        self.0.field(&line.uetr.bytes());
        self.0.field(says);
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        Fingerprint(self.0.hash())
    }
}

fn key(label: &[u8], participant: ParticipantId, id: &str) -> PaymentKey {
    let mut input = Input::new(label);
    input.field(&participant.value().to_be_bytes());
    input.field(id.as_bytes());
    PaymentKey(input.hash())
}

/// The input of a hash, field by field.
struct Input(blake3::Hasher);

impl Input {
    fn new(label: &[u8]) -> Input {
        let mut input = Input(blake3::Hasher::new());
        input.field(label);
        input
    }

    fn money(&mut self, amount: Money) {
        self.field(&amount.asset().number().to_be_bytes());
        self.field(&amount.minor().to_be_bytes());
    }

    fn field(&mut self, value: &[u8]) {
        // Identifiers are at most 35 characters; what an operator types may be longer, and is then simply not found.
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        self.0.update(&length.to_be_bytes());
        self.0.update(value);
    }

    fn hash(&self) -> [u8; 16] {
        let hash = self.0.finalize();
        hash.as_bytes().first_chunk().copied().unwrap_or_default()
    }
}
