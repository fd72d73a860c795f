//! `torap-simulator`: many seeds at once, or one broken variant of the switch. `cargo xtask simulate` builds and calls it.

use std::process::ExitCode;

fn main() -> ExitCode {
    torap_simulator::command_line::main()
}
