//! Dashboards as Grafana reads them, for the tests.
#![allow(dead_code, reason = "every test binary uses its own part")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

pub mod foreign;
pub mod labels;
pub mod model;
