use std::sync::Arc;

use super::bed::{open_with, small};
use crate::{MemoryMedium, Options, Prepared, ThreadOptions, ThreadedJournal, Watch};

#[test]
fn a_watch_tells_why_a_preparation_failed_until_one_succeeds() {
    let disk = MemoryMedium::new();
    let options = Options {
        segment_bytes: 3 << 20,
        ..small()
    };
    let (mut log, _) = open_with(&disk, options);
    let watch = Watch {
        metrics: Arc::clone(log.metrics()),
        standby: Arc::clone(log.standby()),
    };
    let before = watch.health();
    assert_eq!((before.preparations_failed, &before.failure), (0, &None));
    disk.set_capacity(Some(0));
    let error = log.prepare_step().expect_err("the disk is full");
    let failed = watch.health();
    assert_eq!(failed.preparations_failed, 1);
    assert_eq!(failed.failure, Some(error.to_string()));
    assert_eq!(failed.segments_ready, before.segments_ready);
    disk.set_capacity(None);
    while log.prepare_step().expect("there is room") == Prepared::Working {}
    let ready = watch.health();
    assert_eq!((ready.preparations_failed, &ready.failure), (1, &None));
    assert_eq!(ready.preparations, before.preparations + 1);
    assert_eq!(ready.segments_ready, before.segments_ready + 1);
}

#[test]
fn a_watch_outlives_the_journal() {
    let (log, _) = open_with(&MemoryMedium::new(), small());
    let journal = ThreadedJournal::start(log, ThreadOptions::default(), Box::new(|_| {}))
        .expect("the threads start");
    let watch = journal.watch();
    let begun = journal.metrics().snapshot().segments_begun;
    journal.close().expect("nothing failed");
    assert_eq!(watch.health().counts.segments_begun, begun);
}
