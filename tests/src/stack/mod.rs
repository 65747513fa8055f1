//! Starts, watches and stops the suite: the fake venues, the five exporters, the bot gateway, Prometheus and
//! Alertmanager. For the demo and for the end-to-end tests.
//!
//! The rule here is that nothing outlives its owner: every process is a [`Process`] and every file lies in a
//! [`Scratch`], and both clean up when dropped, on a panic too. For an owner that is killed outright, `will` does it.

mod endpoint;
mod http;
mod ports;
mod process;
pub mod prometheus;
mod samples;
mod scratch;
pub mod setup;
mod suite;
mod table;
mod tools;
mod wait;
mod will;

pub use endpoint::Endpoint;
pub use http::{Response, get, get_with, post};
pub use ports::{Owner, Ports, owner};
pub use process::{Process, Signal};
pub use samples::value;
pub use scratch::Scratch;
pub use setup::{PrometheusSetup, Rewrite};
pub use suite::{Market, Suite, Target};
pub use table::{Row, render};
pub use tools::{binaries, build, find_tool, have_prometheus, have_tools, repository};
pub use wait::{Progress, until_ready};

/// One of the five exporters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Venue {
    /// The `exchange` label.
    pub name: &'static str,
    /// The binary, which is also the name of the scrape job.
    pub exporter: &'static str,
    /// The prefix of its environment variables.
    pub env_prefix: &'static str,
    /// Bitcoin against the dollar, in the symbol that the venue trades most.
    pub bitcoin: &'static str,
}

/// The five, in the order of their ports.
pub const VENUES: [Venue; 5] = [
    Venue { name: "binance", exporter: "binance-exporter", env_prefix: "BINANCE_", bitcoin: "BTCUSDT" },
    Venue { name: "kucoin", exporter: "kucoin-exporter", env_prefix: "KUCOIN_", bitcoin: "BTCUSDT" },
    Venue { name: "bybit", exporter: "bybit-exporter", env_prefix: "BYBIT_", bitcoin: "BTCUSDT" },
    Venue { name: "coinbase", exporter: "coinbase-exporter", env_prefix: "COINBASE_", bitcoin: "BTCUSD" },
    Venue { name: "okx", exporter: "okx-exporter", env_prefix: "OKX_", bitcoin: "BTCUSDT" },
];
