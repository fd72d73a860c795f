//! What the machine must have beside Rust: looked for by what is really needed, installed by apt when something is missing.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    rocksdb,
    run::{Failure, must, target_dir},
};

struct Need {
    why: &'static str,
    present: fn() -> bool,
    /// Debian/Ubuntu packages, in order of preference; the first that apt knows is taken.
    packages: &'static [&'static str],
}

/// To build and run the switch.
const BUILD: &[Need] = &[
    Need {
        why: "C++ compiler for RocksDB",
        present: || program("c++"),
        packages: &["g++"],
    },
    Need {
        why: "libclang for RocksDB's bindings",
        present: libclang,
        packages: &["libclang1-14", "libclang1", "libclang-dev"],
    },
    Need {
        why: "clang's headers for RocksDB's bindings",
        present: clang_headers,
        packages: &[
            "libclang-common-14-dev",
            "libclang-common-dev",
            "libclang-dev",
        ],
    },
];

/// To run the demonstration, and the tests.
const DEMO: &[Need] = &[Need {
    why: "SoftHSM2, the token of the simulated HSM",
    present: softhsm,
    packages: &["softhsm2"],
}];

/// To run the tests as well.
const TEST: &[Need] = &[
    Need {
        why: "xmllint, the reference validator",
        present: || program("xmllint"),
        packages: &["libxml2-utils"],
    },
    Need {
        why: "python3, for the sample wire client",
        present: || program("python3"),
        packages: &["python3"],
    },
    Need {
        why: "venv of python3, for pyiso8583",
        present: venv,
        packages: &["python3-venv"],
    },
    Need {
        why: "strace, which sees the order of writes, syncs and answers",
        present: || program("strace"),
        packages: &["strace"],
    },
    Need {
        why: "C compiler for the library that makes disks fail",
        present: || program("cc"),
        packages: &["gcc"],
    },
];

/// Sees to it that the switch can be built.
pub(crate) fn prepare_build() -> Result<(), Failure> {
    prepare(BUILD)?;
    rocksdb::prepare()
}

/// Sees to it that the demonstration can run.
pub(crate) fn prepare_demo() -> Result<(), Failure> {
    prepare_build()?;
    prepare(DEMO)
}

/// Sees to it that the tests can run.
pub(crate) fn prepare_test() -> Result<(), Failure> {
    prepare_demo()?;
    prepare(TEST)?;
    pyiso8583();
    Ok(())
}

