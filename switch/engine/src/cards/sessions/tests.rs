use torap_domain::{CardReason, Date, Money, Span, Time, card::MonthDay};

use crate::{
    Outcome,
    cards::{world::*, *},
    world::{CASP, HSBK, IRTY, operator},
};

fn date(day: u8) -> Date {
    Date::from_ymd(2026, 11, day).unwrap()
}

fn cut_over(rail: &mut Rail) {
    rail.accept(Command::CutOver { source: operator() });
}

/// The session that the last answer to CASP states.
fn replied_session(rail: &Rail) -> Option<Date> {
    let sent = rail.sent_to(CASP);
    sent.iter().rev().find_map(|message| match message {
        Message::Reply { session, .. } => Some(*session),
        _ => None,
    })
}

#[test]
fn what_is_answered_again_after_a_cut_over_keeps_its_session() {
    let mut rail = Rail::new();
    let request = rail.approved(1);
    let reversal = rail.reverse(2, &request.transaction, None);
    let advice = rail.advise(3, |_| ());
    let first = replied_session(&rail);
    assert_eq!(first, Some(date(21)));
    cut_over(&mut rail);
    for again in [
        Command::Reversal(Reversal {
            repeat: true,
            ..reversal
        }),
        Command::Advice(Advice {
            repeat: true,
            ..advice
        }),
    ] {
        rail.accept(again);
        assert_eq!(replied_session(&rail), first);
    }
}

fn reconcile(rail: &mut Rail, day: u8, side: Side, totals: Totals) {
    let trace = rail.trace(800);
    rail.accept(Command::Reconciliation(Reconciliation {
        origin: origin(CASP),
        trace,
        mac: MacFact::NotRequired,
        advice: false,
        institution: None,
        session: MonthDay::of(date(day)),
        side,
        totals,
    }));
}

/// Everything that waits for a member, acknowledged one by one.
fn drain(rail: &mut Rail, id: torap_domain::ParticipantId) -> Vec<Message> {
    let mut all = Vec::new();
    let mut sent = rail.sent_to(id);
    while let Some(message) = sent.iter().rev().find(|message| {
        matches!(
            message,
            Message::Queued { .. } | Message::ClosingTotals { .. }
        )
    }) {
        let (Message::Queued { trace, .. } | Message::ClosingTotals { trace, .. }) = *message
        else {
            break;
        };
        all.push(*message);
        rail.acknowledge(id, trace);
        sent = rail.sent_to(id);
    }
    all
}

#[test]
fn what_is_under_way_stays_in_its_session_and_totals_follow_when_it_is_over() {
    let mut rail = Rail::new();
    rail.approved(1);
    let (_, trace) = rail.asked(2);
    cut_over(&mut rail);
    let events = rail.events();
    assert!(events.contains(&Event::CutOver {
        closed: date(21),
        opened: date(22)
    }));
    assert!(!events.contains(&Event::SessionClosed { session: date(21) }));
    let [
        Message::Queued {
            letter,
            trace: told,
            ..
        },
    ] = rail.sent_to(CASP)[..]
    else {
        panic!()
    };
    assert_eq!(letter, Letter::CutOver { session: date(22) });
    // After it: a new session.
    let (_, later) = rail.asked(3);
    rail.answer(HSBK, later, approve());
    let totals = |rail: &Rail, day| {
        rail.world
            .engine
            .state
            .cards
            .sessions
            .totals(date(day), CASP, Side::Acquirer)
    };
    assert_eq!(totals(&rail, 22).debits.count, 1);
    rail.answer(HSBK, trace, approve());
    assert!(
        rail.events()
            .contains(&Event::SessionClosed { session: date(21) })
    );
    assert_eq!(totals(&rail, 21).debits.count, 2);
    rail.acknowledge(CASP, told);
    let [
        Message::ClosingTotals {
            session,
            side,
            totals: told,
            ..
        },
    ] = rail.sent_to(CASP)[..]
    else {
        panic!("{:?}", rail.world.out.cards)
    };
    assert_eq!((session, side), (date(21), Side::Acquirer));
    assert_eq!(told, totals(&rail, 21));
    assert_eq!(rail.balance(CASP), 3 * acquired());
}

#[test]
fn a_reversal_counts_in_its_own_session() {
    let mut rail = Rail::new();
    let request = rail.approved(1);
    cut_over(&mut rail);
    rail.reverse(2, &request.transaction, None);
    let totals = rail.totals(CASP, Side::Acquirer);
    assert_eq!((totals.debits.count, totals.debit_reversals.count), (0, 1));
    assert_eq!(totals.fees_received, Money::kzt(INTERCHANGE + 50));
    assert_eq!(rail.balance(CASP), 0);
}

