//! What IMTS says, about commands that stand in the log.

use bytes::Bytes;
use torap_domain::{
    CancellationId, EndToEndId, InstructionId, MessageId, Money, ParticipantId, Position, Reason,
    ReturnId, Sequence, Text, Time, TransactionId,
};
use torap_engine::{
    Command, DayEvent, Message, Outbound, Receipt, References, Source, Status, Withdrawal,
    approval, clearing,
    instant::PaymentKey,
    participants::Direction as Flow,
    settlement::{
        self, Cancellation, Instruction, Liquidity, Modification, Payment, Priority, Return,
        uetr_of_record,
    },
};
use torap_iso20022::{
    MessageType,
    profile::Direction,
    view::{Body, Reader, SETTLEMENT_SERVICE},
};

use super::world::{Log, operator};
use crate::{
    fixtures::{ACCEPTED_NS, CASP, HSBK, UETR, bic, cold, network, uetr},
    formats::formats,
    render::{RenderError, Renderer},
    versions,
};

/// A payment whose Document stands in the log, as the bank wrote it.
const ORIGINAL: &str = "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pacs.009.001.10\"><!-- as it came --></Document>";
const INSTRUCTED: Position = Position(7);
const ENTERED: Position = Position(8);
const ENTERED_BY_HAND: Position = Position(9);
const RETURNED: Position = Position(10);
const CANCELLED: Position = Position(11);
const MOVED: Position = Position(12);
const CANCELLED_ITEM: Position = Position(13);
const MODIFIED: Position = Position(14);
const PROPOSED: Position = Position(15);
const APPROVED: Position = Position(16);

fn references(version: MessageType) -> References {
    References {
        message_id: MessageId::parse("HSBK-RTGS-1").unwrap(),
        instruction_id: InstructionId::parse("INSTR-1").ok(),
        end_to_end_id: EndToEndId::parse("E2E-1").ok(),
        transaction_id: TransactionId::parse("TX-1").unwrap(),
        uetr: uetr(),
        message_version: versions::number(version).unwrap(),
    }
}

fn pay(reference: &str) -> settlement::Command {
    settlement::Command::Pay {
        source: operator(),
        payment: Payment {
            from: ParticipantId(2),
            to: ParticipantId(1),
            amount: Money::kzt(7_500_000_000_000),
            priority: Priority::High,
            reference: Text::truncated(reference),
            earliest: None,
            latest: None,
        },
    }
}

fn log() -> Log {
    let source = Source::Link {
        participant: ParticipantId(1),
        sequence: Sequence::new(4),
    };
    let amount = Money::kzt(150);
    let commands = [
        settlement::Command::Instruct(Instruction {
            source,
            references: references(MessageType::PACS_009_001_10),
            instructing_agent: bic(HSBK),
            instructed_agent: None,
            debtor_agent: bic(HSBK),
            creditor_agent: bic(CASP),
            creditor_account: None,
            amount,
            priority: Priority::Normal,
            date: None,
            earliest: None,
            latest: None,
        }),
        pay("PAPER-1"),
        pay("Приказ № 1"),
        settlement::Command::Return(Return {
            source,
            references: references(MessageType::PACS_004_001_11),
            return_id: ReturnId::parse("RTR-1").unwrap(),
            instructing_agent: bic(HSBK),
            amount,
        }),
        settlement::Command::Cancel(Cancellation {
            source,
            references: references(MessageType::CAMT_056_001_10),
            cancellation_id: CancellationId::parse("CXL-1").unwrap(),
            instructing_agent: bic(HSBK),
        }),
        settlement::Command::MoveLiquidity(Liquidity {
            source,
            message_id: MessageId::parse("LIQ-1").unwrap(),
            agent: bic(HSBK),
            direction: Flow::In,
            amount,
        }),
    ];
    let item = clearing::Command::Cancel(clearing::Cancellation {
        source,
        key: PaymentKey([7; 16]),
        references: references(MessageType::CAMT_056_001_10),
        cancellation_id: CancellationId::parse("CXL-2").unwrap(),
        instructing_agent: bic(HSBK),
    });
    let change = settlement::Command::Modify(Modification {
        source,
        message_id: MessageId::parse("MOD-1").unwrap(),
        message_version: versions::number(MessageType::CAMT_007_001_08).unwrap(),
        agent: bic(HSBK),
        uetr: uetr(),
        transaction_id: None,
        priority: Some(Priority::High),
        earliest: None,
        latest: None,
    });
    let original = Bytes::from_static(ORIGINAL.as_bytes());
    let commands = commands.into_iter().map(Command::Settlement);
    let proposed = approval::Command::Propose {
        source: operator(),
        command: Box::new(Command::Settlement(pay("PAPER-1"))),
    };
    let approved = approval::Command::Decide {
        source: operator(),
        id: PROPOSED,
        approves: true,
    };
    let last = [
        Command::Clearing(item),
        Command::Settlement(change),
        Command::Approval(proposed),
        Command::Approval(approved),
    ];
    let records = commands.chain(last).zip(7_u64..);
    Log::with(records.map(|(command, at)| (at, command, original.clone())))
}

