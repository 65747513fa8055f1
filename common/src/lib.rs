//! What the five exporters share.
