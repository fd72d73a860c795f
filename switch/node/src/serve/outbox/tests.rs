use std::pin::pin;

use super::*;

fn stream() -> Stream {
    Stream::new(KeepLimits {
        entries_max: 4,
        bytes_max: 4096,
    })
}

/// Whether a notice waits.
fn is_woken(wake: &Notify) -> bool {
    pin!(wake.notified()).enable()
}

#[test]
fn a_notice_is_never_taken_by_the_connection_before() {
    let (stream, older, newer) = (stream(), Arc::new(Notify::new()), Arc::new(Notify::new()));
    stream.listen(Arc::clone(&older));
    // The older connection still waits when the newer one takes over.
    let mut waits = pin!(older.notified());
    assert!(!waits.as_mut().enable());
    stream.listen(Arc::clone(&newer));
    stream.announce();
    assert!(is_woken(&newer));
    assert!(!is_woken(&older));
}

#[test]
fn a_notice_before_the_wait_is_kept() {
    let (stream, wake) = (stream(), Arc::new(Notify::new()));
    // Nobody listens: nothing is lost, because whoever begins to listen looks first.
    stream.announce();
    stream.listen(Arc::clone(&wake));
    assert!(!is_woken(&wake));
    stream.announce();
    assert!(is_woken(&wake));
}
