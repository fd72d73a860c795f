//! One message of every kind that is written, as the switch or a bank's host would fill it.

use std::borrow::Cow;

use torap_iso20022::view::{
    AccountQuery, AccountRequest, Assignment, Body, BusinessHeader, CancellationRequest,
    CancellationStatus, CreditTransfer, EventAcknowledgement, EventNotice, LiquidityTransfer,
    Original, Parameters, Party, PaymentChange, PaymentQuery, PersonNumber, Receipt, Reject,
    Resolution, Return, SettlementTransfer, StatusReport, StatusRequest, TransactionStatus,
    TransferService, VerificationReport, VerificationRequest,
};
use torap_iso20022::write::{self, Address, Carried};

/// 2026-11-21T09:15:27.123+05:00.
pub(crate) const CREATED_NS: u64 = 1_795_234_527_123_000_000;
/// 2026-11-21T09:15:27.101+05:00.
pub(crate) const ACCEPTED_NS: u64 = 1_795_234_527_101_000_000;
pub(crate) const UETR: &str = "f47ac10b-58cc-4372-a567-0e02b2c3d479";
pub(crate) const SWITCH: &str = "TORPKZKA";

/// The header of a message with this identifier.
pub(crate) fn header(message_id: &str) -> BusinessHeader<'_> {
    BusinessHeader {
        from: "HSBKKZKX",
        to: SWITCH,
        message_id,
        service: Some("torap.inst.1"),
        created_ns: CREATED_NS,
        possible_duplicate: false,
    }
}

/// The payment of the bench document.
pub(crate) fn by_account() -> CreditTransfer<'static> {
    CreditTransfer {
        message_id: "HSBKKZKX20261121000000000001234",
        created_ns: CREATED_NS,
        settlement_date: Some("2026-11-21"),
        service: TransferService::C2cAccount,
        instructing_agent: "HSBKKZKX",
        instructed_agent: Some("CASPKZKA"),
        instruction_id: Some("HSBKKZKX-INSTR-0000001234"),
        end_to_end_id: "E2E-20261121-0000001234",
        transaction_id: "TX20261121091527123000001234",
        uetr: UETR,
        resolution_id: None,
        tiyn: 1_525_000,
        accepted_ns: ACCEPTED_NS,
        debtor: Party {
            name: Some(Cow::Borrowed("АХМЕТОВА АЙГЕРИМ СЕРИКОВНА")),
            number: Some(PersonNumber::Iin("850712400122")),
            phone: Some("+7-7011234567"),
        },
        debtor_iban: "KZ146010002011451923",
        debtor_agent: "HSBKKZKX",
        creditor_agent: "CASPKZKA",
        creditor: Party {
            name: Some(Cow::Borrowed("ИВАНОВ СЕРГЕЙ ПЕТРОВИЧ")),
            number: Some(PersonNumber::Iin("790305300457")),
            phone: Some("+7-7779876543"),
        },
        creditor_iban: Some("KZ45722S000054326792"),
        creditor_phone: Some("+77779876543"),
        knp: "119",
        kod: None,
        kbe: None,
        qr_id: None,
        remittance: Some(Cow::Borrowed("Перевод по номеру телефона & без комиссии")),
    }
}

/// Everything that the bench document carries beyond the view.
pub(crate) const CARRIED: Carried<'static> = Carried {
    total: true,
    clearing_system: Some("MSMP"),
    instruction_priority: Some("HIGH"),
    instant_service_level: true,
    category_purpose: Some("119"),
    debtor_address: Some(Address {
        street: "пр. Достык",
        building: "15",
        town: "Алматы",
        country: "KZ",
    }),
    debtor_proxy_phone: Some("+77011234567"),
};

pub(crate) fn by_phone() -> CreditTransfer<'static> {
    CreditTransfer {
        service: TransferService::C2cPhone,
        instructed_agent: Some(SWITCH),
        resolution_id: Some("RSLV-000000000042"),
        creditor_agent: SWITCH,
        creditor: Party::default(),
        creditor_iban: None,
        ..by_account()
    }
}

pub(crate) fn own_accounts() -> CreditTransfer<'static> {
    let debtor = by_account().debtor;
    CreditTransfer {
        service: TransferService::Me2Me,
        creditor: debtor,
        creditor_phone: None,
        ..by_account()
    }
}

pub(crate) fn by_qr() -> CreditTransfer<'static> {
    CreditTransfer {
        service: TransferService::Qr,
        creditor: Party {
            name: Some(Cow::Borrowed("ТОО «Ромашка» <Алматы>")),
            number: Some(PersonNumber::Bin("980540000397")),
            phone: None,
        },
        creditor_phone: None,
        kod: Some("19"),
        kbe: Some("17"),
        qr_id: Some("QR-2026-000017"),
        remittance: None,
        ..by_account()
    }
}

