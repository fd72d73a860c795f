//! The national profile from outside: what is written, read, refused and forwarded.

mod arbitrary;
mod formats;
mod forward;
mod lines;
mod mutated;
mod refused;
mod refused_around;
mod reports;
mod samples;
mod written;

use torap_iso20022::view::{Body, BusinessHeader};

/// The message as bytes.
fn written(header: Option<&BusinessHeader<'_>>, body: &Body<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    samples::append(&mut out, header, body);
    out
}
