//! The deterministic rules of the switch.
//!
//! `Engine::apply(stamp, command, output)` is the only way state changes. No clock, randomness, I/O, floats or hash-order
//! iteration, and no look-up outside its own state: what lives outside travels as a fact inside the command.
