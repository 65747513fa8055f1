//! What must be so whatever comes in: the claims that the fuzz targets make.

pub mod claims;
pub mod venues;
pub mod world;

/// The strict reader of the end-to-end tests, which shares nothing with the encoder.
#[path = "../../tests/tests/exporter/exposition.rs"]
pub mod exposition;

/// The reader knows which families are prices; nothing here asks.
const PRICES: &[&str] = &[];
