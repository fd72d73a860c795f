//! What the clearing system says, about a submission that stands in the log.

use bytes::Bytes;
use torap_domain::{
    BankCode, Bic, Date, EndToEndId, Iban, IinBin, InstructionId, Knp, MessageId, Money,
    ParticipantId, Position, Reason, SectorCode, Sequence, Text, Time, TransactionId, Uetr,
};
use torap_engine::{
    Command, Message, Outbound, Source, Status,
    clearing::{
        self, Beneficiaries, Line, LineRule, Order, Party, Priority, RefusedLine, RefusedOrder,
        SessionId, Submit,
    },
    instant::{Fingerprint, PaymentKey},
};
use torap_iso20022::{
    profile::Direction,
    view::{Body, Reader},
};

use super::world::Log;
use crate::{
    fixtures::{ACCEPTED_NS, cold, network},
    formats::formats,
    render::{RenderError, Renderer},
    translate::submission_version,
};

const SUBMITTED: Position = Position(7);
/// A line of a list, with a reference and a comment, which stay as they are.
const LIST: &str = "<Strd><!-- 1 --><RfrdDocAmt><RmtdAmt Ccy=\"KZT\">1.03</RmtdAmt></RfrdDocAmt><Invcee><Nm>&#1045;ртай</Nm></Invcee></Strd>";

fn party(agent: &str, bank: u16, number: u64, name: &str, sector: &str) -> Party {
    let bank = BankCode::from_value(bank).unwrap();
    Party {
        agent: Bic::parse(agent).unwrap(),
        account: Iban::for_kz(bank, "000000000000A").unwrap(),
        number: (number..).find_map(IinBin::with_check).unwrap(),
        name: Line::parse(name).unwrap(),
        sector: SectorCode::parse(sector).unwrap(),
    }
}

fn order(number: u8, amount: u64) -> Order {
    Order {
        key: PaymentKey([number; 16]),
        fingerprint: Fingerprint([number; 16]),
        uetr: Uetr::from_random([number; 16]),
        transaction_id: TransactionId::parse(&format!("TX-{number}")).unwrap(),
        instruction_id: InstructionId::parse("INSTR").ok(),
        end_to_end_id: EndToEndId::parse("E2E").unwrap(),
        amount: Money::kzt(amount),
        value_date: Date::parse("2026-11-23").unwrap(),
        priority: Priority::High,
        debtor: party("CASPKZKA", 722, 90_010_112_345, "Ертай & сыновья", "19"),
        creditor: party("HSBKKZKX", 601, 90_044_112_345, "Салық <комитеті>", "11"),
        purpose: Knp::parse("911").unwrap(),
        remittance: Line::parse("Налог за ноябрь"),
        list: (number == 3).then_some(Beneficiaries {
            lines: 1,
            start: 5,
            length: LIST.len() as u32,
            digest: [0; 16],
        }),
    }
}

fn refused_order(
    number: u16,
    transaction_id: Option<&str>,
    lines: Vec<RefusedLine>,
    more: u16,
) -> RefusedOrder {
    RefusedOrder {
        number,
        instruction_id: None,
        end_to_end_id: Some(Text::truncated("E2E")),
        transaction_id: transaction_id.map(Text::truncated),
        uetr: transaction_id.map(|_| Uetr::from_random([9; 16])),
        code: Text::truncated("RR07"),
        text: Text::truncated("CdtTrfTxInf[71]/CdtrAcct iban: <not> an IBAN"),
        lines,
        more,
    }
}

fn log() -> Log {
    let submit = Submit {
        source: Source::Operator {
            name: Text::truncated("asel"),
            reference: Text::truncated("ORDER-7"),
        },
        message_id: MessageId::parse("1/taxes.csv").unwrap(),
        message_version: submission_version(),
        instructing_agent: Bic::parse("CASPKZKA").unwrap(),
        piece: None,
        items: (0..70)
            .map(|number| order(number, 100 + u64::from(number)))
            .collect(),
        refused: vec![
            refused_order(71, Some("TX-71"), Vec::new(), 0),
            refused_order(
                72,
                None,
                vec![RefusedLine {
                    number: 3,
                    rule: LineRule::Number,
                }],
                7,
            ),
        ],
    };
    let command = Command::Clearing(clearing::Command::Submit(submit));
    Log::with([(7, command, Bytes::from(format!("<a/> {LIST} <b/>")))])
}

fn session() -> SessionId {
    SessionId {
        date: Date::parse("2026-11-23").unwrap(),
        number: 1,
    }
}

