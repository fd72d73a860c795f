//! A follower beside a running core.

use torap_core::ReplayError;
use torap_domain::{Money, Position, Sequence, Time};
use torap_engine::{
    Command, Message, Status, codec,
    instant::{self, FinalOutcome},
};
use torap_index::Index;
use torap_journal::{Depth, Evidence, Journal, JournalError, Record, RecordMeta, RecordStream};

use super::{OPTIONS, Rig, world};
use crate::{Follower, FollowerError, FollowerOptions};

#[test]
fn what_the_core_decided_is_found_in_the_index() {
    let mut rig = Rig::new();
    let mut follower = rig.recovered().follower;
    rig.pay(8);
    assert_eq!(
        follower.lag(rig.last()),
        rig.last().value() - follower.applied_upto().value()
    );
    let progress = follower.step(usize::MAX).unwrap();
    assert!(progress.caught_up);
    assert_eq!(
        (progress.applied_upto, rig.index.applied_upto()),
        (rig.last(), rig.last())
    );
    assert_eq!(
        follower
            .applied()
            .load(std::sync::atomic::Ordering::Acquire),
        rig.last().value()
    );
    assert_eq!(follower.engine().digest(), rig.core.engine().digest());

    let found = rig
        .index
        .payment_by_key(&world::key(3))
        .unwrap()
        .value
        .unwrap();
    assert_eq!(
        (found.outcome, found.amount),
        (FinalOutcome::Settled, Money::kzt(103))
    );
    assert_eq!(
        rig.index.payment_by_key(&world::key(8)).unwrap().value,
        None,
        "still under way"
    );
    // The opening, then a forward and an answer for each accepted one, a forward for the others.
    let last = rig.index.outbound_last(world::HALYK).unwrap();
    let view = rig.core.engine().participant_view(world::HALYK).unwrap();
    assert_eq!(last, view.outbound_last);
    let mut stream = Vec::new();
    rig.index
        .outbound_range(world::HALYK, Sequence(1), 1000, &mut stream)
        .unwrap();
    assert!(
        stream
            .iter()
            .zip(1..)
            .all(|(entry, sequence)| entry.sequence == Sequence(sequence))
    );
    let forwards = stream
        .iter()
        .filter(|entry| matches!(entry.message, Message::Forward { .. }))
        .count();
    let settled = |entry: &&torap_engine::Outbound| {
        matches!(
            entry.message,
            Message::Status {
                status: Status::Settled,
                ..
            }
        )
    };
    assert_eq!((forwards, stream.iter().filter(settled).count()), (8, 6));
    let page = rig
        .index
        .payments_of(world::CASPI, Time::EPOCH, Time::MAX, None, 100)
        .unwrap();
    assert_eq!(page.payments.len(), rig.index.counts().payments as usize);
}

#[test]
fn a_step_takes_no_more_than_it_is_told() {
    let mut rig = Rig::new();
    let mut follower = rig.recovered().follower;
    let before = follower.applied_upto();
    rig.pay(10);
    let progress = follower.step(7).unwrap();
    assert_eq!((progress.records, progress.caught_up), (7, false));
    assert_eq!(progress.applied_upto, Position(before.value() + 7));
    assert_eq!(rig.index.applied_upto(), progress.applied_upto);
    while !follower.step(7).unwrap().caught_up {}
    assert_eq!(follower.lag(rig.last()), 0);
}

#[test]
fn records_that_are_not_durable_are_not_seen() {
    let mut rig = Rig::new();
    let mut follower = rig.recovered().follower;
    let durable = rig.last();
    rig.offer(world::transfer(1, 1, rig.now));
    let mut batch = rig.journal.batch();
    rig.core.step(rig.now, &mut batch).unwrap();
    rig.journal.append(batch).unwrap();
    rig.journal.step().unwrap();
    assert!(
        rig.last() > durable && rig.journal.durable_upto() == durable.value(),
        "written and not synced"
    );
    let progress = follower.step(usize::MAX).unwrap();
    assert_eq!((progress.records, progress.applied_upto), (0, durable));
    assert_eq!(follower.engine().stats().in_flight, 0);
}

#[test]
fn snapshots_are_taken_every_so_many_records() {
    let mut rig = Rig::new();
    let recovery = rig.recovered();
    let options = FollowerOptions {
        snapshot_every_records: 20,
        ..OPTIONS
    };
    let records = rig
        .journal
        .read_from(recovery.recovered.last.position.value() + 1, Depth::Facts)
        .unwrap();
    let (index, snapshots) = (rig.index.clone(), rig.snapshots.clone());
    let mut follower = Follower::new(
        recovery.engine,
        recovery.recovered,
        records,
        index,
        snapshots,
        options,
    )
    .unwrap();
    let mut taken = Vec::new();
    for _ in 0..60 {
        rig.pay(1);
        taken.extend(follower.step(usize::MAX).unwrap().snapshot);
    }
    assert!(taken.len() >= 4, "{} snapshots", taken.len());
    for pair in taken.windows(2) {
        let between = pair[1].position.value() - pair[0].position.value();
        assert!(
            (20..30).contains(&between),
            "{between} records between two snapshots"
        );
    }
    let kept: Vec<Position> = taken
        .iter()
        .rev()
        .take(2)
        .map(|info| info.position)
        .collect();
    assert_eq!(
        rig.snapshots.positions().unwrap(),
        kept,
        "the two newest ones"
    );
}

/// Records with one payment's amount changed: what a follower of another build might see as its own decision.
struct Changed {
    inner: Box<dyn RecordStream>,
    facts: Vec<u8>,
    done: bool,
}

impl RecordStream for Changed {
    fn next(&mut self) -> Result<Option<Record<'_>>, JournalError> {
        let Some(record) = self.inner.next()? else {
            return Ok(None);
        };
        let (meta, epoch): (RecordMeta, u32) = (record.meta, record.epoch);
        self.facts = record.facts.to_vec();
        if let (false, Ok(Command::Instant(instant::Command::CreditTransfer(mut transfer)))) =
            (self.done, codec::decode(meta.kind, &self.facts))
        {
            transfer.amount = Money::kzt(1);
            self.facts.clear();
            codec::encode(
                &Command::Instant(instant::Command::CreditTransfer(transfer)),
                &mut self.facts,
            );
            self.done = true;
        }
        Ok(Some(Record {
            meta,
            epoch,
            facts: &self.facts,
            evidence: Evidence::NotRead,
            evidence_bytes: 0,
        }))
    }
}

#[test]
fn a_follower_that_comes_to_another_state_stops_at_the_next_mark() {
    let mut rig = Rig::new();
    let recovery = rig.recovered();
    rig.pay(20);
    let inner = rig
        .journal
        .read_from(recovery.recovered.last.position.value() + 1, Depth::Facts)
        .unwrap();
    let records = Box::new(Changed {
        inner,
        facts: Vec::new(),
        done: false,
    });
    let (index, snapshots) = (rig.index.clone(), rig.snapshots.clone());
    let mut follower = Follower::new(
        recovery.engine,
        recovery.recovered,
        records,
        index,
        snapshots,
        OPTIONS,
    )
    .unwrap();
    let stopped = follower.step(usize::MAX).unwrap_err();
    assert!(
        matches!(stopped, FollowerError::Replay(ReplayError::Diverged { .. })),
        "{stopped}"
    );
}
