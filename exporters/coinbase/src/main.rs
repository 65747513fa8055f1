//! The Coinbase exporter.

use std::process::ExitCode;

fn main() -> ExitCode {
    common::main(&coinbase::ABOUT, coinbase::build)
}
