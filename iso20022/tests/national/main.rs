//! The national profile from outside: what is written, read, refused and forwarded.

mod formats;
mod forward;
mod mutated;
mod refused;
mod samples;
mod written;
