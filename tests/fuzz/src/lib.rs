//! What the fuzz targets share: changes to bytes, the choice of a card dialect, and a small network of banks.

pub mod card;
mod mutations;
pub mod world;

pub use mutations::Mutations;
