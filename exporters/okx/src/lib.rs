//! The okx exporter.
