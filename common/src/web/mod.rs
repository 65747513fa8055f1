//! What the exporter serves: metrics, health, and a page for people; to whom, and how much of it at once.

mod account;
pub mod config;
mod crowd;
mod door;
pub mod page;
pub mod server;
mod users;
