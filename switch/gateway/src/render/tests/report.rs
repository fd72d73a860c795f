//! What the read side found, and entries, as messages to banks.

use bytes::Bytes;
use torap_domain::{Date, MessageId, Money, ParticipantId, Position, Reason, Sequence, Text, Time};
use torap_engine::{
    Command, Message, Outbound, Receipt, Source,
    participants::Direction as Flow,
    reports::{
        self, Account, Answer, Criteria, Entry, EntryKind, Figures, Found, LIMITS_TOLD_MAX, Limit,
        Order, Page, PaymentPage, PaymentState, PaymentView, Query, Request, Sums,
    },
    settlement::{Priority, uetr_of_record},
};
use torap_iso20022::{
    MessageType,
    profile::Direction,
    view::{Body, Reader, SETTLEMENT_SERVICE},
};

use super::world::Log;
use crate::{
    fixtures::{ACCEPTED_NS, HSBK, bic, cold, network, uetr},
    formats::formats,
    render::{RenderError, Renderer},
    versions,
    wire::limits::MESSAGE_BYTES_MAX,
};

const ASKED: Position = Position(7);
const ANSWERED: Position = Position(8);
const OWNER: ParticipantId = ParticipantId(1);
const OTHER: ParticipantId = ParticipantId(2);

fn entry(direction: Flow, minor: u64) -> Entry {
    Entry {
        position: Position(5),
        time: Time::from_nanos(ACCEPTED_NS),
        kind: EntryKind::ImtsPayment,
        counterparty: Some(ParticipantId(2)),
        reference: Text::truncated("TX-1"),
        uetr: Some(uetr()),
        direction,
        amount: Money::kzt(minor),
    }
}

fn page(number: u32, is_last: bool, entries: Vec<Entry>) -> Page {
    let mut so_far = Sums::default();
    for entry in &entries {
        so_far.add(entry);
    }
    Page {
        number,
        is_last,
        before: -1_000,
        first: 1,
        entries,
        so_far,
    }
}

/// The message of an answer to a query that the bank asked, or that nobody did.
fn answered(query: Query, found: Found, asked: bool) -> Result<String, RenderError> {
    let order = Order {
        to: OWNER,
        owner: OWNER,
        query,
        request: asked.then_some(ASKED),
        upto: ASKED,
        at: Time::from_nanos(ACCEPTED_NS),
    };
    let answer = reports::Command::Answer(Box::new(Answer {
        source: Source::Switch,
        number: 1,
        order,
        found,
    }));
    rendered(query, Some(answer), Message::Report { original: ANSWERED })
}

fn rendered(
    query: Query,
    answer: Option<reports::Command>,
    message: Message,
) -> Result<String, RenderError> {
    let version = match query {
        Query::Balances => MessageType::CAMT_003_001_07,
        Query::Payments { .. } => MessageType::CAMT_005_001_08,
        _ => MessageType::CAMT_060_001_05,
    };
    let request = reports::Command::Request(Request {
        source: Source::Link {
            participant: OWNER,
            sequence: Sequence::new(4),
        },
        message_id: MessageId::parse("RQ-1").unwrap(),
        message_version: versions::number(version).unwrap(),
        agent: bic(HSBK),
        query,
    });
    let commands = [request].into_iter().chain(answer).zip(ASKED.value()..);
    let log =
        Log::with(commands.map(|(command, at)| (at, Command::Reports(command), Bytes::new())));
    let effect = cold(Outbound {
        to: OWNER,
        sequence: Sequence::new(3),
        cause: ANSWERED,
        time: Time::from_nanos(ACCEPTED_NS),
        expires: None,
        message,
    });
    let mut out = Vec::new();
    Renderer::new().render(&effect, None, &log, &network(), false, &mut out)?;
    let text = String::from_utf8(out).unwrap();
    let mut reader = Reader::new(*formats());
    let read = reader.read(text.as_bytes(), Direction::FromSwitch).unwrap();
    assert_eq!(read.header.unwrap().service, Some(SETTLEMENT_SERVICE));
    assert!(matches!(read.body, Body::Other | Body::Receipt(_)));
    Ok(text)
}

fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn a_statement_has_balances_totals_entries_and_its_place_among_pages() {
    let account = Account::Settlement;
    let date = Date::parse("2026-11-21").unwrap();
    let query = Query::Statement { account, date };
    let entries = vec![entry(Flow::Out, 250), entry(Flow::In, 5_000)];
    let text = answered(query, Found::Page(page(1, false, entries.clone())), true).unwrap();
    has(
        &text,
        &[
            "<OrgnlBizQry><MsgId>RQ-1</MsgId><MsgNmId>camt.060.001.05</MsgNmId></OrgnlBizQry>",
            "<Id>IMTS-2026-11-21</Id>",
            "<PgNb>1</PgNb><LastPgInd>false</LastPgInd>",
            "<ElctrncSeqNb>20778</ElctrncSeqNb>",
            "<Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"KZT\">10.00</Amt><CdtDbtInd>DBIT</CdtDbtInd>",
            "<Cd>ITBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"KZT\">37.50</Amt><CdtDbtInd>CRDT</CdtDbtInd>",
            "<TtlCdtNtries><NbOfNtries>1</NbOfNtries><Sum>50.00</Sum></TtlCdtNtries>",
            "<TtlDbtNtries><NbOfNtries>1</NbOfNtries><Sum>2.50</Sum></TtlDbtNtries>",
            "<RltdAgts><CdtrAgt><FinInstnId><BICFI>CASPKZKA</BICFI>",
            "<AddtlNtryInf>Balance -12.50</AddtlNtryInf>",
        ],
    );
    assert!(!text.contains("AddtlStmtInf"), "{text}");
    let text = answered(query, Found::Page(page(2, true, entries)), false).unwrap();
    has(
        &text,
        &[
            "<PgNb>2</PgNb><LastPgInd>true</LastPgInd>",
            "<Cd>CLBD</Cd>",
            "<AddtlStmtInf>All pages: 1 debits, 2.50; 1 credits, 50.00.</AddtlStmtInf>",
        ],
    );
    assert!(
        !text.contains("OPBD") && !text.contains("OrgnlBizQry"),
        "{text}"
    );
    let text = answered(query, Found::Page(page(1, true, Vec::new())), false).unwrap();
    has(&text, &["<AddtlStmtInf>No entries.</AddtlStmtInf>"]);
}

#[test]
fn a_report_of_the_day_so_far_closes_nothing() {
    let account = Account::Position;
    let query = Query::Intraday { account, from: 1 };
    let entries = vec![entry(Flow::In, 5_000)];
    let text = answered(query, Found::Page(page(1, true, entries)), true).unwrap();
    has(
        &text,
        &[
            "camt.052.001.10",
            &format!("<Rpt><Id>INST-2026-11-21-{ASKED}</Id>"),
            &format!("<ElctrncSeqNb>{ASKED}</ElctrncSeqNb>"),
            "<Cd>ITBD</Cd>",
        ],
    );
    assert!(!text.contains("CLBD"), "{text}");
}

#[test]
fn balances_name_what_stands_and_what_limits() {
    let figures = |account| Figures {
        account,
        balance: -5,
        available: 95,
        held: 0,
        credit_line: 100,
        reserved: 20,
        queued: 3,
        queued_amount: 4_000,
    };
    let found = Found::Balances {
        at: Time::from_nanos(ACCEPTED_NS),
        figures: vec![figures(Account::Settlement), figures(Account::Position)],
        limits: vec![
            Limit {
                towards: None,
                amount: 900_000,
                left: 250_000,
            },
            Limit {
                towards: Some(OTHER),
                amount: 500_000,
                left: 100,
            },
        ],
    };
    let text = answered(Query::Balances, found, true).unwrap();
    has(
        &text,
        &[
            "<Id>IMTS</Id>",
            "<Amt>0.05</Amt><CdtDbtInd>DBIT</CdtDbtInd><Tp><Prtry>BALANCE</Prtry></Tp>",
            "<Amt>40.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Tp><Prtry>QUEUED</Prtry></Tp>",
            "<NbOfPmts>3</NbOfPmts>",
            "<Id>INST</Id>",
            "<CurMulLmt><Amt><AmtWthCcy Ccy=\"KZT\">9000.00</AmtWthCcy></Amt>",
            "<Amt>2500.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Tp><Prtry>LIMITLEFT</Prtry></Tp>",
            "<CurBilLmt><CtrPtyId><FinInstnId><BICFI>CASPKZKA</BICFI></FinInstnId></CtrPtyId>\
             <LmtAmt><AmtWthCcy Ccy=\"KZT\">5000.00</AmtWthCcy></LmtAmt>",
            "<BilBal><Amt>1.00</Amt>",
        ],
    );
    for once in ["RESERVED", "CurMulLmt>", "LIMITLEFT"] {
        let count = text.matches(once).count();
        assert!((1..=2).contains(&count), "{once} is of one account: {text}");
    }
}

#[test]
fn as_many_limits_as_are_told_fit_into_a_message_and_more_are_announced() {
    const LARGEST: u64 = 999_999_999_999_999_999;
    let figures = Figures {
        account: Account::Settlement,
        balance: -i128::from(LARGEST),
        available: i128::from(LARGEST),
        held: LARGEST,
        credit_line: LARGEST,
        reserved: LARGEST,
        queued: 1_000_000,
        queued_amount: LARGEST,
    };
    let told = |count: usize| {
        let limit = |towards| Limit {
            towards,
            amount: LARGEST,
            left: LARGEST,
        };
        let others = std::iter::repeat_n(Some(OTHER), count - 1);
        let found = Found::Balances {
            at: Time::from_nanos(ACCEPTED_NS),
            figures: vec![figures],
            limits: std::iter::once(None).chain(others).map(limit).collect(),
        };
        answered(Query::Balances, found, true).unwrap()
    };
    let all = told(LIMITS_TOLD_MAX);
    assert!(all.len() < MESSAGE_BYTES_MAX, "{}", all.len());
    assert_eq!(all.matches("<CurBilLmt>").count(), LIMITS_TOLD_MAX - 1);
    assert!(!all.contains("MORELIMITS"));
    let more = told(LIMITS_TOLD_MAX + 1);
    assert_eq!(more.matches("<CurBilLmt>").count(), LIMITS_TOLD_MAX - 1);
    has(
        &more,
        &["<Amt>0.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Tp><Prtry>MORELIMITS</Prtry></Tp>"],
    );
    assert!(more.len() < MESSAGE_BYTES_MAX, "{}", more.len());
}

