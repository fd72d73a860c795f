use torap_domain::{MessageId, Money};

use super::*;
use crate::{
    Command as Any,
    participants::Direction,
    reports::{EntryKind, Page, Sums},
    settlement::{self, Payment, Priority},
    world::{CASP, HSBK, World, bic, operator},
};

fn wants(world: &mut World, participant: ParticipantId, statements: bool, notices: bool) {
    world.accept(Any::Reports(Command::SetWants {
        source: operator(),
        participant,
        wants: Wants {
            statements,
            notices,
        },
    }));
}

fn request(world: &mut World, query: Query) -> Any {
    Any::Reports(Command::Request(Request {
        source: world.link(CASP),
        message_id: MessageId::parse("RQ-1").unwrap(),
        message_version: 21,
        agent: bic(CASP),
        query,
    }))
}

fn page(number: u32, is_last: bool) -> Found {
    Found::Page(Page {
        number,
        is_last,
        before: 0,
        first: 1,
        entries: Vec::new(),
        so_far: Sums::default(),
    })
}

fn answered(number: u64, open: &Open, found: Found) -> Any {
    Any::Reports(Command::Answer(Box::new(Answer {
        source: Source::Switch,
        number,
        order: open.order,
        found,
    })))
}

fn orders(world: &World) -> Vec<(u64, Open)> {
    world.engine.open_orders().collect()
}

fn yesterday(world: &World) -> Date {
    Date::from_time(world.now()).add_days(-1)
}

#[test]
fn a_statement_is_told_page_by_page_and_each_page_once() {
    let mut world = World::new();
    let date = yesterday(&world);
    let account = Account::Settlement;
    let asked = request(&mut world, Query::Statement { account, date });
    world.accept(asked);
    assert_eq!(world.sent_to(CASP), [], "the read side answers");
    let [(number, open)] = orders(&world).try_into().unwrap();
    assert_eq!(open.order.request, Some(world.stamp.position));
    assert_eq!(world.engine.oldest_referred(), Some(world.stamp.position));
    world.refuse(
        answered(number, &open, page(2, false)),
        Reason::ResolutionStale,
    );
    world.accept(answered(number, &open, page(1, false)));
    let original = world.stamp.position;
    assert_eq!(world.sent_to(CASP), [Message::Report { original }]);
    world.refuse(
        answered(number, &open, page(1, false)),
        Reason::ResolutionStale,
    );
    world.accept(answered(number, &open, page(2, true)));
    assert_eq!(orders(&world), []);
    world.refuse(
        answered(number, &open, page(3, true)),
        Reason::ResolutionStale,
    );
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let mut world = World::new();
    let today = Date::from_time(world.now());
    let account = Account::Position;
    let check = |world: &mut World, query: Query, reason: Reason| {
        let asked = request(world, query);
        world.refuse(asked, reason);
        let original = world.stamp.position;
        let receipt = Receipt::Refused { reason };
        assert_eq!(
            world.sent_to(CASP),
            [Message::ImtsReceipt { original, receipt }]
        );
    };
    let statement = |date| Query::Statement { account, date };
    let not_allowed = Reason::ValueDateNotAllowed;
    check(&mut world, statement(today), not_allowed);
    check(&mut world, statement(today.add_days(1)), not_allowed);
    let too_old = today.add_days(-DAYS_BACK_MAX - 1);
    check(&mut world, statement(too_old), not_allowed);
    // Not a card member.
    let of_cards = Query::Intraday {
        account: Account::Card,
        from: 1,
    };
    check(&mut world, of_cards, Reason::OperatorRefused);
    for _ in 0..REQUESTS_EACH_MAX {
        let asked = request(&mut world, Query::Balances);
        world.accept(asked);
    }
    check(&mut world, Query::Balances, Reason::InternalLimit);
    // Nobody but the switch answers.
    let (number, open) = orders(&world)[0];
    let forged = Answer {
        source: operator(),
        number,
        order: open.order,
        found: page(1, true),
    };
    let forged = Any::Reports(Command::Answer(Box::new(forged)));
    world.refuse(forged, Reason::OperatorRefused);
    let failed = Found::Failed(Reason::InternalLimit);
    world.accept(answered(number, &open, failed));
    let receipt = Receipt::Refused {
        reason: Reason::InternalLimit,
    };
    let original = open.order.request.unwrap();
    assert_eq!(
        world.sent_to(CASP),
        [Message::ImtsReceipt { original, receipt }]
    );
}

#[test]
fn every_day_has_a_statement_also_those_that_were_slept_through() {
    let mut world = World::new();
    wants(&mut world, HSBK, true, false);
    let today = Date::from_time(world.now());
    assert_eq!(world.engine.next_deadline(), today.add_days(1).start());
    world.wait(Span::from_secs(3 * 24 * 3600));
    world.tick();
    let days: Vec<(Query, ParticipantId, Option<Position>)> = orders(&world)
        .iter()
        .map(|(_, open)| (open.order.query, open.order.to, open.order.request))
        .collect();
    let mut expected = Vec::new();
    for days in 0..3 {
        for account in [Account::Settlement, Account::Position] {
            let date = today.add_days(days);
            expected.push((Query::Statement { account, date }, HSBK, None));
        }
    }
    assert_eq!(days, expected);
    wants(&mut world, HSBK, false, false);
    assert_eq!(world.engine.next_deadline(), None);
    assert_eq!(orders(&world).len(), 6, "what was due is still told");
}

#[test]
fn entries_are_told_to_those_who_want_them() {
    let mut world = World::new();
    wants(&mut world, HSBK, false, true);
    let until = world.now().saturating_add(Span::from_secs(3600));
    for command in [
        settlement::Command::Open {
            source: operator(),
            cut_off: None,
            until,
        },
        settlement::Command::Fund {
            source: operator(),
            participant: CASP,
            direction: Direction::In,
            amount: Money::kzt(500),
        },
        settlement::Command::Pay {
            source: operator(),
            payment: Payment {
                from: CASP,
                to: HSBK,
                amount: Money::kzt(400),
                priority: Priority::Normal,
                reference: torap_domain::Text::truncated("ONE"),
                earliest: None,
                latest: None,
            },
        },
    ] {
        world.accept(Any::Settlement(command));
    }
    let paid = world.stamp.position;
    world.tick();
    let sent = world.sent_to(HSBK);
    let [Message::ImtsNotice { entry }] = sent.as_slice() else {
        panic!("{sent:?}");
    };
    assert_eq!((entry.position, entry.kind), (paid, EntryKind::ImtsPayment));
    assert_eq!((entry.signed(), entry.counterparty), (400, Some(CASP)));
    assert_eq!(entry.uetr, Some(settlement::uetr_of_record(paid)));
    assert_eq!(world.sent_to(CASP), []);
}