fn prepare(needs: &[Need]) -> Result<(), Failure> {
    let missing: Vec<&Need> = needs.iter().filter(|need| !(need.present)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for need in &missing {
        eprintln!("missing: {}", need.why);
    }
    if !program("apt-get") {
        return Err(Failure::Refused(format!(
            "install these, then try again: {}",
            first_choices(&missing).join(" ")
        )));
    }
    if !is_root() {
        return Err(Failure::Refused(format!(
            "run this once, then try again:\n  sudo apt-get update && sudo apt-get install -y {}",
            known_choices(&missing).join(" ")
        )));
    }
    must(apt(&["update", "-qq"]))?;
    let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
    let packages = known_choices(&missing);
    arguments.extend(packages.iter().copied());
    must(apt(&arguments))?;
    match missing.iter().find(|need| !(need.present)()) {
        None => Ok(()),
        Some(need) => Err(Failure::Refused(format!(
            "still missing after `apt-get install {}`: {}",
            packages.join(" "),
            need.why
        ))),
    }
}

/// The codec of card messages that ours is compared with. iso8583/tests/interop/python.rs looks for the same folder.
const PYISO8583: &str = "pyiso8583-4.0.1";
/// Version and content of the one file that is taken.
const PYISO8583_REQUIREMENT: &str = "pyiso8583==4.0.1 --hash=sha256:a30ba63d2ccb61f0d9464add6ed2442b72687b8193743cfdfeace8ebaf6f6ce7\n";

/// Python with pyiso8583 beside the build, once a machine. Without it one comparison of many is left out, and the test says so: a machine
/// that does not reach the index of Python packages runs all the others.
fn pyiso8583() {
    let folder = target_dir().join(PYISO8583);
    if imports(&folder.join("bin/python3"), "iso8583") {
        return;
    }
    if let Err(failure) = install_pyiso8583(&folder) {
        eprintln!("pyiso8583 is not installed, its comparison will be skipped: {failure:?}");
        // Half an environment would be taken for one.
        let _ = fs::remove_dir_all(&folder);
    }
}

fn install_pyiso8583(folder: &Path) -> Result<(), Failure> {
    eprintln!("installing pyiso8583 into {}", folder.display());
    let mut command = Command::new("python3");
    command.args(["-m", "venv"]).arg(folder);
    must(command)?;
    let requirement = folder.join("requirement.txt");
    fs::write(&requirement, PYISO8583_REQUIREMENT)
        .map_err(|error| Failure::Refused(format!("{}: {error}", requirement.display())))?;
    let mut command = Command::new(folder.join("bin/python3"));
    command
        .args(["-m", "pip", "install", "--quiet", "--require-hashes"])
        .args([
            "--only-binary",
            ":all:",
            "--disable-pip-version-check",
            "-r",
        ])
        .arg(&requirement);
    must(command)
}

fn venv() -> bool {
    imports(Path::new("python3"), "ensurepip, venv")
}

fn imports(python: &Path, modules: &str) -> bool {
    let output = Command::new(python)
        .args(["-c", &format!("import {modules}")])
        .output();
    output.is_ok_and(|output| output.status.success())
}

fn apt(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(Stdio::null());
    command
}

fn first_choices(missing: &[&Need]) -> Vec<&'static str> {
    missing
        .iter()
        .filter_map(|need| need.packages.first().copied())
        .collect()
}

fn known_choices(missing: &[&Need]) -> Vec<&'static str> {
    let known = |package: &&&str| {
        let output = Command::new("apt-cache").args(["policy", package]).output();
        output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("Candidate: "))
    };
    missing
        .iter()
        .filter_map(|need| {
            need.packages
                .iter()
                .find(known)
                .or(need.packages.first())
                .copied()
        })
        .collect()
}

fn program(name: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(name).is_file()))
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Where lab/hsm/src/token/library.rs looks as well.
fn softhsm() -> bool {
    std::env::var_os("TORAP_PKCS11_LIBRARY").is_some()
        || [
            "/usr/lib/softhsm",
            "/usr/lib/x86_64-linux-gnu/softhsm",
            "/usr/lib/aarch64-linux-gnu/softhsm",
            "/usr/lib64/softhsm",
            "/usr/lib64/pkcs11",
            "/usr/local/lib/softhsm",
        ]
        .iter()
        .any(|dir| Path::new(dir).join("libsofthsm2.so").is_file())
}

fn libclang() -> bool {
    let names = |dir: &Path| {
        fs::read_dir(dir).is_ok_and(|entries| {
            entries.flatten().any(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                name.starts_with("libclang.so")
                    || name.starts_with("libclang-")
                        && name.contains(".so")
                        && !name.starts_with("libclang-cpp")
            })
        })
    };
    if std::env::var_os("LIBCLANG_PATH").is_some() {
        return true;
    }
    library_dirs().iter().any(|dir| names(Path::new(dir)))
        || llvm_dirs().iter().any(|dir| names(&dir.join("lib")))
}

fn clang_headers() -> bool {
    let has_stddef = |dir: &Path| {
        fs::read_dir(dir.join("lib/clang")).is_ok_and(|versions| {
            versions
                .flatten()
                .any(|version| version.path().join("include/stddef.h").is_file())
        })
    };
    llvm_dirs().iter().any(|dir| has_stddef(dir)) || has_stddef(Path::new("/usr"))
}

fn library_dirs() -> [&'static str; 4] {
    [
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib64",
        "/usr/lib",
    ]
}

fn llvm_dirs() -> Vec<std::path::PathBuf> {
    let Ok(entries) = fs::read_dir("/usr/lib") else {
        return Vec::new();
    };
    entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("llvm-"))
        })
        .collect()
}
