//! The read side of the log