fn rendered(message: Message) -> Result<String, RenderError> {
    let effect = cold(Outbound {
        to: ParticipantId(1),
        sequence: Sequence::new(3),
        cause: Position::new(20),
        time: Time::from_nanos(ACCEPTED_NS),
        expires: None,
        message,
    });
    let mut out = Vec::new();
    Renderer::new().render(&effect, None, &log(), &network(), false, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

/// The text is valid against its schema and the profile, and has each of `parts`; what it says is given back.
fn check(message: Message, parts: &[&str]) {
    let text = rendered(message).unwrap();
    let mut reader = Reader::new(*formats());
    let read = reader.read(text.as_bytes(), Direction::FromSwitch).unwrap();
    let header = read.header.unwrap();
    assert_eq!(header.service, Some(SETTLEMENT_SERVICE));
    assert_ne!(read.body, Body::Other);
    for part in parts {
        assert!(text.contains(part), "{part} in {text}");
    }
}

fn status(original: Position, status: Status) -> Message {
    Message::ImtsStatus {
        original,
        status,
        decided: Position::new(19),
        decided_at: Time::from_nanos(ACCEPTED_NS),
    }
}

#[test]
fn a_report_repeats_the_identifiers_of_the_banks_message() {
    let uetr = format!("<OrgnlUETR>{UETR}</OrgnlUETR>");
    check(
        status(INSTRUCTED, Status::Settled),
        &[
            "<OrgnlMsgId>HSBK-RTGS-1</OrgnlMsgId>",
            "<OrgnlMsgNmId>pacs.009.001.10</OrgnlMsgNmId>",
            "<OrgnlInstrId>INSTR-1</OrgnlInstrId>",
            "<OrgnlTxId>TX-1</OrgnlTxId>",
            &uetr,
            "<TxSts>ACSC</TxSts>",
            "<FctvIntrBkSttlmDt><Dt>2026-11-21</Dt></FctvIntrBkSttlmDt>",
            "<ClrSysRef>19</ClrSysRef>",
        ],
    );
    check(
        status(INSTRUCTED, Status::Pending),
        &["<TxSts>PDNG</TxSts>"],
    );
    let reason = Reason::LatestTimePassed;
    let agent_code = None;
    check(
        status(RETURNED, Status::Rejected { reason, agent_code }),
        &[
            "<OrgnlTxId>RTR-1</OrgnlTxId>",
            "<TxSts>RJCT</TxSts>",
            "<Cd>TM01</Cd>",
        ],
    );
}

#[test]
fn a_reject_names_the_message_that_was_not_carried_out() {
    let reason = Reason::UnboundSender;
    for (original, name) in [
        (INSTRUCTED, "HSBK-RTGS-1"),
        (CANCELLED, "HSBK-RTGS-1"),
        (RETURNED, "HSBK-RTGS-1"),
        (MOVED, "LIQ-1"),
        (CANCELLED_ITEM, "HSBK-RTGS-1"),
        (MODIFIED, "MOD-1"),
        (ENTERED, "UNKNOWN"),
    ] {
        let text = rendered(Message::Reject { original, reason }).unwrap();
        let name = format!("<RltdRef><Ref>{name}</Ref></RltdRef>");
        assert!(text.contains(&name), "{name} in {text}");
    }
}

#[test]
fn a_payment_of_the_operator_is_named_by_its_reference_or_its_record() {
    let uetr = format!("<OrgnlUETR>{}</OrgnlUETR>", uetr_of_record(ENTERED));
    check(
        status(ENTERED, Status::Settled),
        &["<OrgnlTxId>PAPER-1</OrgnlTxId>", &uetr],
    );
    let uetr = format!("<OrgnlUETR>{}</OrgnlUETR>", uetr_of_record(APPROVED));
    check(
        status(APPROVED, Status::Settled),
        &["<OrgnlTxId>PAPER-1</OrgnlTxId>", &uetr],
    );
    check(
        status(ENTERED_BY_HAND, Status::Settled),
        &["<OrgnlTxId>9</OrgnlTxId>"],
    );
}

#[test]
fn the_payee_gets_the_document_as_it_came() {
    let settled_at = Time::from_nanos(ACCEPTED_NS);
    for original in [INSTRUCTED, RETURNED] {
        let text = rendered(Message::ImtsForward {
            original,
            settled_at,
        });
        let text = text.unwrap();
        assert!(text.contains(ORIGINAL), "{text}");
        assert!(
            text.contains("<BizMsgIdr>HSBK-RTGS-1</BizMsgIdr>"),
            "{text}"
        );
        assert!(text.contains("<BizSvc>torap.imts.1</BizSvc>"), "{text}");
    }
}

#[test]
fn what_the_operator_entered_goes_out_as_a_bank_payment() {
    // Alone, or with the approval of another.
    for original in [ENTERED, APPROVED] {
        check(
            Message::ImtsForward {
                original,
                settled_at: Time::from_nanos(ACCEPTED_NS),
            },
            &[
                "<MsgDefIdr>pacs.009.001.10</MsgDefIdr>",
                "<TxId>PAPER-1</TxId>",
                "<IntrBkSttlmAmt Ccy=\"KZT\">75000000000.00</IntrBkSttlmAmt>",
                "<IntrBkSttlmDt>2026-11-21</IntrBkSttlmDt>",
                "<InstgAgt><FinInstnId><BICFI>CASPKZKA",
                "<Cdtr><FinInstnId><BICFI>HSBKKZKX",
                "<SttlmPrty>HIGH</SttlmPrty>",
            ],
        );
    }
}

#[test]
fn a_withdrawal_is_confirmed_or_refused_with_its_reason() {
    for (withdrawal, parts) in [
        (Withdrawal::Done, ["<Conf>CNCL</Conf>", "<TxCxlSts>ACCR"]),
        (Withdrawal::Settled, ["<Conf>RJCR</Conf>", "<Cd>PTNA</Cd>"]),
        (Withdrawal::Ended, ["<Conf>RJCR</Conf>", "<Cd>ARDT</Cd>"]),
        (Withdrawal::Unknown, ["<Conf>RJCR</Conf>", "<Cd>NOOR</Cd>"]),
    ] {
        let original = CANCELLED;
        let message = Message::WithdrawalAnswer {
            original,
            withdrawal,
        };
        check(message, &parts);
        check(message, &["<CxlStsId>CXL-1</CxlStsId>"]);
    }
}

#[test]
fn the_answer_about_an_item_is_of_the_clearing_system() {
    let text = rendered(Message::WithdrawalAnswer {
        original: CANCELLED_ITEM,
        withdrawal: Withdrawal::Done,
    });
    let text = text.unwrap();
    for part in [
        "<BizSvc>torap.ics.1</BizSvc>",
        "<CxlStsId>CXL-2</CxlStsId>",
        "<Conf>CNCL</Conf>",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let mut reader = Reader::new(*formats());
    reader.read(text.as_bytes(), Direction::FromSwitch).unwrap();
}

#[test]
fn a_receipt_says_what_came_of_a_liquidity_transfer() {
    let reason = Reason::InsufficientFunds;
    let opens = Time::from_nanos(ACCEPTED_NS);
    for (receipt, part) in [
        (Receipt::Done, "<StsCd>ACSC</StsCd></ReqHdlg>"),
        (
            Receipt::Waits { opens },
            "<StsCd>PDNG</StsCd><Desc>Kept until IMTS opens: 2026-11-21T",
        ),
        (
            Receipt::Refused { reason },
            "<StsCd>RJCT</StsCd><Desc>AM04 ",
        ),
    ] {
        let original = MOVED;
        let message = Message::ImtsReceipt { original, receipt };
        check(message, &[part, "<OrgnlMsgId><MsgId>LIQ-1</MsgId>"]);
    }
}

#[test]
fn the_business_day_has_a_code_for_each_event() {
    let until = Time::from_nanos(ACCEPTED_NS);
    let cut_off = Some(until);
    for (event, code) in [
        (DayEvent::Opened { until, cut_off }, "OPEN"),
        (DayEvent::Extended { until, cut_off }, "EXTD"),
        (DayEvent::CutOff, "CUTO"),
        (DayEvent::Closed, "CLSD"),
    ] {
        let part = format!("<EvtCd>{code}</EvtCd>");
        check(Message::ImtsDay { event }, &[&part]);
    }
}

#[test]
fn an_entry_about_another_record_is_an_error() {
    let settled_at = Time::from_nanos(ACCEPTED_NS);
    let withdrawal = Withdrawal::Done;
    let receipt = Receipt::Done;
    for message in [
        status(MOVED, Status::Settled),
        Message::ImtsForward {
            original: CANCELLED,
            settled_at,
        },
        Message::WithdrawalAnswer {
            original: INSTRUCTED,
            withdrawal,
        },
        Message::ImtsReceipt {
            original: INSTRUCTED,
            receipt,
        },
    ] {
        assert!(matches!(rendered(message), Err(RenderError::Facts { .. })));
    }
}
