//! The coinbase exporter.
