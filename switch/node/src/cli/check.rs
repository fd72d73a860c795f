//! `torap check FILE...`: the offline validator.

use std::{io::Read, path::PathBuf};

use clap::{Args, ValueEnum};
use torap_iso20022::{
    check::{self, Profile},
    profile,
};

use super::{Ending, Failure, print_line};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// XML files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Rules to check against: the national usage tables, or the XSDs only
    #[arg(long, value_enum, default_value_t = Rules::National)]
    profile: Rules,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Rules {
    National,
    None,
}

/// A file larger than this is not a message; no more of it is read.
const FILE_BYTES_MAX: u64 = 64 << 20;

pub(super) fn run(arguments: Arguments) -> Result<Ending, Failure> {
    let mut ending = Ending::Done;
    for file in &arguments.files {
        let name = file.display();
        let bytes = read(file).map_err(|error| Failure::Usage(format!("{name}: {error}")))?;
        let result = match arguments.profile {
            Rules::National => profile::check(&bytes, torap_gateway::formats()),
            Rules::None => check::check(&bytes, Profile::None),
        };
        match result {
            Ok(label) => print_line(&format!("{name}: ok {label}"))?,
            Err(refusal) => {
                ending = Ending::Refused;
                print_line(&format!("{name}: refused {refusal}"))?;
            }
        }
    }
    Ok(ending)
}

fn read(file: &std::path::Path) -> Result<Vec<u8>, String> {
    let open = std::fs::File::open(file).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    // A device or a pipe has no length of its own: one byte more than may be tells that there is more.
    open.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("more than {FILE_BYTES_MAX} bytes"));
    }
    Ok(bytes)
}
