//! What the exporter serves: metrics, health, and a page for people; to whom, and how much of it at once.

mod account;
pub mod config;
pub mod crowd;
pub mod door;
pub mod page;
pub mod server;
pub mod users;
