//! What the exporter serves: metrics, health, and a page for people.

mod account;
pub mod page;
pub mod server;
