use torap_domain::{Date, EndToEndId, Money, Position, Span, Time, TransactionId, Uetr};
use torap_engine::{
    participants::Direction,
    reports::{self, Account, Criteria, Query, Stage},
    settlement::{self, Instruction, Priority},
};
use torap_iso20022::{
    view::{
        AccountQuery, AccountRequest, BusinessHeader, LiquidityTransfer, PaymentChange,
        PaymentQuery, SETTLEMENT_SERVICE, SettlementTransfer,
    },
    write,
};

use super::*;
use crate::fixtures::{
    ACCEPTED_NS, CASP, HSBK, PAYEE_IBAN, SWITCH, UETR, bic, by_account, iban, payment_return,
    recall, uetr, written,
};

fn header<'a>(from: &'a str, message_id: &'a str) -> BusinessHeader<'a> {
    BusinessHeader {
        from,
        to: SWITCH,
        message_id,
        service: Some(SETTLEMENT_SERVICE),
        created_ns: ACCEPTED_NS,
        possible_duplicate: false,
    }
}

pub(crate) fn bank_transfer() -> SettlementTransfer<'static> {
    SettlementTransfer {
        message_id: "HSBK-RTGS-1",
        created_ns: ACCEPTED_NS,
        settlement_date: Some("2026-11-23"),
        instructing_agent: HSBK,
        instructed_agent: Some(SWITCH),
        instruction_id: None,
        end_to_end_id: "NOTPROVIDED",
        transaction_id: "TX-1",
        uetr: UETR,
        tiyn: 7_500_000_000_000,
        is_high: true,
        from_ns: Some(36_000_000_000_000),
        till_ns: Some(57_600_000_000_000),
        debtor_agent: HSBK,
        creditor_agent: CASP,
        accounts: None,
    }
}

fn settlement(command: Command) -> settlement::Command {
    match command {
        Command::Settlement(command) => command,
        other => panic!("{other:?}"),
    }
}

