//! What the fuzz targets share: changes to bytes, and a small network of banks.

mod mutations;
pub mod world;

pub use mutations::Mutations;
