//! The KuCoin exporter.

use std::process::ExitCode;

fn main() -> ExitCode {
    common::main(&kucoin::ABOUT, kucoin::build)
}
