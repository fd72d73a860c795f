use torap_domain::card::{ApprovalCode, ResponseCode};
use torap_domain::{CardReason, Money, Position};
use torap_engine::cards::{
    Class, Command, Decider, Decision, Effect, Fees, Message, References, Side, Sum, Totals,
};
use torap_iso8583::{Dialect, Step, check_step};

use super::rig::{
    ORIGINAL, SECOND, effect, from_the_log, record, render, render_in, session, trace,
};
use crate::card::fixtures::{
    ACQUIRER, ISSUER, PAN, fields, network, purchase, purchase_with, shown, written,
};
use crate::card::translate::Intake;

fn references(intake: &Intake) -> References {
    match &intake.command {
        Command::Request(request) => request.transaction.references,
        other => panic!("no request: {other:?}"),
    }
}

fn answer(original: &Intake, decision: Decision, fees: Option<Fees>, cause: Position) -> Effect {
    let by_issuer = matches!(
        decision,
        Decision::Approved {
            by: Decider::Issuer,
            ..
        } | Decision::Declined {
            reason: CardReason::IssuerDeclined,
            ..
        }
    );
    let message = Message::Answer {
        original: ORIGINAL,
        class: Class::Financial,
        references: references(original),
        decision,
        answer: by_issuer.then_some(SECOND),
        session: session(),
        fees,
        again: false,
    };
    effect(ACQUIRER, cause, message)
}

fn approved(by: Decider, amount: u64) -> Decision {
    Decision::Approved {
        approval: ApprovalCode::parse(b"B00002").ok(),
        amount: Money::kzt(amount),
        by,
    }
}

/// Issuer authentication data.
const CHIP: [u8; 10] = *b"\x91\x08ABCDEFGH";

/// What the issuer answers to the switch's 0200.
fn of_issuer(code: &str, changes: &[(u8, &str)]) -> Intake {
    let mut list = fields(&[
        (2, PAN),
        (3, "000000"),
        (4, "000000150000"),
        (7, "1121130406"),
        (11, "009001"),
        (32, "601"),
        (33, "722"),
        (37, "632613000417"),
        (39, code),
        (41, "TERM0001"),
        (49, "398"),
    ]);
    list.extend(fields(changes));
    if code == "00" {
        list.push((55, CHIP.to_vec()));
    }
    record(ISSUER, &written(210, &list))
}

#[track_caller]
fn check_at(step: Step, effect: &Effect, original: &Intake, second: Option<&Intake>) {
    let (bytes, _) = render_in(&network(), effect, Some(original), second).unwrap();
    let message = torap_iso8583::Message::parse(Dialect::national(), &bytes).unwrap();
    message.check_subfields().unwrap();
    if let Err(error) = check_step(&message, step) {
        panic!("{error}: {}", shown(&bytes));
    }
}

#[test]
fn an_approval_has_the_acquirers_fields_and_what_the_issuer_added() {
    let original = record(ACQUIRER, &purchase());
    let second = of_issuer(
        "00",
        &[
            (38, "B00002"),
            (54, "0002398C000000099999"),
            (62, "001003BYE"),
        ],
    );
    let fees = Fees {
        interchange: Money::kzt(1_500),
        interchange_to: Side::Issuer,
        switch_acquirer: Money::kzt(75),
        switch_issuer: Money::kzt(50),
    };
    let effect = answer(
        &original,
        approved(Decider::Issuer, 150_000),
        Some(fees),
        SECOND,
    );
    let text = render(&effect, &original, Some(&second));
    assert_eq!(
        text,
        "0210 3=000000 4=000000150000 7=1121130405 11=000417 12=180405 13=1121 15=1121 24=200 32=601 33=900 \
         37=632613000417 38=B00002 39=00 41=TERM0001 42=SHOP00000000001 48=IF09D00001500SF09D00000075 49=398 \
         54=0002398C000000099999 55=\\x91\\x08ABCDEFGH 61=001004TILL 62=001003BYE 63=0010027100201020261121 01"
            .replace("20261121 01", "2026112101")
    );
    check_at(Step::ToAcquirer, &effect, &original, Some(&second));
    // From the log it is the same to the byte.
    let (original, second) = (from_the_log(&original), from_the_log(&second));
    assert_eq!(render(&effect, &original, Some(&second)), text);
}

#[test]
fn no_answer_shows_the_card() {
    let original = record(ACQUIRER, &purchase());
    let second = of_issuer("00", &[(38, "B00002")]);
    let effect = answer(&original, approved(Decider::Issuer, 150_000), None, SECOND);
    let text = render(&effect, &original, Some(&second));
    assert!(!text.contains(" 2="), "{text}");
}

#[test]
fn a_part_is_approved_with_the_part_as_the_amount() {
    let original = record(ACQUIRER, &purchase());
    let second = of_issuer("10", &[(38, "B00002")]);
    let effect = answer(&original, approved(Decider::Issuer, 100_000), None, SECOND);
    let text = render(&effect, &original, Some(&second));
    assert!(
        text.contains(" 4=000000100000 ") && text.contains(" 39=00 "),
        "{text}"
    );
}

