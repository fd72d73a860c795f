//! `cargo xtask fuzz`: builds the targets of tests/fuzz with their instrumentation, runs each for a while, tells how fast it was.

use std::{fs, path::PathBuf, process::Command};

use crate::run::{Failure, must, plain_cargo, root, target_dir};

/// Seconds for each target, unless told otherwise.
const SECONDS: u32 = 60;
/// Seconds for each target in CI.
const SECONDS_CI: u32 = 3;

struct Target {
    name: &'static str,
    /// Folders of inputs to begin with, beside `seeds/NAME` and `regressions/NAME`.
    seeds: &'static [&'static str],
    /// Longest input, in bytes.
    bytes_max: u32,
    dictionary: Option<&'static str>,
}

const TARGETS: &[Target] = &[
    Target {
        name: "frame",
        seeds: &[],
        bytes_max: 4096,
        dictionary: None,
    },
    Target {
        name: "hsm_frame",
        seeds: &[],
        bytes_max: 4096,
        dictionary: None,
    },
    Target {
        name: "xml",
        seeds: &["iso20022/benches/data"],
        bytes_max: 8192,
        dictionary: Some("xml.dict"),
    },
    Target {
        name: "message",
        seeds: &[],
        bytes_max: 8192,
        dictionary: Some("xml.dict"),
    },
    Target {
        name: "qr",
        seeds: &[],
        bytes_max: 1024,
        dictionary: None,
    },
    Target {
        name: "configuration",
        seeds: &["ops"],
        bytes_max: 4096,
        dictionary: None,
    },
    Target {
        name: "card",
        seeds: &[],
        bytes_max: 2048,
        dictionary: None,
    },
    Target {
        name: "crosswalk",
        seeds: &["tests/fuzz/seeds/card"],
        bytes_max: 2048,
        dictionary: None,
    },
    Target {
        name: "subfields",
        seeds: &[],
        bytes_max: 1024,
        dictionary: None,
    },
    Target {
        name: "dialect",
        seeds: &[],
        bytes_max: 8192,
        dictionary: Some("dialect.dict"),
    },
    Target {
        name: "segment",
        seeds: &[],
        bytes_max: 8192,
        dictionary: None,
    },
    Target {
        name: "snapshot",
        seeds: &[],
        bytes_max: 4096,
        dictionary: None,
    },
    Target {
        name: "command",
        seeds: &[],
        bytes_max: 4096,
        dictionary: None,
    },
    Target {
        name: "engine",
        seeds: &[],
        bytes_max: 4096,
        dictionary: None,
    },
];

/// `[--seconds N] [TARGET…]`
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let mut seconds = SECONDS;
    let mut names = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--seconds" {
            let value = rest.next().and_then(|text| text.parse().ok());
            seconds = value
                .filter(|seconds| *seconds > 0)
                .ok_or_else(|| Failure::Usage("--seconds takes a number above 0".into()))?;
        } else {
            names.push(argument.as_str());
        }
    }
    if let Some(unknown) = names.iter().find(|name| find(name).is_none()) {
        let known: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        return Err(Failure::Usage(format!(
            "no fuzz target `{unknown}`; there are {}",
            known.join(", ")
        )));
    }
    let chosen: Vec<&Target> = if names.is_empty() {
        TARGETS.iter().collect()
    } else {
        names.iter().filter_map(|name| find(name)).collect()
    };
    fuzz(&chosen, seconds)
}

/// Every target for a few seconds, regressions included.
pub(crate) fn ci() -> Result<(), Failure> {
    fuzz(&TARGETS.iter().collect::<Vec<_>>(), SECONDS_CI)
}

fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

fn fuzz(targets: &[&Target], seconds: u32) -> Result<(), Failure> {
    build()?;
    let mut total = 0;
    for target in targets {
        let Executed { count, per_second } = target.run(seconds)?;
        total += count;
        println!("{}: {count} executions, {per_second} a second", target.name);
    }
    println!("total: {total} executions in {} targets", targets.len());
    Ok(())
}

fn build() -> Result<(), Failure> {
    let installed = plain_cargo(&["fuzz", "--version"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !installed {
        must(plain_cargo(&[
            "install",
            "--locked",
            "--quiet",
            "cargo-fuzz",
        ]))?;
    }
    // `-s none`: no sanitizer, which a stable compiler does not have; the code is safe Rust.
    let mut command = plain_cargo(&["fuzz", "build", "-s", "none", "--fuzz-dir"]);
    command
        .arg(folder())
        .env("CARGO_TARGET_DIR", build_dir())
        .current_dir(folder());
    must(command)
}

fn folder() -> PathBuf {
    root().join("tests/fuzz")
}

/// Apart from the other artefacts: everything in it is instrumented.
fn build_dir() -> PathBuf {
    target_dir().join("fuzz")
}

/// What a run came to.
struct Executed {
    count: u64,
    per_second: u64,
}

impl Target {
    fn run(&self, seconds: u32) -> Result<Executed, Failure> {
        let refuse = |text: String| Failure::Refused(format!("fuzz {}: {text}", self.name));
        // What is found anew is kept beside the build, so that the repository stays small.
        let corpus = build_dir().join("corpus").join(self.name);
        let artifacts = folder().join("artifacts").join(self.name);
        for dir in [&corpus, &artifacts] {
            fs::create_dir_all(dir)
                .map_err(|error| refuse(format!("{}: {error}", dir.display())))?;
        }
        let own = ["seeds", "regressions"].map(|kind| folder().join(kind).join(self.name));
        let shared = self.seeds.iter().map(|seeds| root().join(seeds));
        let inputs = own.into_iter().chain(shared).filter(|dir| dir.is_dir());
        let mut command = Command::new(self.program()?);
        command
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-max_len={}", self.bytes_max))
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .args(["-print_final_stats=1", "-rss_limit_mb=2048", "-timeout=20"])
            .args(self.dictionary.map(|name| {
                let path = folder().join(name);
                format!("-dict={}", path.display())
            }))
            .arg(&corpus)
            .args(inputs);
        let output = command
            .output()
            .map_err(|error| refuse(error.to_string()))?;
        let told = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            let lines: Vec<&str> = told.lines().collect();
            let end = lines.len().saturating_sub(40);
            return Err(refuse(format!(
                "an input in {} breaks it; fix what it found and keep the input in tests/fuzz/regressions/{}\n{}",
                artifacts.display(),
                self.name,
                lines[end..].join("\n")
            )));
        }
        let stat = |name: &str| {
            let line = told.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().parse().ok()
        };
        let count = stat("stat::number_of_executed_units:");
        let per_second = stat("stat::average_exec_per_sec:");
        count
            .zip(per_second)
            .map(|(count, per_second)| Executed { count, per_second })
            .ok_or_else(|| refuse("it tells no statistics".into()))
    }

    fn program(&self) -> Result<PathBuf, Failure> {
        let output = Command::new("rustc")
            .arg("-vV")
            .output()
            .map_err(|error| Failure::Refused(format!("rustc: {error}")))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let host = text.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.ok_or_else(|| Failure::Refused("rustc names no host".into()))?;
        Ok(build_dir().join(host).join("release").join(self.name))
    }
}