pub(crate) fn original() -> Original<'static> {
    Original {
        message_id: Some("HSBKKZKX20261121000000000001234"),
        message_name: Some("pacs.008.001.10"),
        instruction_id: Some("HSBKKZKX-INSTR-0000001234"),
        end_to_end_id: Some("E2E-20261121-0000001234"),
        transaction_id: "TX20261121091527123000001234",
        uetr: UETR,
    }
}

pub(crate) fn settled() -> StatusReport<'static> {
    StatusReport {
        message_id: "TORP0000000000000042",
        created_ns: CREATED_NS,
        instructing_agent: Some(SWITCH),
        instructed_agent: Some("HSBKKZKX"),
        status_id: Some("42-1"),
        original: original(),
        status: TransactionStatus::Acsc,
        reason: None,
        reason_text: None,
        accepted_ns: Some(ACCEPTED_NS),
        settlement_date: Some("2026-11-21"),
        clearing_reference: Some("42"),
    }
}

pub(crate) fn rejected() -> StatusReport<'static> {
    StatusReport {
        status: TransactionStatus::Rjct,
        reason: Some("AM04"),
        reason_text: Some(Cow::Borrowed("the position does not cover the payment")),
        settlement_date: None,
        ..settled()
    }
}

pub(crate) fn accepted_by_bank() -> StatusReport<'static> {
    StatusReport {
        message_id: "CASPKZKA-0001",
        created_ns: CREATED_NS,
        instructing_agent: Some("CASPKZKA"),
        instructed_agent: None,
        status_id: None,
        original: Original {
            message_id: None,
            message_name: None,
            ..original()
        },
        status: TransactionStatus::Acsp,
        reason: None,
        reason_text: None,
        accepted_ns: None,
        settlement_date: None,
        clearing_reference: None,
    }
}

pub(crate) fn payment_return() -> Return<'static> {
    Return {
        message_id: "CASPKZKA-R-0001",
        created_ns: CREATED_NS,
        instructing_agent: "CASPKZKA",
        instructed_agent: Some("HSBKKZKX"),
        settlement_date: Some("2026-11-21"),
        return_id: "RTR-0001",
        original: original(),
        original_tiyn: Some(1_525_000),
        tiyn: 1_525_000,
        reason: "FOCR",
        reason_text: Some(Cow::Borrowed("after a recall")),
    }
}

pub(crate) fn status_request() -> StatusRequest<'static> {
    StatusRequest {
        message_id: "HSBKKZKX-Q-0001",
        created_ns: CREATED_NS,
        instructing_agent: "HSBKKZKX",
        instructed_agent: Some(SWITCH),
        request_id: Some("Q-0001"),
        original: original(),
        accepted_ns: Some(ACCEPTED_NS),
    }
}

pub(crate) fn assignment(id: &'static str) -> Assignment<'static> {
    Assignment {
        id,
        assigner: "HSBKKZKX",
        assignee: SWITCH,
        created_ns: CREATED_NS,
    }
}

pub(crate) fn cancellation_request() -> CancellationRequest<'static> {
    CancellationRequest {
        assignment: assignment("HSBKKZKX-C-0001"),
        case_id: Some("CASE-0001"),
        cancellation_id: "CXL-0001",
        original: original(),
        original_tiyn: Some(1_525_000),
        reason: "DUPL",
        reason_text: Some(Cow::Borrowed("sent twice")),
    }
}

pub(crate) fn resolution() -> Resolution<'static> {
    Resolution {
        assignment: assignment("CASPKZKA-A-0001"),
        case_id: Some("CASE-0001"),
        status_id: Some("CXL-0001"),
        original: original(),
        status: CancellationStatus::Refused,
        reason: Some("CUST"),
        reason_text: Some(Cow::Borrowed("the customer does not agree")),
    }
}

pub(crate) fn look_up() -> VerificationRequest<'static> {
    VerificationRequest {
        assignment: assignment("HSBKKZKX-L-0001"),
        verification_id: "L-0001",
        party: Party {
            name: None,
            number: Some(PersonNumber::Iin("790305300457")),
            phone: None,
        },
        iban: None,
        phone: Some("+77779876543"),
        agent: Some("CASPKZKA"),
    }
}

pub(crate) fn confirmation() -> VerificationRequest<'static> {
    VerificationRequest {
        iban: Some("KZ45722S000054326792"),
        phone: None,
        agent: None,
        ..look_up()
    }
}

