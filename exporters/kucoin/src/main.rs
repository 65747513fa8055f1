//! The binary: nothing but a start.

fn main() {}