fn instruction(body: &Bytes) -> Instruction {
    match settlement(command_from(1, body, &Known::default())) {
        settlement::Command::Instruct(instruction) => instruction,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_bank_payment_has_its_priority_and_times() {
    let transfer = bank_transfer();
    let header = header(HSBK, transfer.message_id);
    let body = written(|out| write::bank_transfer(out, Some(&header), &transfer));
    let instruction = instruction(&body);
    assert_eq!(instruction.source, source(1));
    assert_eq!(instruction.amount, Money::kzt(7_500_000_000_000));
    assert_eq!(instruction.priority, Priority::High);
    assert_eq!(instruction.date, Date::parse("2026-11-23").ok());
    assert_eq!(instruction.earliest, Some(Span::from_secs(36_000)));
    assert_eq!(instruction.latest, Some(Span::from_secs(57_600)));
    let agents = (instruction.debtor_agent, instruction.creditor_agent);
    assert_eq!(agents, (bic(HSBK), bic(CASP)));
    // The switch is not the payee.
    assert_eq!(
        (instruction.instructed_agent, instruction.creditor_account),
        (None, None)
    );
    assert_eq!(instruction.references.uetr, uetr());
    let version = crate::versions::message(instruction.references.message_version);
    assert_eq!(version.unwrap().as_str(), "pacs.009.001.10");
}

/// The pacs.008 of the instant rail under the header of IMTS, with what `from` stands for replaced.
fn customer_payment(from: &str, to: &str) -> Bytes {
    let transfer = by_account();
    let header = header(HSBK, transfer.message_id);
    let carried = write::Carried::default();
    let body = written(|out| write::credit_transfer(out, Some(&header), &transfer, &carried));
    let text = String::from_utf8(body.to_vec()).unwrap();
    assert!(text.contains(from), "{text}");
    Bytes::from(text.replacen(from, to, 1))
}

#[test]
fn a_customer_payment_needs_no_service_code_and_takes_the_earlier_time() {
    let request = "</IntrBkSttlmAmt><SttlmPrty>NORM</SttlmPrty><SttlmTmReq><TillTm>16:00:00+05:00</TillTm>\
                   <RjctTm>10:30:00Z</RjctTm></SttlmTmReq>";
    let body = customer_payment("</IntrBkSttlmAmt>", request);
    let instruction = instruction(&body);
    assert_eq!(instruction.priority, Priority::Normal);
    assert_eq!(instruction.earliest, None);
    assert_eq!(instruction.latest, Some(Span::from_secs(15 * 3600 + 1800)));
    assert_eq!(instruction.creditor_account, Some(iban(PAYEE_IBAN)));
    assert_eq!(instruction.instructed_agent, Some(bic(CASP)));
    let version = crate::versions::message(instruction.references.message_version);
    assert_eq!(version.unwrap().as_str(), "pacs.008.001.10");
}

#[test]
fn the_tables_of_imts_refuse_by_place_and_code() {
    for (from, to, path, code) in [
        (
            "</IntrBkSttlmAmt>",
            "</IntrBkSttlmAmt><SttlmPrty>URGT</SttlmPrty>",
            "/Document/FIToFICstmrCdtTrf/CdtTrfTxInf/SttlmPrty",
            "CH16",
        ),
        (
            "</IntrBkSttlmAmt>",
            "</IntrBkSttlmAmt><SttlmTmReq><FrTm>16:00:00</FrTm></SttlmTmReq>",
            "/Document/FIToFICstmrCdtTrf/CdtTrfTxInf/SttlmTmReq/FrTm",
            "TM01",
        ),
        (
            "KZ45722S000054326792",
            "KZ45722S000054326793",
            "/Document/FIToFICstmrCdtTrf/CdtTrfTxInf/CdtrAcct/Id/IBAN",
            "AC03",
        ),
    ] {
        let refusal = refusal_from(1, &customer_payment(from, to), &Known::default());
        assert_eq!(refusal.path.as_str(), path);
        assert_eq!(refusal.code.as_str(), code);
    }
}

#[test]
fn a_payment_of_imts_needs_its_service() {
    let body = written(|out| write::bank_transfer(out, None, &bank_transfer()));
    let refusal = refusal_from(1, &body, &Known::default());
    assert_eq!(refusal.code.as_str(), "FF03");
    assert!(refusal.rule.as_str().starts_with("message-not-on-rail"));
}

#[test]
fn withdrawal_return_and_liquidity_transfer() {
    let request = recall();
    let of = header(HSBK, request.assignment.id);
    let body = written(|out| write::cancellation_request(out, Some(&of), &request));
    let settlement::Command::Cancel(cancellation) =
        settlement(command_from(1, &body, &Known::default()))
    else {
        panic!()
    };
    let id = cancellation.cancellation_id;
    assert_eq!(
        (id.as_str(), cancellation.references.uetr),
        ("CXL-1", uetr())
    );
    let back = payment_return();
    let of = header(CASP, back.message_id);
    let body = written(|out| write::payment_return(out, Some(&of), &back));
    let settlement::Command::Return(returned) =
        settlement(command_from(2, &body, &Known::default()))
    else {
        panic!()
    };
    let id = returned.return_id;
    assert_eq!(
        (id.as_str(), returned.amount),
        ("RTR-1", Money::kzt(1_525_000))
    );
    for (to_position, expected) in [(true, Direction::In), (false, Direction::Out)] {
        let transfer = LiquidityTransfer {
            message_id: "LIQ-1",
            created_ns: ACCEPTED_NS,
            agent: HSBK,
            to_position,
            tiyn: 150,
        };
        let of = header(HSBK, transfer.message_id);
        let body = written(|out| write::liquidity_transfer(out, Some(&of), &transfer));
        let settlement::Command::MoveLiquidity(order) =
            settlement(command_from(1, &body, &Known::default()))
        else {
            panic!()
        };
        assert_eq!(
            (order.direction, order.amount, order.agent),
            (expected, Money::kzt(150), bic(HSBK))
        );
    }
}

#[test]
fn a_link_speaks_to_imts_for_its_own_bank() {
    let transfer = bank_transfer();
    let header = header(HSBK, transfer.message_id);
    let body = written(|out| write::bank_transfer(out, Some(&header), &transfer));
    let refusal = refusal_from(2, &body, &Known::default());
    assert_eq!(refusal.reason, Reason::UnboundSender);
    assert_eq!(
        refusal.path.as_str(),
        "/Document/FICdtTrf/GrpHdr/InstgAgt/FinInstnId/BICFI"
    );
}

#[test]
fn other_messages_are_not_of_imts() {
    let request = crate::fixtures::status_request();
    let header = header(HSBK, request.message_id);
    let body = written(|out| write::status_request(out, Some(&header), &request));
    let refusal = refusal_from(1, &body, &Known::default());
    assert_eq!(refusal.code.as_str(), "FF03");
}

#[test]
fn a_bank_asks_about_its_accounts() {
    let request = |is_statement, date, from_sequence| AccountRequest {
        message_id: "RQ-1",
        created_ns: ACCEPTED_NS,
        is_statement,
        account: "INST",
        owner: HSBK,
        date,
        from_sequence,
    };
    let account = Account::Position;
    let date = Date::parse("2026-11-20").unwrap();
    for (view, expected) in [
        (
            request(true, Some("2026-11-20"), None),
            Query::Statement { account, date },
        ),
        (
            request(false, None, Some(257)),
            Query::Intraday { account, from: 257 },
        ),
        (
            request(false, None, None),
            Query::Intraday { account, from: 1 },
        ),
    ] {
        let of = header(HSBK, view.message_id);
        let body = written(|out| write::account_request(out, Some(&of), &view));
        let Command::Reports(reports::Command::Request(asked)) =
            command_from(1, &body, &Known::default())
        else {
            panic!()
        };
        assert_eq!((asked.query, asked.agent), (expected, bic(HSBK)));
    }
    // A statement without a day.
    let view = request(true, None, None);
    let of = header(HSBK, view.message_id);
    let body = written(|out| write::account_request(out, Some(&of), &view));
    let refusal = refusal_from(1, &body, &Known::default());
    assert_eq!(refusal.code.as_str(), "DT01");
    // Another bank's accounts.
    let view = AccountQuery {
        message_id: "Q-1",
        created_ns: ACCEPTED_NS,
        owner: HSBK,
    };
    let of = header(HSBK, view.message_id);
    let body = written(|out| write::account_query(out, Some(&of), &view));
    let refusal = refusal_from(2, &body, &Known::default());
    assert_eq!(refusal.reason, Reason::UnboundSender);
}

#[test]
fn a_bank_asks_about_payments_and_changes_one() {
    let named = "f47ac10b-58cc-4372-a567-0e02b2c3d479";
    let view = PaymentQuery {
        message_id: "Q-2",
        created_ns: ACCEPTED_NS,
        transaction_id: Some("TX-1"),
        uetr: Some(named),
        end_to_end_id: Some("E2E-1"),
        status: Some("FNLD"),
        is_credit: Some(false),
        tiyn: Some((100, 200)),
        priority: Some("HIGH"),
        date: Some("2026-11-20"),
    };
    let of = header(HSBK, view.message_id);
    let body = written(|out| write::payment_query(out, Some(&of), &view));
    let Command::Reports(reports::Command::Request(asked)) =
        command_from(1, &body, &Known::default())
    else {
        panic!()
    };
    assert_eq!(asked.agent, bic(HSBK));
    let criteria = Criteria {
        transaction_id: Some(TransactionId::parse("TX-1").unwrap()),
        uetr: Some(Uetr::parse(named).unwrap()),
        end_to_end_id: Some(EndToEndId::parse("E2E-1").unwrap()),
        stage: Some(Stage::Ended),
        direction: Some(Direction::Out),
        priority: Some(Priority::High),
        least: 100,
        most: 200,
        date: Some(Date::parse("2026-11-20").unwrap()),
    };
    let after = Position::ZERO;
    assert_eq!(asked.query, Query::Payments { criteria, after });
    // PrtryId that is no UETR.
    let wrong = String::from_utf8(body.to_vec())
        .unwrap()
        .replace(named, "7");
    let refusal = refusal_from(1, &Bytes::from(wrong), &Known::default());
    assert!(refusal.path.as_str().ends_with("PrtryId"), "{refusal:?}");

    let view = PaymentChange {
        message_id: "MOD-1",
        created_ns: ACCEPTED_NS,
        uetr: named,
        transaction_id: None,
        is_high: Some(true),
        from_ns: None,
        till_ns: Some(ACCEPTED_NS),
    };
    let of = header(HSBK, view.message_id);
    let body = written(|out| write::payment_change(out, Some(&of), &view));
    let Command::Settlement(settlement::Command::Modify(change)) =
        command_from(1, &body, &Known::default())
    else {
        panic!()
    };
    assert_eq!(
        (
            change.agent,
            change.uetr,
            change.priority,
            change.earliest,
            change.latest
        ),
        (
            bic(HSBK),
            Uetr::parse(named).unwrap(),
            Some(Priority::High),
            None,
            Some(Time::from_nanos(ACCEPTED_NS))
        )
    );
    // In the name of a bank that the link does not speak for.
    let refusal = refusal_from(2, &body, &Known::default());
    assert_eq!(refusal.reason, Reason::UnboundSender);
}