#[test]
fn payments_are_told_with_their_states() {
    let time = |seconds: u64| Some(Time::from_nanos(ACCEPTED_NS + seconds * 1_000_000_000));
    let waits = PaymentView {
        id: Position::new(4),
        from: OWNER,
        to: OTHER,
        direction: Flow::Out,
        amount: Money::kzt(150_000),
        reference: Text::truncated("TX-7"),
        uetr: Some(uetr_of_record(Position::new(4))),
        state: PaymentState::Waits,
        since: time(0),
        entered: time(0),
        priority: Some(Priority::High),
        earliest: time(60),
        latest: time(120),
    };
    let rejected = PaymentView {
        direction: Flow::In,
        uetr: None,
        state: PaymentState::Rejected(Some(Reason::LatestTimePassed)),
        earliest: None,
        latest: None,
        ..waits
    };
    let query = Query::Payments {
        criteria: Criteria::ALL,
        after: Position::ZERO,
    };
    let page = |payments| {
        Found::Payments(PaymentPage {
            number: 2,
            is_last: true,
            at: Time::from_nanos(ACCEPTED_NS),
            payments,
        })
    };
    let text = answered(query, page(vec![waits, rejected]), true).unwrap();
    assert_eq!(text.matches("<UETR>").count(), 1, "a return has none");
    has(
        &text,
        &[
            "<PgNb>2</PgNb><LastPgInd>true</LastPgInd>",
            "<MsgId>RQ-1</MsgId><MsgNmId>camt.005.001.08</MsgNmId>",
            "<NbOfNtries>2</NbOfNtries><Sum>3000.00</Sum>",
            "<TxId>TX-7</TxId><UETR>",
            "<CdtDbtInd>DBIT</CdtDbtInd><Pmt><Sts><Cd><Pdg>PSTL</Pdg></Cd>",
            "<Prty><Cd>HIGH</Cd></Prty><PrcgVldtyTm><DtTmRg>",
            "<CdtDbtInd>CRDT</CdtDbtInd><Pmt><Sts><Cd><Fnl>RJTD</Fnl></Cd>",
            "<PrtryStsRsn>TM01</PrtryStsRsn>",
        ],
    );
    let text = answered(query, page(Vec::new()), true).unwrap();
    has(&text, &["<OprlErr><Err><Prtry>NONE</Prtry></Err>"]);
    let too_much = PaymentView {
        amount: Money::kzt(u64::MAX),
        ..waits
    };
    answered(query, page(vec![too_much]), true).unwrap_err();
}

#[test]
fn an_entry_is_told_alone() {
    let moved = Message::ImtsNotice {
        entry: entry(Flow::In, 5_000),
    };
    let text = rendered(Query::Balances, None, moved).unwrap();
    has(
        &text,
        &[
            "camt.054.001.10",
            "<Ntfctn><Id>IMTS-2026-11-21-3</Id><ElctrncSeqNb>3</ElctrncSeqNb>",
            "<Amt Ccy=\"KZT\">50.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>",
            "<AcctSvcrRef>5</AcctSvcrRef>",
            "<DbtrAgt><FinInstnId><BICFI>CASPKZKA</BICFI>",
        ],
    );
    assert!(!text.contains("<Bal>"), "{text}");
}

#[test]
fn a_refusal_names_the_request() {
    let receipt = Receipt::Refused {
        reason: Reason::ValueDateNotAllowed,
    };
    let refused = Message::ImtsReceipt {
        original: ASKED,
        receipt,
    };
    let text = rendered(Query::Balances, None, refused).unwrap();
    has(
        &text,
        &[
            "<MsgId>RQ-1</MsgId><MsgNmId>camt.003.001.07</MsgNmId>",
            "RJCT",
            "DT01",
        ],
    );
}

#[test]
fn what_the_schema_cannot_hold_is_not_written() {
    let account = Account::Settlement;
    let query = Query::Intraday { account, from: 1 };
    let too_much = vec![entry(Flow::In, 1_000_000_000_000_000_000)];
    let found = Found::Page(page(1, true, too_much));
    assert!(answered(query, found, true).is_err());
    let found = Found::Page(page(100_000, true, Vec::new()));
    assert!(answered(query, found, true).is_err());
}