#[test]
fn sessions_end_at_their_daily_time() {
    let mut rail = Rail::new();
    let end = Time::parse("2026-11-21T20:00:00+05:00").unwrap();
    assert_eq!(rail.world.engine.next_deadline(), Some(end));
    rail.tick_after(Span::from_secs(11 * 3600));
    assert!(rail.events().contains(&Event::CutOver {
        closed: date(21),
        opened: date(22)
    }));
    drain(&mut rail, CASP);
    // A session is never more than a day ahead.
    let source = operator();
    rail.refuse(Command::CutOver { source });
    // Days that the switch slept through end one after the other.
    rail.tick_after(Span::from_secs(2 * 86_400));
    let opened: Vec<Date> = rail
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::CutOver { opened, .. } => Some(*opened),
            _ => None,
        })
        .collect();
    assert_eq!(opened, [date(23), date(24)]);
    rail.settings(|settings| settings.cut_over_at = None);
    rail.tick_after(Span::from_secs(86_400));
    assert!(
        !rail
            .events()
            .iter()
            .any(|event| matches!(event, Event::CutOver { .. }))
    );
}

#[test]
fn a_closed_session_is_settled_once_and_leaves_the_accounts() {
    let mut rail = Rail::new();
    let source = operator();
    rail.approved(1);
    let settle = |session| Command::SettleSession { source, session };
    rail.refuse(settle(date(21)));
    cut_over(&mut rail);
    rail.approved(2);
    assert_eq!(rail.balance(CASP), 2 * acquired());
    rail.accept(settle(date(21)));
    assert!(
        rail.events()
            .contains(&Event::SessionSettled { session: date(21) })
    );
    assert_eq!(rail.balance(CASP), acquired());
    assert_eq!(rail.balance(HSBK), issued());
    rail.refuse(settle(date(21)));
    rail.refuse(settle(date(20)));
    let state = &rail.world.engine.state;
    let account = |key| state.ledger.balance(state.ledger.find(key).unwrap());
    assert_eq!(account(members::SETTLEMENT), 0);
    assert_eq!(account(members::FEES), 70);
}

#[test]
fn totals_are_compared_for_closed_sessions() {
    let mut rail = Rail::new();
    rail.approved(1);
    let ours = rail.totals(CASP, Side::Acquirer);
    reconcile(&mut rail, 21, Side::Acquirer, ours);
    assert_eq!(rail.replied(), Some(CardReason::SessionOpen));
    reconcile(&mut rail, 25, Side::Acquirer, ours);
    assert_eq!(rail.replied(), Some(CardReason::SessionUnknown));
    cut_over(&mut rail);
    drain(&mut rail, CASP);
    // Fees are told and not compared.
    let without_fees = Totals {
        fees_paid: Money::kzt(0),
        ..ours
    };
    reconcile(&mut rail, 21, Side::Acquirer, without_fees);
    let [
        Message::Reconciled {
            totals, in_balance, ..
        },
    ] = rail.sent_to(CASP)[..]
    else {
        panic!()
    };
    assert_eq!((totals, in_balance), (ours, true));
    let mut theirs = ours;
    theirs.debits.count += 1;
    reconcile(&mut rail, 21, Side::Acquirer, theirs);
    let sent = rail.sent_to(CASP);
    assert!(matches!(
        sent[0],
        Message::Reconciled {
            in_balance: false,
            ..
        }
    ));
    assert!(matches!(
        sent[1],
        Message::Queued {
            letter: Letter::Notice(Notice::OutOfBalance {
                participant: CASP,
                ..
            }),
            ..
        }
    ));
    reconcile(&mut rail, 21, Side::Issuer, Totals::ZERO);
    assert!(matches!(
        rail.sent_to(CASP)[0],
        Message::Reconciled {
            in_balance: true,
            ..
        }
    ));
}

#[test]
fn sessions_are_bounded_and_the_unsettled_are_never_dropped() {
    let mut rail = Rail::new();
    for id in [CASP, HSBK, IRTY, crate::world::TSES] {
        rail.disconnect(id);
    }
    let mut held = 0;
    for _ in 0..SESSIONS_MAX + 2 {
        rail.world.wait(Span::from_secs(86_400));
        rail.world.stamp.position = rail.world.stamp.position.next();
        let stamp = rail.world.stamp;
        rail.world
            .engine
            .apply(stamp, &crate::Command::Tick, &mut rail.world.out);
        held += usize::from(
            rail.events()
                .iter()
                .any(|event| matches!(event, Event::CutOverHeld { .. })),
        );
    }
    assert_eq!(held, 3);
    let oldest = rail.world.engine.state.cards.sessions.oldest();
    let source = operator();
    assert_eq!(
        rail.apply(Command::SettleSession {
            source,
            session: oldest
        }),
        Outcome::Accepted
    );
    rail.tick_after(Span::from_secs(86_400));
    assert!(
        rail.events()
            .iter()
            .any(|event| matches!(event, Event::CutOver { .. }))
    );
}
