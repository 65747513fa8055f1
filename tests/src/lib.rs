//! Fake venues.
