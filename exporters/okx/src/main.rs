//! The OKX exporter.

use std::process::ExitCode;

fn main() -> ExitCode {
    common::main(&okx::ABOUT, okx::build)
}