#[test]
fn a_decline_of_the_issuer_keeps_its_own_code_and_one_of_the_switch_says_why() {
    let original = record(ACQUIRER, &purchase());
    let second = of_issuer("51", &[(44, "no")]);
    let declined = |reason, code: Option<&[u8]>| Decision::Declined {
        reason,
        code: code.map(|code| ResponseCode::parse(code).unwrap()),
    };
    let effect = answer(
        &original,
        declined(CardReason::IssuerDeclined, Some(b"51")),
        None,
        SECOND,
    );
    let text = render(&effect, &original, Some(&second));
    assert!(
        text.contains(" 39=51 ") && text.contains(" 44=no "),
        "{text}"
    );
    assert!(
        !text.contains(" 38=") && !text.contains("issuer-declined"),
        "{text}"
    );
    check_at(Step::ToAcquirer, &effect, &original, Some(&second));

    let effect = answer(
        &original,
        declined(CardReason::IssuerSilent, None),
        None,
        Position(99),
    );
    let text = render(&effect, &from_the_log(&original), None);
    assert!(
        text.contains(" 39=91 ") && text.ends_with("008013issuer-silent"),
        "{text}"
    );
    check_at(Step::ToAcquirer, &effect, &original, None);
}

#[test]
fn stand_in_is_marked_with_its_cause() {
    let original = record(ACQUIRER, &purchase());
    for (cause, mark) in [(ORIGINAL, "48=SI0201"), (Position(99), "48=SI0203")] {
        let effect = answer(&original, approved(Decider::StandIn, 150_000), None, cause);
        let text = render(&effect, &original, None);
        assert!(
            text.contains(mark) && text.contains(" 38=B00002 "),
            "{text}"
        );
        check_at(Step::ToAcquirer, &effect, &original, None);
    }
}

fn reply(to: torap_domain::ParticipantId, refusal: Option<CardReason>) -> Effect {
    let message = Message::Reply {
        original: ORIGINAL,
        trace: trace(),
        refusal,
        session: session(),
        again: false,
    };
    effect(to, ORIGINAL, message)
}

#[test]
fn a_reversal_is_answered_by_its_own_type() {
    let elements = "020000041711211304050000000060100000000900";
    for (mti, start) in [
        (400, "0410 "),
        (401, "0410 "),
        (420, "0430 "),
        (421, "0430 "),
    ] {
        let changes = [(24, "400"), (35, ""), (48, ""), (90, elements)];
        let original = record(ACQUIRER, &written(mti, &purchase_with(&changes)));
        let effect = reply(ACQUIRER, None);
        let text = render(&effect, &original, None);
        assert!(
            text.starts_with(start) && text.contains(" 39=00 "),
            "{text}"
        );
        check_at(Step::ToAcquirer, &effect, &original, None);
    }
}

#[test]
fn a_message_at_fault_is_answered_with_place_and_rule() {
    let original = record(ACQUIRER, &written(200, &purchase_with(&[(37, "")])));
    let text = render(
        &reply(ACQUIRER, Some(CardReason::ProfileViolation)),
        &original,
        None,
    );
    assert!(text.contains(" 39=30 "), "{text}");
    assert!(text.contains(" 44=field 37: missing-field "), "{text}");
    assert!(text.contains("008017profile-violation"), "{text}");
}

#[test]
fn a_sign_on_is_answered() {
    let list = fields(&[(7, "1121130405"), (11, "000001"), (33, "601"), (70, "001")]);
    let original = record(ACQUIRER, &written(800, &list));
    for (refusal, code) in [
        (None, " 39=00 "),
        (Some(CardReason::SenderSuspended), " 39=58 "),
    ] {
        let effect = reply(ACQUIRER, refusal);
        let text = render(&effect, &original, None);
        assert!(
            text.starts_with("0810 7=1121130405 11=000001 33=900"),
            "{text}"
        );
        assert!(text.contains(code) && text.ends_with(" 70=001"), "{text}");
        check_at(Step::ToParticipant, &effect, &original, None);
    }
}

#[test]
fn a_stop_list_answer_names_its_card_also_from_the_log() {
    let list = fields(&[
        (2, PAN),
        (7, "1121130405"),
        (11, "000001"),
        (33, "722"),
        (91, "1"),
        (101, "STOP"),
        (120, "RS0201"),
    ]);
    let original = from_the_log(&record(ISSUER, &written(302, &list)));
    let effect = reply(ISSUER, None);
    let text = render(&effect, &original, None);
    assert!(text.starts_with("0312 2=9999994712360013 "), "{text}");
    check_at(Step::ToParticipant, &effect, &original, None);
}

#[test]
fn reconciliation_answers_with_the_switchs_own_totals() {
    let mut list = fields(&[
        (7, "1121130405"),
        (11, "000001"),
        (15, "1121"),
        (24, "500"),
        (33, "722"),
        (50, "398"),
        (63, "0020102026112101004004HSBK"),
        (97, "D0000000000000000"),
    ]);
    for field in 74..=77 {
        list.push((field, vec![b'0'; 10]));
    }
    for field in 86..=89 {
        list.push((field, vec![b'0'; 16]));
    }
    let original = record(ISSUER, &written(500, &list));
    let sum = |count, amount| Sum {
        count,
        amount: Money::kzt(amount),
    };
    let totals = Totals {
        debits: sum(3, 30_000),
        debit_reversals: sum(1, 10_000),
        credits: sum(1, 5_000),
        ..Totals::ZERO
    };
    for (in_balance, words) in [(true, " 39=00 "), (false, " 39=95 ")] {
        let message = Message::Reconciled {
            original: ORIGINAL,
            trace: trace(),
            session: session(),
            totals,
            in_balance,
        };
        let effect = effect(ISSUER, ORIGINAL, message);
        let text = render(&effect, &original, None);
        assert!(text.starts_with("0510 ") && text.contains(words), "{text}");
        // The issuer pays 30,000 less 10,000 less 5,000.
        assert!(text.contains(" 97=D0000000000015000"), "{text}");
        assert!(
            text.contains(" 76=0000000003 ") && text.contains("004004HSBK"),
            "{text}"
        );
        check_at(Step::ToParticipant, &effect, &original, None);
    }
}
