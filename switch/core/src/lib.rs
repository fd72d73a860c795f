//! Order, stamp, append, apply, release: a state machine without I/O
