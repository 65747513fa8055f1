//! The binance exporter.
