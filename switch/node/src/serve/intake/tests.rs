//! When the queue refuses, and what becomes of those who wait when its end goes.

use torap_engine::Command;

use super::*;

const CAPACITY: usize = 8;

fn tick() -> CoreIntake {
    CoreIntake {
        command: Command::Tick,
        evidence: bytes::Bytes::new(),
        secrets: torap_core::Secrets::NONE,
        ticket: None,
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("runtime")
}

#[test]
fn a_queue_that_fills_refuses_new_payments_before_it_is_full() {
    let (intake, end) = queue(CAPACITY);
    for _ in 0..CAPACITY * 3 / 4 {
        intake.try_push(tick()).expect("room");
    }
    assert!(!intake.is_overloaded());
    intake.try_push(tick()).expect("room");
    assert!(intake.is_overloaded());
    drop(end.take());
    assert!(!intake.is_overloaded());
}

#[test]
fn a_command_that_waits_too_long_refuses_new_payments_until_it_is_durable() {
    let (intake, end) = queue_since(CAPACITY, Instant::now());
    end.oldest_is(Some(QueuedAt::FIRST));
    assert!(!intake.is_overloaded());
    let earlier = Instant::now().checked_sub(OVERLOAD_AFTER * 2);
    let (intake, end) = queue_since(CAPACITY, earlier.expect("the machine runs for seconds"));
    assert!(!intake.is_overloaded());
    end.oldest_is(Some(QueuedAt::FIRST));
    assert!(intake.is_overloaded());
    end.oldest_is(None);
    assert!(!intake.is_overloaded());
}

#[test]
fn nobody_waits_for_an_end_that_is_gone() {
    let (intake, end) = queue(1);
    intake.try_push(tick()).expect("room");
    runtime().block_on(async {
        let waiting = intake.push(tick());
        let asking = intake.decide(Command::Tick);
        let ending = async { drop(end) };
        let (pushed, decided, ()) = tokio::join!(waiting, asking, ending);
        assert_eq!((pushed, decided), (Err(Stopped), Err(Stopped)));
    });
    assert!(intake.is_stopping());
}
