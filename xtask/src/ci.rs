//! `cargo xtask ci`: exactly what CI runs, in order of price.

use std::process::Command;

use crate::{
    bench, codegen, demo, fuzz, machine,
    run::{Failure, cargo, must, root, step},
    simulate, test, tidy,
};

pub(crate) fn run() -> Result<(), Failure> {
    step("machine", machine::prepare_test)?;
    step("fmt", || must(cargo(&["fmt", "--all", "--check"])))?;
    step("tidy", tidy::run)?;
    step("codegen", || codegen::run(true).map_err(Failure::Refused))?;
    step("clippy", || {
        must(cargo(&[
            "clippy",
            "--release",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))
    })?;
    step("deny", deny)?;
    step("test", || test::run(&[]))?;
    step("doc", || {
        let mut command = cargo(&["doc", "--release", "--workspace", "--no-deps", "--quiet"]);
        command.env("RUSTDOCFLAGS", "-D warnings");
        must(command)
    })?;
    step("bench smoke", bench::smoke)?;
    step("fuzz", fuzz::ci)?;
    step("simulate", simulate::ci)?;
    step("demo", || demo::run(&["--exit".to_string()]))
}

/// Licences, bans and sources; advisories only where their database can be fetched.
fn deny() -> Result<(), Failure> {
    let installed = Command::new("cargo-deny")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !installed {
        must(cargo(&["install", "--locked", "--quiet", "cargo-deny"]))?;
    }
    must(cargo(&[
        "deny",
        "--log-level",
        "error",
        "check",
        "licenses",
        "bans",
        "sources",
    ]))?;
    let mut fetch = cargo(&["deny", "fetch", "db"]);
    let fetched = fetch
        .current_dir(root())
        .output()
        .is_ok_and(|output| output.status.success());
    if fetched {
        must(cargo(&[
            "deny",
            "--log-level",
            "error",
            "check",
            "advisories",
        ]))
    } else {
        println!("deny: advisories left out: their database cannot be fetched from here");
        Ok(())
    }
}