pub(crate) fn found() -> VerificationReport<'static> {
    VerificationReport {
        assignment: assignment("TORP-L-0001"),
        original_message_id: Some("HSBKKZKX-L-0001"),
        verification_id: "L-0001",
        verified: true,
        reason: None,
        name: Some(Cow::Borrowed("СЕРГЕЙ П. И.")),
        resolution_id: Some("RSLV-000000000042"),
        phone: Some("+77779876543"),
        agent: Some("CASPKZKA"),
    }
}

pub(crate) fn not_found() -> VerificationReport<'static> {
    VerificationReport {
        verified: false,
        reason: Some("BE23"),
        name: None,
        resolution_id: None,
        phone: None,
        agent: None,
        ..found()
    }
}

pub(crate) fn reject() -> Reject<'static> {
    Reject {
        related: Cow::Borrowed("HSBKKZKX20261121000000000001234"),
        reason: Cow::Borrowed("unexpected-element"),
        rejected_ns: Some(CREATED_NS),
        location: Some(Cow::Borrowed("/Document/FIToFICstmrCdtTrf/GrpHdr/MsgId")),
        description: Some(Cow::Borrowed("unexpected element X, expected MsgId")),
        additional: Some(Cow::Borrowed("offset 117")),
    }
}

pub(crate) fn notice() -> EventNotice<'static> {
    EventNotice {
        code: "FLOR",
        parameters: Parameters::from_slice(&["HSBKKZKX", "1000000"]).unwrap(),
        description: Some(Cow::Borrowed("the position is below its floor")),
        time_ns: Some(CREATED_NS),
    }
}

pub(crate) fn acknowledgement() -> EventAcknowledgement<'static> {
    EventAcknowledgement {
        message_id: "HSBKKZKX-E-0001",
        originator_reference: Some("TORP-E-0001"),
        code: Some("FLOR"),
        parameters: Parameters::from_slice(&["HSBKKZKX"]).unwrap(),
    }
}

/// Every message with a name for its golden file.
pub(crate) fn all() -> Vec<(&'static str, Body<'static>)> {
    vec![
        ("pacs.008-by-account", Body::CreditTransfer(by_account())),
        ("pacs.008-by-phone", Body::CreditTransfer(by_phone())),
        (
            "pacs.008-own-accounts",
            Body::CreditTransfer(own_accounts()),
        ),
        ("pacs.008-qr", Body::CreditTransfer(by_qr())),
        ("pacs.002-settled", Body::StatusReport(settled())),
        ("pacs.002-rejected", Body::StatusReport(rejected())),
        (
            "pacs.002-accepted-by-bank",
            Body::StatusReport(accepted_by_bank()),
        ),
        ("pacs.004", Body::Return(payment_return())),
        ("pacs.028", Body::StatusRequest(status_request())),
        (
            "camt.056",
            Body::CancellationRequest(cancellation_request()),
        ),
        ("camt.029", Body::Resolution(resolution())),
        ("acmt.023-look-up", Body::VerificationRequest(look_up())),
        (
            "acmt.023-confirmation",
            Body::VerificationRequest(confirmation()),
        ),
        ("acmt.024-found", Body::VerificationReport(found())),
        ("acmt.024-not-found", Body::VerificationReport(not_found())),
        ("admi.002", Body::Reject(reject())),
        ("admi.004", Body::EventNotice(notice())),
        ("pacs.009", Body::SettlementTransfer(bank_transfer())),
        ("camt.050", Body::LiquidityTransfer(liquidity_transfer())),
        ("camt.025", Body::Receipt(receipt())),
        ("camt.060", Body::AccountRequest(account_request())),
        ("camt.003", Body::AccountQuery(account_query())),
        ("camt.005", Body::PaymentQuery(payment_query())),
        ("camt.007", Body::PaymentChange(payment_change())),
        ("admi.011", Body::EventAcknowledgement(acknowledgement())),
    ]
}

pub(crate) fn bank_transfer() -> SettlementTransfer<'static> {
    SettlementTransfer {
        message_id: "HSBKKZKX-RTGS-17",
        created_ns: CREATED_NS,
        settlement_date: Some("2026-11-23"),
        instructing_agent: "HSBKKZKX",
        instructed_agent: Some("CASPKZKA"),
        instruction_id: Some("HSBKKZKX-INSTR-17"),
        end_to_end_id: "NOTPROVIDED",
        transaction_id: "TX-RTGS-17",
        uetr: UETR,
        tiyn: 7_500_000_000_000,
        is_high: true,
        from_ns: Some(36_000_000_000_000),
        till_ns: Some(57_600_000_000_000),
        debtor_agent: "HSBKKZKX",
        creditor_agent: "CASPKZKA",
        accounts: None,
    }
}