fn rendered(message: Message) -> Result<String, RenderError> {
    let effect = cold(Outbound {
        to: ParticipantId(1),
        sequence: Sequence::new(3),
        cause: Position::new(9),
        time: Time::from_nanos(ACCEPTED_NS),
        expires: None,
        message,
    });
    let mut out = Vec::new();
    Renderer::new().render(&effect, None, &log(), &network(), false, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

/// The text is valid against its schema and its header under the profile; it has each of `parts`, as often as stated.
fn check(message: Message, parts: &[(&str, usize)]) {
    let text = rendered(message).unwrap();
    let mut reader = Reader::new(*formats());
    let read = reader.read(text.as_bytes(), Direction::FromSwitch).unwrap();
    assert_eq!(read.body, Body::Clearing);
    for (part, count) in parts {
        assert_eq!(text.matches(part).count(), *count, "{part} in {text}");
    }
}

#[test]
fn refused_items_are_told_with_place_rule_and_wrong_lines() {
    check(
        Message::ClearingRefused {
            original: SUBMITTED,
            first: 0,
            items: 0b11,
        },
        &[
            ("<TxInfAndSts>", 2),
            ("<OrgnlMsgId>1/taxes.csv</OrgnlMsgId>", 2),
            ("<OrgnlTxId>TX-71</OrgnlTxId>", 1),
            ("<OrgnlUETR>", 1),
            ("<TxSts>RJCT</TxSts>", 2),
            (
                "<AddtlInf>CdtTrfTxInf[71]/CdtrAcct iban: &lt;not&gt; an IBAN</AddtlInf>",
                2,
            ),
            ("<Cd>BE17</Cd></Rsn><AddtlInf>line 3: ", 1),
            ("<AddtlInf>7 more lines are wrong</AddtlInf>", 1),
        ],
    );
}

#[test]
fn one_report_tells_the_status_of_many_items() {
    check(
        Message::ClearingStatus {
            original: SUBMITTED,
            first: 64,
            items: 0b10_0001,
            status: Status::Settled,
            session: Some(session()),
        },
        &[
            ("<TxInfAndSts>", 2),
            ("<OrgnlMsgId>1/taxes.csv</OrgnlMsgId>", 2),
            ("<OrgnlTxId>TX-64</OrgnlTxId>", 1),
            ("<OrgnlTxId>TX-69</OrgnlTxId>", 1),
            ("<TxSts>ACSC</TxSts>", 2),
            ("<Dt>2026-11-23</Dt>", 2),
            ("<ClrSysRef>2026-11-23/1</ClrSysRef>", 2),
        ],
    );
}

#[test]
fn a_refused_item_has_its_code_and_reason() {
    for (reason, code) in [
        (Reason::InsufficientFunds, "AM04"),
        (Reason::ItemWithdrawn, "DS02"),
        (Reason::ValueDateNotAllowed, "DT01"),
    ] {
        let status = Status::Rejected {
            reason,
            agent_code: None,
        };
        let code = format!("<Cd>{code}</Cd>");
        let message = Message::ClearingStatus {
            original: SUBMITTED,
            first: 0,
            items: 1,
            status,
            session: None,
        };
        let parts = [
            ("<TxSts>RJCT</TxSts>", 1),
            (code.as_str(), 1),
            (reason.text(), 1),
            ("FctvIntrBkSttlmDt", 0),
        ];
        check(message, &parts);
    }
    let pending = Message::ClearingStatus {
        original: SUBMITTED,
        first: 0,
        items: u64::MAX,
        status: Status::Pending,
        session: None,
    };
    check(pending, &[("<TxSts>PDNG</TxSts>", 64), ("StsRsnInf", 0)]);
}

#[test]
fn settled_items_are_forwarded_with_their_own_group_header_and_sums() {
    check(
        Message::ClearingForward {
            original: SUBMITTED,
            first: 0,
            items: 0b111,
            session: session(),
        },
        &[
            ("<NbOfTxs>3</NbOfTxs><CtrlSum>3.03</CtrlSum>", 1),
            ("<TtlIntrBkSttlmAmt Ccy=\"KZT\">3.03</TtlIntrBkSttlmAmt>", 1),
            ("<MsgId>T0001-3</MsgId>", 1),
            ("<IntrBkSttlmDt>2026-11-23</IntrBkSttlmDt>", 1),
            ("<CdtTrfTxInf>", 3),
            ("<InstrPrty>HIGH</InstrPrty>", 3),
            ("<Nm>Ертай &amp; сыновья</Nm>", 3),
            ("<Nm>Салық &lt;комитеті&gt;</Nm>", 3),
            ("<Cd>NIDN</Cd>", 3),
            ("<Cd>TXID</Cd>", 3),
            ("<Prtry>911</Prtry>", 3),
            ("<Ustrd>Налог за ноябрь</Ustrd>", 3),
        ],
    );
}

#[test]
fn the_report_of_a_session_names_its_sums() {
    check(
        Message::ClearingReport {
            session: session(),
            sent: 2,
            debits: Money::kzt(12_345),
            received: 1,
            credits: Money::kzt(45),
            left_out: 1,
            left_out_amount: Money::kzt(100),
        },
        &[
            ("<EvtCd>ICSR</EvtCd>", 1),
            ("<EvtParam>2026-11-23/1</EvtParam>", 1),
            ("<EvtParam>123.45</EvtParam>", 1),
            ("<EvtParam>0.45</EvtParam>", 1),
            ("<EvtParam>1.00</EvtParam>", 1),
            ("<EvtParam>-123.00</EvtParam>", 1),
        ],
    );
}

#[test]
fn items_that_the_submission_does_not_have_are_an_error() {
    let message = Message::ClearingForward {
        original: SUBMITTED,
        first: 64,
        items: 1 << 6,
        session: session(),
    };
    let error = rendered(message).unwrap_err();
    assert!(matches!(error, RenderError::Facts { .. }), "{error}");
}

#[test]
fn a_list_of_beneficiaries_is_passed_on_as_it_came() {
    let whole = format!("<RmtInf><Ustrd>Налог за ноябрь</Ustrd>{LIST}</RmtInf>");
    check(
        Message::ClearingForward {
            original: SUBMITTED,
            first: 0,
            items: 0b1100,
            session: session(),
        },
        &[
            (&whole, 1),
            ("<Strd>", 1),
            ("<RmtInf><Ustrd>Налог за ноябрь</Ustrd></RmtInf>", 1),
        ],
    );
}

#[test]
fn a_reject_names_the_submission() {
    let text = rendered(Message::Reject {
        original: SUBMITTED,
        reason: Reason::UnboundSender,
    });
    let text = text.unwrap();
    assert!(text.contains("<Ref>1/taxes.csv</Ref>"), "{text}");
}
