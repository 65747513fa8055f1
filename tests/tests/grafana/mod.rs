//! Dashboards as Grafana reads them, for the tests.
#![allow(dead_code, reason = "every test binary uses its own part")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

pub mod catalogue;
pub mod foreign;
pub mod labels;
pub mod model;

/// As the users know them.
pub const UIDS: [&str; 24] = [
    "bot-agent",
    "bot-agents",
    "bot-arbitrage",
    "bot-consensus",
    "bot-controls",
    "bot-history",
    "bot-logs",
    "bot-services",
    "bot-slots",
    "bot-start",
    "bot-strategies",
    "bot-tasks",
    "bot-trader",
    "exchange-alerts",
    "exchange-infrastructure",
    "exchange-keys-audit",
    "exchange-markets",
    "exchange-operations",
    "exchange-overview",
    "exchange-symbol",
    "exchange-treasury",
    "exchange-venue",
    "exchange-venue-health",
    "exchange-wallet",
];

/// Every place where `condition` does not hold fails the test, all together.
#[derive(Default)]
pub struct Complaints(Vec<String>);

impl Complaints {
    pub fn unless(&mut self, condition: bool, complaint: impl FnOnce() -> String) {
        if !condition {
            self.0.push(complaint());
        }
    }
}

impl Drop for Complaints {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.0.is_empty(), "{}", self.0.join("\n"));
        }
    }
}
