//! The end of a day, and a day that begins again on its date.

use super::*;

/// A world that goes by the newest rules, with an open day.
fn newest() -> World {
    let mut world = open();
    world.newest_rules();
    world
}

fn close(world: &mut World) {
    accept(world, Command::Close { source: operator() });
}

fn finished(world: &World) -> usize {
    let events = world.out.events.iter();
    events
        .filter(|event| matches!(event, Any::Settlement(Event::Finished(_))))
        .count()
}

fn has_closed(world: &World) -> bool {
    world.out.events.contains(&Any::Settlement(Event::Closed))
}

#[test]
fn whoever_looks_for_the_head_of_a_queue_walks_past_nothing_that_is_not_due() {
    let mut world = open();
    let later = world.now().saturating_add(HOUR);
    for number in 0..300 {
        for (from, to) in [(HSBK, CASP), (CASP, HSBK)] {
            let earliest = Some(later);
            let reference = format!("LATER-{number}");
            let later = Payment {
                earliest,
                ..payment(from, to, 1, &reference)
            };
            pay(&mut world, later);
        }
    }
    queue::LOOKS.set(0);
    // Nobody has money: heads are looked for, and what might come back.
    let waits = plain(&mut world, HSBK, CASP, 700);
    fund(&mut world, HSBK, 5);
    fund(&mut world, CASP, 300);
    assert!(queue::LOOKS.get() < 40, "{}", queue::LOOKS.get());
    assert_eq!(queue(&world).len(), 601);
    // Each is moved once when it is due, and stands where it stood.
    queue::LOOKS.set(0);
    world.wait(HOUR);
    world.tick();
    assert_eq!(queue(&world), [waits]);
    assert_eq!((balance(&world, CASP), balance(&world, HSBK)), (300, 5));
    // With what is looked at beside it: a head, and what comes back to it.
    assert!(queue::LOOKS.get() < 600 * 8, "{}", queue::LOOKS.get());
}

#[test]
fn a_payment_keeps_its_place_while_it_is_not_due() {
    let mut world = open();
    let earliest = Some(world.now().saturating_add(HOUR));
    let first = Payment {
        earliest,
        ..payment(CASP, HSBK, 10, "FIRST")
    };
    let first = pay(&mut world, first);
    let second = plain(&mut world, CASP, HSBK, 20);
    let third = Payment {
        earliest,
        ..payment(CASP, HSBK, 30, "THIRD")
    };
    let third = pay(&mut world, third);
    assert_eq!(queue(&world), [first, second, third]);
    change(&mut world, third, Change::ToHead);
    assert_eq!(queue(&world), [third, first, second]);
    change(&mut world, first, Change::Priority(Priority::High));
    assert_eq!(queue(&world), [first, third, second]);
    world.wait(HOUR);
    // No Tick has come: what is due by the clock counts.
    fund(&mut world, CASP, 45);
    assert_eq!(queue(&world), [second]);
    assert_eq!(balance(&world, HSBK), 40);
}

#[test]
fn the_end_of_a_day_rejects_what_waits_in_pieces() {
    let mut world = newest();
    let mut waits = Vec::new();
    for _ in 0..600 {
        waits.push(plain(&mut world, HSBK, CASP, 700));
    }
    close(&mut world);
    assert_eq!((finished(&world), has_closed(&world)), (256, false));
    assert_eq!(queue(&world).len(), 344);
    // Nothing is taken or settled meanwhile, and the day is not opened again.
    fund(&mut world, HSBK, 1_000);
    assert_eq!((finished(&world), queue(&world).len()), (0, 344));
    assert_eq!(world.engine.imts_day().until, None);
    let more = pay_command(payment(CASP, HSBK, 1, "MORE"));
    refuse(&mut world, more, Reason::ImtsClosed);
    let until = world.now().saturating_add(HOUR);
    refuse(&mut world, opens(until), Reason::RetryLater);
    let again = Command::Close { source: operator() };
    refuse(&mut world, again, Reason::ImtsClosed);
    let mut pieces = Vec::new();
    while !has_closed(&world) {
        let due = world.engine.next_deadline().unwrap();
        let span = due.saturating_since(world.now());
        world.wait(span);
        world.tick();
        if finished(&world) > 0 {
            pieces.push(finished(&world));
        }
    }
    assert_eq!(pieces, [256, 88]);
    assert_eq!(queue(&world), []);
    let end = End::Rejected(Reason::InsufficientFunds);
    assert!(waits.iter().all(|id| end_of(&world, *id) == Some(end)));
    assert_eq!(balance(&world, HSBK), 1_000);
    let until = world.now().saturating_add(HOUR);
    accept(&mut world, opens(until));
}