pub(crate) fn liquidity_transfer() -> LiquidityTransfer<'static> {
    LiquidityTransfer {
        message_id: "HSBKKZKX-LIQ-3",
        created_ns: CREATED_NS,
        agent: "HSBKKZKX",
        to_position: true,
        tiyn: 150_000_000,
    }
}

pub(crate) fn receipt() -> Receipt<'static> {
    Receipt {
        message_id: "T0002-41",
        created_ns: CREATED_NS,
        original_message_id: "HSBKKZKX-LIQ-3",
        original_message_name: "camt.050.001.06",
        status: "RJCT",
        description: Some(Cow::Borrowed("AM04 The payer's bank does not have enough.")),
    }
}

pub(crate) fn account_request() -> AccountRequest<'static> {
    AccountRequest {
        message_id: "HSBKKZKX-RPT-5",
        created_ns: CREATED_NS,
        is_statement: false,
        account: "IMTS",
        owner: "HSBKKZKX",
        date: Some("2026-11-21"),
        from_sequence: Some(257),
    }
}

pub(crate) fn account_query() -> AccountQuery<'static> {
    AccountQuery {
        message_id: "HSBKKZKX-QRY-6",
        created_ns: CREATED_NS,
        owner: "HSBKKZKX",
    }
}

pub(crate) fn payment_query() -> PaymentQuery<'static> {
    PaymentQuery {
        message_id: "HSBKKZKX-QRY-7",
        created_ns: CREATED_NS,
        transaction_id: Some("TX-RTGS-17"),
        uetr: Some(UETR),
        end_to_end_id: Some("NOTPROVIDED"),
        status: Some("PDNG"),
        is_credit: Some(false),
        tiyn: Some((100, 7_500_000_000_000)),
        priority: Some("HIGH"),
        date: Some("2026-11-23"),
    }
}

pub(crate) fn payment_change() -> PaymentChange<'static> {
    PaymentChange {
        message_id: "HSBKKZKX-MOD-8",
        created_ns: CREATED_NS,
        uetr: UETR,
        transaction_id: None,
        is_high: Some(true),
        from_ns: Some(ACCEPTED_NS),
        till_ns: Some(CREATED_NS),
    }
}

/// The identifier that the header repeats.
pub(crate) fn identifier<'a>(body: &Body<'a>) -> &'a str {
    match body {
        Body::CreditTransfer(message) => message.message_id,
        Body::SettlementTransfer(message) => message.message_id,
        Body::LiquidityTransfer(message) => message.message_id,
        Body::Receipt(message) => message.message_id,
        Body::AccountRequest(message) => message.message_id,
        Body::AccountQuery(message) => message.message_id,
        Body::PaymentQuery(message) => message.message_id,
        Body::PaymentChange(message) => message.message_id,
        Body::StatusReport(message) => message.message_id,
        Body::Return(message) => message.message_id,
        Body::StatusRequest(message) => message.message_id,
        Body::CancellationRequest(message) => message.assignment.id,
        Body::Resolution(message) => message.assignment.id,
        Body::VerificationRequest(message) => message.assignment.id,
        Body::VerificationReport(message) => message.assignment.id,
        Body::EventAcknowledgement(message) => message.message_id,
        Body::Reject(_) | Body::EventNotice(_) | Body::Other | Body::Clearing => "TORP-0001",
    }
}

/// Appends the message.
pub(crate) fn append(out: &mut Vec<u8>, header: Option<&BusinessHeader<'_>>, body: &Body<'_>) {
    match body {
        Body::CreditTransfer(message) => write::credit_transfer(out, header, message, &CARRIED),
        Body::SettlementTransfer(message) => write::bank_transfer(out, header, message),
        Body::LiquidityTransfer(message) => write::liquidity_transfer(out, header, message),
        Body::Receipt(message) => write::receipt(out, header, message),
        Body::AccountRequest(message) => write::account_request(out, header, message),
        Body::AccountQuery(message) => write::account_query(out, header, message),
        Body::PaymentQuery(message) => write::payment_query(out, header, message),
        Body::PaymentChange(message) => write::payment_change(out, header, message),
        Body::StatusReport(message) => write::status_report(out, header, message),
        Body::Return(message) => write::payment_return(out, header, message),
        Body::StatusRequest(message) => write::status_request(out, header, message),
        Body::CancellationRequest(message) => write::cancellation_request(out, header, message),
        Body::Resolution(message) => write::resolution(out, header, message),
        Body::VerificationRequest(message) => write::verification_request(out, header, message),
        Body::VerificationReport(message) => write::verification_report(out, header, message),
        Body::Reject(message) => write::reject(out, header, message),
        Body::EventNotice(message) => write::event_notice(out, header, message),
        Body::EventAcknowledgement(message) => write::event_acknowledgement(out, header, message),
        Body::Other | Body::Clearing => {}
    }
}
