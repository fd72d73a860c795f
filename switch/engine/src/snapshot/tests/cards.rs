//! As the tests beside it, of an engine whose card rail holds something in every part.

use torap_domain::{Money, Span, card::Channel};

use super::{Part, assembled, bytes_of, check_golden, chunks, run_out};
use crate::{
    Engine, Output, Stamp,
    cards::{
        Class, Command, FileUpdate, LifetimeRow, MacFact, StopAction, StopCause,
        world::{
            AMOUNT, FOREIGN, OF_HSBK, OF_IRTY, Rail, card_of, decline, named, origin, profile,
        },
    },
    world::{HSBK, operator},
};

fn full_of_cards() -> Rail {
    let mut rail = Rail::new();
    let cap = Some(Money::kzt(AMOUNT / 2));
    let mut capped = profile(HSBK);
    capped.cap = cap;
    let source = operator();
    rail.accept(Command::SetLifetimes {
        source,
        rows: vec![LifetimeRow {
            mcc_from: torap_domain::card::Mcc::NONE,
            mcc_to: torap_domain::card::Mcc::new(9999).unwrap(),
            within: Span::from_secs(86_400),
            above_percent: 10,
        }],
    });
    // Decided in every way, reversed in part, and blocked.
    let approved = rail.approved(1);
    let (_, trace) = rail.asked(2);
    rail.answer(HSBK, trace, decline("51"));
    rail.reverse(3, &approved.transaction, Some(AMOUNT / 4));
    let never = rail.transaction(4, OF_HSBK);
    rail.reverse(5, &never, None);
    let authorised = rail.authorised(6);
    rail.advise(7, |advice| {
        advice.transaction.amount = Money::kzt(AMOUNT / 2);
        advice.completes = Some(named(&authorised.transaction));
    });
    rail.request(8, OF_IRTY, |_| ());
    rail.tick_after(Span::from_secs(12));
    rail.accept(Command::CutOver { source });
    rail.accept(Command::SettleSession {
        source,
        session: torap_domain::Date::from_ymd(2026, 11, 21).unwrap(),
    });
    // What is not settled stands on the accounts.
    rail.approved(13);
    rail.member(HSBK, capped);
    let trace = rail.trace(9);
    let route = rail.transaction(9, OF_HSBK).route;
    rail.accept(Command::FileUpdate(FileUpdate {
        origin: origin(HSBK),
        trace,
        mac: MacFact::NotRequired,
        card: card_of(b"9860120000000038"),
        route,
        action: StopAction::Stop {
            cause: StopCause::Stolen,
        },
    }));
    rail.network(HSBK, crate::cards::NetworkAction::SignOff);
    rail.request(10, OF_HSBK, |request| {
        request.transaction.class = Class::Authorisation;
    });
    rail.network(HSBK, crate::cards::NetworkAction::SignOn);
    // Under way: at the issuer and at the scheme.
    rail.request(11, OF_HSBK, |request| {
        request.transaction.class = Class::Authorisation
    });
    rail.request(12, FOREIGN, |request| {
        request.transaction.class = Class::Authorisation;
        request.transaction.channel = Channel::Web;
    });
    let stats = rail.world.engine.card_stats();
    assert_eq!((stats.in_flight, stats.authorisations), (2, 2));
    assert!(stats.queued > 0 && stats.stopped_cards == 1 && stats.stand_in_cards == 1);
    rail
}

#[test]
fn the_layout_is_the_one_of_its_golden_file() {
    let bytes = bytes_of(&full_of_cards().world.engine);
    check_golden("cards", &bytes);
    assert!(Engine::restore(&bytes, 0).is_ok());
}

#[test]
fn a_restored_engine_goes_on_as_the_one_it_came_from() {
    let mut world = full_of_cards().world;
    let bytes = bytes_of(&world.engine);
    let mut restored = Engine::restore(&bytes, 12345).unwrap();
    assert_eq!(bytes_of(&restored), bytes);
    let mut out = Output::new();
    for _ in 0..20 {
        let time = restored.next_deadline().unwrap();
        assert_eq!(Some(time), world.engine.next_deadline());
        let stamp = Stamp {
            position: world.stamp.position.next(),
            time: time
                .max(world.stamp.time)
                .saturating_add(Span::from_nanos(1)),
        };
        world.stamp = stamp;
        world
            .engine
            .apply(stamp, &crate::Command::Tick, &mut world.out);
        restored.apply(stamp, &crate::Command::Tick, &mut out);
        assert_eq!(out.events, world.out.events);
        assert_eq!(out.cards, world.out.cards);
        assert_eq!(restored.digest(), world.engine.digest());
    }
    assert_eq!(restored.card_stats().in_flight, 0);
}

/// The part has a version of its own, so that a later layout is refused by name and not by whatever does not fit first.
#[test]
fn another_layout_of_the_card_rail_is_refused_by_its_version() {
    let mut whole = chunks(&bytes_of(&full_of_cards().world.engine));
    let cards = whole.iter().position(|(tag, _)| *tag == Part::Cards as u16);
    let (_, payload) = &mut whole[cards.unwrap()];
    payload[0] = 9;
    let error = Engine::restore(&assembled(&whole), 0).unwrap_err();
    assert!(error.to_string().contains("version 9"), "{error}");
}

#[test]
fn any_single_damaged_byte_is_found() {
    let bytes = bytes_of(&full_of_cards().world.engine);
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x10;
        assert!(Engine::restore(&damaged, 0).is_err(), "byte {place}");
    }
}

#[test]
fn no_bytes_panic_even_with_a_right_digest() {
    let whole = chunks(&bytes_of(&full_of_cards().world.engine));
    let (mut read, mut refused) = (0, 0);
    for chunk in 0..whole.len() {
        for place in 0..whole[chunk].1.len() {
            for flip in [0x01, 0x80, 0xFF] {
                let mut damaged = whole.clone();
                damaged[chunk].1[place] ^= flip;
                match Engine::restore(&assembled(&damaged), 0) {
                    Ok(mut engine) => {
                        read += 1;
                        run_out(&mut engine);
                    }
                    Err(_) => refused += 1,
                }
            }
        }
    }
    assert!(read > 0 && refused > 0, "{read} read, {refused} refused");
}

#[test]
fn balances_that_no_session_counts_are_refused() {
    let mut whole = chunks(&bytes_of(&full_of_cards().world.engine));
    let empty = chunks(&bytes_of(&Rail::new().world.engine));
    let place = |tag: u16| whole.iter().position(|(found, _)| *found == tag).unwrap();
    let cards = place(super::Part::Cards as u16);
    whole[cards] = empty
        .iter()
        .find(|(tag, _)| *tag == super::Part::Cards as u16)
        .unwrap()
        .clone();
    let error = Engine::restore(&assembled(&whole), 0).err();
    let rule = "the card accounts hold what the sessions count";
    assert_eq!(error, Some(super::SnapshotError::State { rule }));
}
