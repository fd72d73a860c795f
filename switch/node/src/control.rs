//! The operator's protocol: one JSON object a line over the Unix socket, one answer a line.
//!
//! Commands that change something name the operator and a reference; both go into the log. `torap ctl` speaks this protocol, and so
//! may a script.

mod ancillary;
mod rtgs;
mod tariff;

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use ancillary::{AncillaryChange, AncillaryShow, CardNets, DeliveryLeg, Liquidity};
pub use rtgs::{RtgsChange, RtgsDay, RtgsHours, RtgsMove, RtgsPriority, RtgsRule, RtgsShow};
pub use tariff::{ChargeForm, MinimumForm, TariffForm, UsageForm, Wrong, item_of, tenge};

use crate::{
    presentment::{FileHeader, FileLine},
    serve::CardTables,
    socket::JsonSocket,
};

/// Longest line either way.
pub const LINE_BYTES_MAX: usize = 4 << 20;

/// Who orders a change, and on what paper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct By {
    pub operator: String,
    pub reference: String,
}

/// A participant as the operator writes it; amounts in tenge ("1000.00").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParticipantForm {
    pub code: String,
    pub name: String,
    pub bics: Vec<String>,
    #[serde(default)]
    pub bank_codes: Vec<String>,
    pub services: Option<Vec<String>>,
    pub sponsor: Option<String>,
    #[serde(default)]
    pub technical_senders: Vec<String>,
    pub floor: Option<String>,
    pub ceiling: Option<String>,
}

