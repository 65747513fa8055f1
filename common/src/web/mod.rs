//! What the exporter serves: metrics, health, and a page for people.

pub mod page;
pub mod server;
