//! `cargo xtask demo`: from a bare machine to settled payments.

use std::process::Command;

use crate::{
    machine,
    run::{Failure, build_torap, must, torap},
};

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    machine::prepare_demo()?;
    build_torap()?;
    let mut command = Command::new(torap());
    command.arg("demo").args(arguments);
    must(command)
}
