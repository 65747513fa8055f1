//! The bybit exporter.
