//! The bot gateway.

use std::process::ExitCode;

fn main() -> ExitCode {
    bot::main()
}
