use torap_domain::Position;
use torap_engine::Event;

use crate::{
    Index, MemoryIndex,
    check::{apply, check_index, key, payment},
};

#[test]
fn behaves_as_every_index_does() {
    check_index(MemoryIndex::new);
}

#[test]
fn a_crash_goes_back_to_the_last_flush() {
    let index = MemoryIndex::new();
    apply(&index, 1, vec![Event::PaymentFinished(payment(1, 1))], &[]);
    assert_eq!(index.flush(), Ok(Position(1)));
    apply(&index, 2, vec![Event::PaymentFinished(payment(2, 2))], &[]);
    index.crash();
    assert_eq!(
        (index.applied_upto(), index.counts().payments),
        (Position(1), 1)
    );
    assert!(index.payment_by_key(&key(1)).unwrap().value.is_some());
    assert_eq!(index.payment_by_key(&key(2)).unwrap().value, None);
}
