//! The Binance exporter.

use std::process::ExitCode;

fn main() -> ExitCode {
    common::main(&binance::ABOUT, binance::build)
}