#[test]
fn by_the_rules_of_an_older_log_one_record_rejects_all() {
    let mut world = open();
    for _ in 0..300 {
        plain(&mut world, HSBK, CASP, 700);
    }
    close(&mut world);
    assert_eq!((finished(&world), has_closed(&world)), (300, true));
}

#[test]
fn a_day_that_begins_again_on_its_date_knows_what_was_paid_on_it() {
    for newest in [true, false] {
        let mut world = open();
        if newest {
            world.newest_rules();
        }
        fund(&mut world, CASP, 1_000);
        limit(&mut world, CASP, Some(HSBK), Some(500));
        let once = payment(CASP, HSBK, 400, "ONCE");
        pay(&mut world, once);
        close(&mut world);
        let until = world.now().saturating_add(HOUR);
        accept(&mut world, opens(until));
        let left = |world: &World| world.engine.settlement_limits().next().unwrap().left;
        if newest {
            refuse(&mut world, pay_command(once), Reason::DuplicateReplay);
            assert_eq!(left(&world), Money::kzt(100));
            assert_eq!(balance(&world, HSBK), 400);
        } else {
            assert_eq!(left(&world), Money::kzt(500));
            pay(&mut world, once);
            continue;
        }
        // The next date is another day.
        world.wait(Span::from_secs(24 * 3600));
        world.tick();
        let until = world.now().saturating_add(HOUR);
        accept(&mut world, opens(until));
        assert_eq!(left(&world), Money::kzt(500));
        pay(&mut world, once);
        assert_eq!(balance(&world, HSBK), 800);
    }
}

#[test]
fn an_extension_moves_the_cut_off_with_the_end_and_no_day_lasts_into_the_one_after_the_next() {
    let command = |cut_off: Option<Time>, until: Time| Command::Open {
        source: operator(),
        cut_off,
        until,
    };
    let mut world = World::new();
    world.newest_rules();
    let now = world.now();
    let later = |minutes: u64| now.saturating_add(Span::from_secs(minutes * 60));
    accept(&mut world, command(Some(later(60)), later(120)));
    accept(&mut world, command(None, later(150)));
    let day = world.engine.imts_day();
    assert_eq!(
        (day.cut_off, day.until),
        (Some(later(90)), Some(later(150)))
    );
    accept(&mut world, command(Some(later(150)), later(150)));
    assert_eq!(world.engine.imts_day().cut_off, Some(later(150)));
    // It is Saturday: the next business day is Monday, the 23rd.
    let monday = Date::parse("2026-11-23").unwrap();
    let midnight = monday.add_days(1).start().unwrap();
    let after = midnight.saturating_add(Span::from_millis(1));
    refuse(&mut world, command(None, after), Reason::OperatorRefused);
    accept(&mut world, command(None, midnight));
    let hours = Hours {
        opens: Span::from_secs(9 * 3600),
        cut_off: Span::from_secs(17 * 3600),
        closes: Span::from_secs(18 * 3600),
    };
    let source = operator();
    accept(
        &mut world,
        Command::SetHours {
            source,
            hours: Some(hours),
        },
    );
    refuse(&mut world, command(None, midnight), Reason::OperatorRefused);
    let opens = monday.start().unwrap().saturating_add(hours.opens);
    accept(&mut world, command(None, opens));
}
