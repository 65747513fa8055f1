//! What must be so whatever comes in: the claims that the fuzz targets make.

pub mod claims;
pub mod venues;
pub mod world;

pub use fake_venues::inspect::exposition;
