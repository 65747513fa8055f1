//! What the exporters share: everything but the venues' own words. The bot gateway uses its web server, settings, formats and end.
//!
//! A price travels one way: socket → [`websocket::line`] → [`venue::Feed::decode`] → [`update::Update`] →
//! [`metrics::cell`] → [`metrics::scrape`]. `docs/architecture.md` has the picture.

pub mod account;
pub mod budget;
pub mod check;
pub mod config;
pub mod context;
pub mod decode;
pub mod fault;
pub mod healthcheck;
pub mod json;
pub mod keys;
pub mod log;
pub mod metrics;
pub mod net;
pub mod number;
pub mod pace;
pub mod request;
pub mod rest;
pub mod rows;
pub mod run;
mod scan;
pub mod secrets;
pub mod symbols;
pub mod update;
pub mod upkeep;
pub mod venue;
pub mod web;
pub mod websocket;

pub use account::amount::Amount;
pub use account::{Account, Ask, Entry, Topic, View};
pub use fault::{Cause, Fault, Kind, Source, excerpt};
pub use number::Said;
pub use rest::status_fault;
pub use rows::Rows;
pub use run::main;
pub use rust_decimal::Decimal;
pub use secrets::keyring::{Keyring, Keys};
pub use update::{Fact, Figure, Instrument, Limit, Market, Micros, Signal, Tell, Ticker, Update};
pub use venue::{About, Allowance, Endpoint, Feed, Heartbeat, Host, Hosts, Query, Reply, Request, Setup, Step, Venue};