/// One account of a bulk import into the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportRow {
    pub phone: String,
    pub person: String,
    pub iban: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    Status,
    Positions,
    Participants,
    Limits,
    Settings,
    /// A payment by UETR, by its instructing participant's code and TxId as `CODE:TxId`, or by any identifier that one of its
    /// messages carries.
    Payment {
        id: String,
    },
    /// Payments of a participant decided from `from` until `until` (RFC 3339; now, and an hour before), newest last; `after` is
    /// the `next` of an answer before.
    Payments {
        code: String,
        from: Option<String>,
        until: Option<String>,
        after: Option<String>,
        max: usize,
    },
    /// A card transaction by the log position of one of its messages, by its acquirer's code and DE37 as `CODE:DE37`, or by a
    /// participant's code, the day of DE7 and DE11 as `CODE:MMDD/DE11`.
    CardTransaction {
        id: String,
    },
    /// Moves sealed segments to the archive.
    JournalArchive,
    /// Removes old segments for ever, as far as nobody needs them; what the banks `without` lack is not kept.
    JournalExpire {
        by: By,
        without: Vec<String>,
        dry_run: bool,
    },
    DirectoryShow {
        phone: String,
    },
    /// Processor time, payments and conservation, for load runs.
    Report,
    ParticipantAdd {
        by: By,
        participant: ParticipantForm,
        net_debit_cap: Option<String>,
    },
    ParticipantUpdate {
        by: By,
        participant: ParticipantForm,
    },
    ParticipantState {
        by: By,
        code: String,
        state: String,
    },
    /// Net debit cap in tenge; `None` makes the position prefunded.
    ParticipantMode {
        by: By,
        code: String,
        net_debit_cap: Option<String>,
    },
    ParticipantSuccessor {
        by: By,
        code: String,
        successor: String,
    },
    Fund {
        by: By,
        code: String,
        amount: String,
        out: bool,
    },
    SetLimits {
        by: By,
        service: String,
        code: Option<String>,
        payment_max: Option<String>,
        customer_day_amount_max: Option<String>,
        customer_day_count_max: Option<u32>,
        participant_day_amount_max: Option<String>,
    },
    /// What may be recalled for a reason: until when after the settlement (zero forbids it), and how long the answer may take.
    SetRecallRule {
        by: By,
        reason: String,
        window_ms: u64,
        answer_within_ms: u64,
    },
    /// Clocks in milliseconds, by the names that `settings` shows.
    Set {
        by: By,
        key: String,
        value: Value,
    },
    /// The directory commands of docs/wire.md, in the operator's name.
    Directory {
        by: By,
        command: Value,
    },
    /// Changes that wait for their effective time, and what came of the last ones.
    Schedule,
    /// A change with an effective time: RFC 3339 with an offset.
    Later {
        by: By,
        at: String,
        change: Box<Request>,
    },
    /// What needs approval, what waits for it, and what came of the last proposals.
    Proposals,
    /// Families of commands that need another operator's approval.
    ApprovalSet {
        by: By,
        families: Vec<String>,
        within_hours: Option<u64>,
    },
    /// `id` as `proposals` shows it.
    Approve {
        by: By,
        id: u64,
    },
    Reject {
        by: By,
        id: u64,
    },
    /// Takes back a change that waits; `id` as `schedule` shows it.
    Withdraw {
        by: By,
        id: u64,
    },
    DirectoryImport {
        by: By,
        code: String,
        rows: Vec<ImportRow>,
    },
    /// A look at the card side.
    Card {
        what: CardShow,
    },
    /// Card tables, in the form of network.toml's `[card]`.
    CardSet {
        by: By,
        tables: Box<CardTables>,
    },
    /// A card goes on the stop list (`lost`, `stolen`, `restricted`), or comes off it.
    CardStop {
        by: By,
        pan: CardNumber,
        cause: Option<String>,
    },
    /// Ends the card session now.
    CardCutOver {
        by: By,
    },
    /// A member's zone keys are changed: both, unless one is named. The set before is taken for `overlap_hours` more; 24 unless stated.
    CardKeyChange {
        by: By,
        code: String,
        pin: bool,
        mac: bool,
        overlap_hours: Option<u64>,
        /// 128 or 256; as before unless given.
        #[serde(default)]
        bits: Option<u16>,
    },
    /// Takes back a change of keys that is not being put into use yet.
    CardKeyCancel {
        by: By,
        code: String,
    },
    /// A closed card session (`2026-12-01`) has been settled elsewhere.
    CardSettle {
        by: By,
        session: String,
    },
    /// IMTS.
    Rtgs {
        what: RtgsShow,
    },
    RtgsChange {
        by: By,
        change: RtgsChange,
    },
    /// Looks for payments that settle all at once, and settles them.
    RtgsResolve {
        by: By,
        rule: RtgsRule,
        /// Payments looked at by `bypass`, at most.
        steps_max: u64,
    },
    /// A look at the clearing system.
    Clearing {
        what: ClearingShow,
    },
    /// One piece of a participant's file of items, from 1 upwards; `file` tells the file from others of the participant.
    ClearingSubmit {
        by: By,
        code: String,
        file: String,
        number: u32,
        last: bool,
        items: Vec<ClearingItem>,
    },
    /// Takes back an item that has not been cleared.
    ClearingWithdraw {
        by: By,
        uetr: String,
    },
    /// Closes the open session now.
    ClearingClose {
        by: By,
    },
    /// Rules and timetable of the clearing system.
    ClearingSet {
        by: By,
        settings: ClearingSettings,
    },
    /// Where payments of which purposes must go; the whole table.
    ClearingPurposes {
        by: By,
        rows: Vec<PurposeForm>,
    },
    /// A look at card nets in IMTS and the guarantee fund.
    Ancillary {
        what: AncillaryShow,
    },
    /// Proves a day (`2026-12-01`) from the log.
    Reconcile {
        day: String,
    },
    AncillaryChange {
        by: By,
        change: AncillaryChange,
    },
    /// One piece of a participant's file of instant payments, from 1 upwards; answered when its lines have been handed in.
    MassSubmit {
        by: By,
        code: String,
        file: String,
        number: u32,
        last: bool,
        /// No line is handed in before, as 2026-12-01T09:00:00+05:00.
        #[serde(default)]
        starts: Option<String>,
        lines: Vec<MassLine>,
    },
    /// How far a file of instant payments has come; with `after`, lines behind that many.
    MassShow {
        code: String,
        file: String,
        after: Option<usize>,
    },
    /// A case about a card transaction, by the card's bank: `id` as of [`Request::CardTransaction`], or `POSITION/LINE` of a presentment.
    DisputeOpenCard {
        by: By,
        code: String,
        id: String,
        reason: String,
        claim: Option<String>,
    },
    /// One piece of an acquirer's presentment file, from 1 upwards; `first` is the number of its first line. Piece 0: lines that were put off,
    /// of these `numbers`.
    CardPresent {
        by: By,
        header: FileHeader,
        number: u32,
        last: bool,
        first: u32,
        #[serde(default)]
        numbers: Vec<u32>,
        lines: Vec<FileLine>,
    },
    /// Numbers of lines of a presentment file that were put off, behind a line.
    CardPutOff {
        code: String,
        file: String,
        after: u32,
    },
    /// Presentment files; of one, what became of it, and with `after`, lines behind that many.
    CardPresentments {
        code: Option<String>,
        file: Option<String>,
        after: Option<usize>,
    },
    /// A case with its steps and documents, or cases: of a participant, only those that are not over.
    Disputes {
        case: Option<u64>,
        code: Option<String>,
        open: bool,
    },
    /// The bytes of a document of a case, in hexadecimal.
    DisputeEvidence {
        case: u64,
        number: usize,
    },
    /// A case about a settled payment, by its payer's bank; without a claim, documents are asked for.
    DisputeOpen {
        by: By,
        code: String,
        uetr: String,
        reason: String,
        claim: Option<String>,
    },
    /// A step of a case, by a party or, without one, by the operator: docs/disputes.md has the actions.
    DisputeAct {
        by: By,
        case: u64,
        code: Option<String>,
        action: String,
        amount: Option<String>,
    },
    /// A document of a party, in hexadecimal.
    DisputeAttach {
        by: By,
        case: u64,
        code: String,
        name: String,
        content: String,
    },
    /// The tariff table in force.
    Tariff,
    /// Replaces the tariff table.
    TariffSet {
        by: By,
        tariff: TariffForm,
    },
    /// A service that is charged: `duplicate`, `statement`, `archive`.
    TariffNote {
        by: By,
        code: String,
        item: String,
        count: u32,
    },
    /// What something would be charged, by `tariff` or by the table in force; nothing is written.
    TariffTry {
        tariff: Option<TariffForm>,
        usage: UsageForm,
    },
    Snapshot,
    Stop,
}

