//! A gateway for what only bots know: they post events, and Prometheus scrapes them as metrics.
//!
//! An event travels one way: body → [`event`] → [`catalogue::Catalogue::check`] → [`store::Store::apply`] → [`show`].
//! What the catalogue does not declare is refused, and a batch is applied as a whole or not at all.

pub mod auth;
pub mod catalogue;
pub mod config;
pub mod event;
pub mod gateway;
pub mod ids;
mod page;
pub mod rate;
pub mod refusal;
mod run;
pub mod show;
pub mod state;
pub mod store;
pub mod web;

pub use run::main;
