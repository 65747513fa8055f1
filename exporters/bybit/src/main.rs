//! The Bybit exporter.

use std::process::ExitCode;

fn main() -> ExitCode {
    common::main(&bybit::ABOUT, bybit::build)
}