/// One item of a file; amounts in tenge, dates as 2026-12-01. The banks are those of the accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClearingItem {
    pub transaction_id: String,
    pub uetr: String,
    pub end_to_end_id: String,
    pub amount: String,
    pub value_date: String,
    /// `high`, `normal`, or nothing.
    pub priority: String,
    pub debtor_account: String,
    /// IIN or BIN.
    pub debtor: String,
    pub debtor_name: String,
    pub kod: String,
    pub creditor_account: String,
    pub creditor: String,
    pub creditor_name: String,
    pub kbe: String,
    /// KNP.
    pub purpose: String,
    pub remittance: String,
}

/// One line of a file of instant payments; amounts in tenge. The payee's bank is that of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MassLine {
    pub transaction_id: String,
    pub uetr: String,
    pub end_to_end_id: String,
    pub amount: String,
    pub debtor_account: String,
    /// IIN or BIN.
    pub debtor: String,
    pub debtor_name: String,
    /// KOD, or nothing.
    pub kod: String,
    pub creditor_account: String,
    pub creditor: String,
    pub creditor_name: String,
    /// KBE, or nothing.
    pub kbe: String,
    /// KNP.
    pub purpose: String,
    pub remittance: String,
}

/// Rules of the clearing system: times of day as 15:00, dates as 2026-12-01.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClearingSettings {
    pub closes_at: Vec<String>,
    pub days_ahead: u8,
    pub amount_max: String,
    pub items_max: u32,
    #[serde(default)]
    pub closed: Vec<String>,
    #[serde(default)]
    pub worked: Vec<String>,
}

/// Purposes and the accounts that they go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurposeForm {
    /// A KNP, or the first and the last of a range.
    pub knp: Vec<String>,
    pub accounts: Vec<String>,
    #[serde(default)]
    pub list: ListForm,
}

/// Whether payments of a purpose have a list of beneficiaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListForm {
    Required,
    #[default]
    Allowed,
    None,
}

/// What of the clearing system is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ClearingShow {
    /// Where payments of which purposes must go.
    Purposes,
    Session,
    Timetable,
    Report {
        session: Option<String>,
    },
    Item {
        uetr: String,
    },
    File {
        code: String,
        file: String,
    },
}

/// A whole card number on its way to the switch; never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CardNumber(pub String);

impl std::fmt::Debug for CardNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CardNumber(…)")
    }
}

/// What of the card side is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CardShow {
    Status,
    Bins { prefix: Option<String> },
    Rules,
    Sessions,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    Refused { ok: bool, refused: Refusal },
    Done { ok: bool, result: Value },
}

/// Why a request was refused, and who must act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The key of the request, or `log` when the engine refused the command.
    pub place: String,
    pub rule: String,
    pub text: String,
    pub actor: String,
}

impl Refusal {
    /// The request itself is wrong.
    pub fn of_request(place: impl Into<String>, text: impl Into<String>) -> Refusal {
        Refusal {
            place: place.into(),
            rule: "request".into(),
            text: text.into(),
            actor: "operator".into(),
        }
    }
}

impl Answer {
    pub fn done(result: Value) -> Answer {
        Answer::Done { ok: true, result }
    }

    pub fn refused(refused: Refusal) -> Answer {
        Answer::Refused { ok: false, refused }
    }
}

/// A client of the control socket, for tools that may block.
#[derive(Debug)]
pub struct Client(JsonSocket);

impl Client {
    /// # Errors
    /// Names the socket; most often no switch runs on this folder.
    pub fn connect(path: &Path) -> Result<Client, String> {
        JsonSocket::connect(path, "is `torap serve` running on this --dir?").map(Client)
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// The connection broke. A refusal is a value: `Ok(Err(refusal))`.
    pub fn ask(&mut self, request: &Request) -> Result<Result<Value, Refusal>, String> {
        match serde_json::from_value(self.0.exchange(request)?)
            .map_err(|error| format!("control socket: {error}"))?
        {
            Answer::Done { result, .. } => Ok(Ok(result)),
            Answer::Refused { refused, .. } => Ok(Err(refused)),
        }
    }

    /// As `ask`, with a refusal as text.
    ///
    /// # Errors
    /// A refusal or a broken connection.
    pub fn must(&mut self, request: &Request) -> Result<Value, String> {
        self.ask(request)?
            .map_err(|refusal| format!("{}: {} ({})", refusal.place, refusal.text, refusal.rule))
    }
}
