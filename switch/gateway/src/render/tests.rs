//! Rendering, driven by the real engine: messages are translated, applied, and what comes out is written twice, with what the
//! engine had at hand and from the log alone. Both texts must be the same, and valid under the national profile.

mod clearing;
mod every_kind;
mod exceptions;
mod failures;
mod mass;
mod notices;
mod outcomes;
mod payments;
mod questions;
mod report;
mod settlement;
mod settlement_notices;
mod world;
