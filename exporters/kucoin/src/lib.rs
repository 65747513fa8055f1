//! The kucoin exporter.
