//! Tests on a log that is generated straight to the disk, as the bench of a start does.

mod archive;
#[path = "../../benches/recovery/bed.rs"]
mod bed;
mod recovery;
