//! Stamps, deadlines and marks.

use torap_domain::{Reason, Span, Time};
use torap_engine::{Command, Message, Outcome, Status};
use torap_journal::{Depth, Journal};

use super::{Rig, world};
use crate::CoreLimits;

fn commands(rig: &Rig) -> Vec<(u64, Command)> {
    let mut records = rig.journal.read_from(1, Depth::Facts).unwrap();
    let mut commands = Vec::new();
    while let Some(record) = records.next().unwrap() {
        let command = torap_engine::codec::decode(record.meta.kind, record.facts).unwrap();
        commands.push((record.meta.time, command));
    }
    commands
}

#[test]
fn time_rises_strictly_whatever_the_clock_does() {
    let mut rig = Rig::opened(CoreLimits::default());
    let clock = [0, 5, 5, 2, 1_000_000_000, 0, 3, 1_000_000_001];
    for (number, nanos) in (1..).zip(clock) {
        rig.now = world::MORNING.saturating_add(Span::from_nanos(nanos));
        rig.offer(world::transfer(2 * number, 2 * number - 1, world::MORNING));
        rig.offer(world::transfer(2 * number + 1, 2 * number, world::MORNING));
        rig.step();
        let last = rig.core.last().time;
        assert!(last >= rig.now, "never before the clock");
    }
    rig.settle();
    let times: Vec<u64> = commands(&rig).into_iter().map(|(time, _)| time).collect();
    assert!(times.is_sorted_by(|earlier, later| earlier < later));
    assert_eq!(
        times.last(),
        Some(&(world::MORNING.nanos() + 1_000_000_007)),
        "no further ahead than it must be"
    );
}

#[test]
fn what_is_due_is_decided_before_commands_that_come_later() {
    let mut rig = Rig::opened(CoreLimits::default());
    rig.offer(world::transfer(1, 1, rig.now));
    rig.settle();
    let deadline = rig
        .core
        .engine()
        .next_deadline()
        .expect("the payee's bank has a deadline");
    assert_eq!(
        rig.core.poll_timeout(),
        Some(rig.core.last().time.saturating_add(Span::from_secs(1))),
        "a mark comes first"
    );
    rig.now = Time::from_nanos(deadline.nanos() - 1000);
    rig.step();
    assert_eq!(rig.core.poll_timeout(), Some(deadline));
    assert_eq!(rig.core.counters().ticks, 0, "not due yet");

    rig.now = deadline;
    rig.released.clear();
    rig.offer(world::accept(1, 1));
    rig.step();
    rig.sync();
    rig.release();
    let last: Vec<_> = commands(&rig)
        .into_iter()
        .rev()
        .take(2)
        .map(|(_, command)| command)
        .collect();
    assert_eq!(last, [world::accept(1, 1), Command::Tick]);
    let tick = rig
        .released
        .iter()
        .find(|seen| seen.effects.len() == 2)
        .expect("the tick tells both banks");
    assert_eq!(tick.ticket, None);
    for effect in &tick.effects {
        let Message::Status { status, .. } = effect.outbound.message else {
            panic!("a status")
        };
        assert_eq!(
            status,
            Status::Rejected {
                reason: Reason::ReceiverTimeout,
                agent_code: None
            }
        );
    }
}

#[test]
fn marks_come_by_number_and_after_a_pause() {
    let limits = CoreLimits {
        mark_every_records: 10,
        ..CoreLimits::default()
    };
    let mut rig = Rig::opened(limits);
    for number in 1..=40 {
        rig.offer(world::transfer(number, number, rig.now));
    }
    rig.settle();
    let marks = |rig: &Rig| {
        let marks = commands(rig).into_iter().zip(1_u64..);
        marks
            .filter_map(|((_, command), at)| matches!(command, Command::Mark { .. }).then_some(at))
            .collect::<Vec<_>>()
    };
    assert_eq!(marks(&rig), [11, 22, 33, 44], "after ten records each");
    let records = rig.core.last().position;
    assert_eq!(rig.step().records, 0, "no pause yet");
    let due = rig.core.poll_timeout().unwrap();
    assert_eq!(
        due,
        rig.core.last().time.saturating_add(limits.mark_idle_after)
    );
    rig.now = due;
    assert_eq!(rig.step().records, 1);
    rig.pass(Span::from_secs(2));
    assert_eq!(rig.step().records, 0, "a mark closes a run once");
    rig.sync();
    assert_eq!(marks(&rig).last(), Some(&records.next().value()));
}

#[test]
fn an_idle_core_asks_for_nothing() {
    let mut rig = Rig::new(CoreLimits::default());
    assert_eq!(rig.core.poll_timeout(), None);
    assert_eq!(rig.step().records, 0);
    rig.offer(world::start(1));
    rig.settle();
    rig.pass(Span::from_secs(1));
    rig.step();
    assert_eq!(
        (rig.core.poll_timeout(), rig.core.counters().marks),
        (None, 1)
    );
}

#[test]
fn refused_commands_are_logged_and_released_like_others() {
    let mut rig = Rig::opened(CoreLimits::default());
    let late = Time::from_nanos(rig.now.nanos() - 60_000_000_000);
    rig.offer(world::transfer(1, 1, late));
    rig.settle();
    assert_eq!(rig.released.len(), 1);
    assert_eq!(
        rig.released[0].outcome,
        Outcome::Refused(Reason::AcceptanceTooOld)
    );
    let (replay, _) = super::replay(&rig.journal).unwrap();
    assert_eq!(replay.position(), rig.core.last().position);
}
