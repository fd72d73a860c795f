//! `torap hsm-sim`: a simulated payment HSM as a process of its own, its key ceremony, and how it misbehaves.
//!
//! Everything of it is in `DIR/hsm`: the token, and the keys of the participants in `DIR/hsm/keys`. What the switch needs of them goes into
//! `DIR/card-keys.toml`, the only file of keys that the switch reads.

use std::{
    net::SocketAddr, os::unix::process::CommandExt, path::Path, process::Command as Process,
};

use clap::{Args, Subcommand, ValueEnum};
use torap_hsm_sim::{
    Cipher, Machine,
    behaviour::{self, Behaviour},
    ceremony::{self, KeyKinds},
    key_file::SwitchKeyFile,
    server::Server,
    token::{CONFIGURATION_VARIABLE, Token, TokenFolder},
};

use super::{Ending, Failure, print_line};
use crate::{
    folder::Folder,
    serve::{CardKeys, FirstKeys},
};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

#[derive(Debug, Args)]
struct Run {
    /// Loopback address to listen on; port 0 lets the system choose
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// How to behave from the start: normal, slow:MS, silent
    #[arg(long, default_value_t = Behaviour::Normal)]
    behave: Behaviour,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Hold a key ceremony: make the keys of participants, write both sides below DIR/hsm/keys, and the switch's to DIR/card-keys.toml
    Keys(Keys),
    /// Tell a running HSM how to behave: normal, slow:MS, silent, die
    Behave { behaviour: Behaviour },
}

#[derive(Debug, Args)]
struct Keys {
    /// Participant codes; keys that one had before are replaced
    #[arg(long, required = true, num_args = 1.., value_name = "CODE")]
    participant: Vec<String>,
    /// Zone master key: AES with TR-31 blocks of version D, or Triple DES with version B
    #[arg(long, value_enum, default_value_t = CipherName::Aes)]
    zone_master: CipherName,
    /// Zone PIN key: Triple DES for PIN block formats 0, 1, 3; AES for format 4
    #[arg(long, value_enum, default_value_t = CipherName::Tdes)]
    pin: CipherName,
    /// Zone MAC key: AES for CMAC, Triple DES for ISO 9797-1 algorithm 3
    #[arg(long, value_enum, default_value_t = CipherName::Aes)]
    mac: CipherName,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CipherName {
    Aes,
    Tdes,
}

impl From<CipherName> for Cipher {
    fn from(name: CipherName) -> Cipher {
        match name {
            CipherName::Aes => Cipher::Aes,
            CipherName::Tdes => Cipher::Tdes,
        }
    }
}

pub(super) fn run(folder: &Folder, arguments: Arguments) -> Result<Ending, Failure> {
    let dir = folder.hsm();
    match arguments.command {
        None => serve(&dir, &arguments.run),
        Some(Command::Keys(keys)) => hold_ceremony(folder, &dir, &keys),
        Some(Command::Behave { behaviour }) => {
            behaviour::command(&dir, behaviour)?;
            Ok(Ending::Done)
        }
    }
}

fn serve(dir: &Path, run: &Run) -> Result<Ending, Failure> {
    if run.behave == Behaviour::Die {
        return Err(Failure::Usage(
            "an HSM that dies at once is of no use".into(),
        ));
    }
    let token = open_token(dir)?;
    let server = Server::listen(token, dir, run.listen, run.behave)
        .map_err(|error| format!("{}: {error}", run.listen))?;
    let address = server.address().map_err(|error| error.to_string())?;
    print_line(&format!("listening on {address}"))?;
    server.run();
    Ok(Ending::Done)
}

fn hold_ceremony(folder: &Folder, dir: &Path, keys: &Keys) -> Result<Ending, Failure> {
    let token = open_token(dir)?;
    let vault = token.vault().map_err(|fault| fault.to_string())?;
    let mut machine = Machine::new(vault).map_err(|fault| fault.to_string())?;
    let kinds = KeyKinds {
        zone_master: keys.zone_master.into(),
        pin: keys.pin.into(),
        mac: keys.mac.into(),
    };
    ceremony::hold(&mut machine, dir, &keys.participant, kinds)
        .map_err(|error| error.to_string())?;
    give_to_switch(folder, dir, &keys.participant)?;
    print_line(&ceremony::switch_file(dir).display().to_string())?;
    print_line(&folder.card_keys().display().to_string())?;
    for code in &keys.participant {
        print_line(&ceremony::bank_file(dir, code).display().to_string())?;
    }
    Ok(Ending::Done)
}

/// The switch's side of the participants, as its set 1; what else stands in its file stays. A running switch reads it at its next start.
fn give_to_switch(folder: &Folder, dir: &Path, codes: &[String]) -> Result<(), Failure> {
    let path = ceremony::switch_file(dir);
    let at = |error: String| Failure::Failed(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(&path).map_err(|error| at(error.to_string()))?;
    let mut keys = CardKeys::read(folder)?;
    let made = SwitchKeyFile::parse(&text).map_err(at)?.participants;
    for row in made.iter().filter(|row| codes.contains(&row.code)) {
        let first = FirstKeys {
            zmk: &row.zmk.block,
            zpk: &row.zpk.block,
            zak: &row.zak.block,
            pvk: row.pvk.as_ref().map(|key| key.block.as_str()),
        };
        keys.begin(&row.code, &first).map_err(at)?;
    }
    Ok(keys.write(&folder.card_keys())?)
}

/// The token library reads its configuration from the environment, and only a new process can have another environment:
/// so this one replaces itself, once, by itself with the right one.
fn open_token(dir: &Path) -> Result<Token, Failure> {
    let folder = TokenFolder::prepare(dir).map_err(|fault| fault.to_string())?;
    if folder.check_environment().is_err() {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let error = Process::new(program)
            .args(std::env::args_os().skip(1))
            .env(CONFIGURATION_VARIABLE, folder.configuration())
            .exec();
        return Err(Failure::Failed(format!("starting anew: {error}")));
    }
    Token::open(&folder).map_err(|fault| Failure::Failed(fault.to_string()))
}
