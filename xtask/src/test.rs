//! `cargo xtask test`: all tests of the workspace, in the profile that everything is built with.

use crate::{
    machine,
    run::{Failure, build_torap, cargo, must},
};

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    machine::prepare_test()?;
    // End-to-end tests drive the real program.
    build_torap()?;
    let mut command = cargo(&["test", "--release", "--workspace"]);
    command.args(arguments);
    must(command)
}
