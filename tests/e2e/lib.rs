//! End-to-end tests: real processes over loopback. The tests are in `main.rs`; this library is empty.
