//! The card side of `torap bank`: how a host is described on the command line, and what a running one is told to do.

use std::{fs, net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;
use torap_bank::Request as BankRequest;
use torap_bank::card::{
    CardHost, Config, Order, Patience, PinUse, Request, SentTransaction, WaitFor,
};
use torap_domain::card::InstitutionId;
use torap_gateway::card::framing::{Framing, LengthHeader};
use torap_hsm_sim::{key_file::BankKeyFile, soft::BankKeys};
use torap_iso8583::Dialect;

use super::super::{Ending, Failure, print_line};
use super::socket_of;
use crate::{
    bank::card::{Door, Way},
    folder::{Folder, random_bytes},
    script::BankClient,
};

/// The card host of a bank.
#[derive(Clone, Debug, Args)]
pub(super) struct HostArguments {
    /// The switch's card door, to which the host connects
    #[arg(long, value_name = "ADDRESS", conflicts_with = "card_listen")]
    pub(super) card: Option<SocketAddr>,
    /// Where the switch connects to the host instead
    #[arg(long, value_name = "ADDRESS")]
    pub(super) card_listen: Option<SocketAddr>,
    /// Institution number of the host (DE32, DE33)
    #[arg(long, value_name = "DIGITS", default_value = "1")]
    institution: String,
    /// Prefixes of the cards that it issues, 6 to 11 digits
    #[arg(long, value_name = "DIGITS")]
    prefix: Vec<String>,
    /// Links to the switch
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=16))]
    links: u8,
    /// Length header of its frames: binary-2, binary-4, ascii-4, bcd-2
    #[arg(long, default_value = "binary-2")]
    framing: String,
    /// A TPDU stands in front of every message
    #[arg(long)]
    tpdu: bool,
    /// Dialect: national, iso87-ascii, iso93-bcd
    #[arg(long, default_value = "national")]
    dialect: String,
    /// Its side of the keys [default: DIR/hsm/keys/BANK.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Every message carries a MAC
    #[arg(long)]
    mac: bool,
    /// The key set in use at the start
    #[arg(long, default_value_t = 1)]
    key_set: u32,
    /// It is the host of a foreign scheme: it answers enquiries, and acquires and issues nothing
    #[arg(long)]
    scheme: bool,
    /// Prefixes of local cards, which a scheme must never hear of
    #[arg(long, value_name = "DIGITS", requires = "scheme")]
    local_prefix: Vec<String>,
    /// After how long the acquirer reverses what stays unanswered
    #[arg(long, default_value_t = Patience::default().answer_within_ms)]
    answer_within_ms: u64,
    /// After how long it repeats reversals and advices
    #[arg(long, default_value_t = Patience::default().again_after_ms)]
    again_after_ms: u64,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a card host without an instant bank, until it is stopped
    Run {
        bank: String,
        #[command(flatten)]
        host: HostArguments,
    },
    /// Buy something, and wait for the answer
    Purchase(Transact),
    /// Take cash at a machine, with a PIN
    Withdraw(Transact),
    /// Any service: --service
    Transact(Transact),
    /// Reverse a transaction, in full or so that an amount stands
    Reverse {
        bank: String,
        reference: String,
        /// Tenge
        #[arg(long)]
        stands: Option<String>,
    },
    /// Complete a pre-authorisation
    Complete {
        bank: String,
        reference: String,
        amount: String,
    },
    /// Give money back to the card of a transaction
    Refund {
        bank: String,
        reference: String,
        amount: String,
    },
    /// Script the next messages: approve, part:TENGE, decline:CODE, silent, delay:MS, twice, wrong-trace, garbage, drop-link, other-link,
    /// bad-mac; letter-… and enquiry-… with silent, delay:MS, refuse:CODE, drop-link; key-silent, key-refuse:CODE, key-wrong-value
    Behave {
        bank: String,
        behaviour: String,
        #[arg(long, default_value_t = 1)]
        count: usize,
    },
    /// What it sent as acquirer, and how it came out
    Transactions { bank: String },
    /// What it took as issuer, and how it came out
    Issued { bank: String },
    /// Its own totals by session and side
    Totals { bank: String },
    /// What is open, and what it finds wrong with the switch
    Books { bank: String },
    /// Messages it received
    Messages {
        bank: String,
        #[arg(long, default_value_t = 0)]
        since: u64,
    },
    /// Any request as JSON, e.g. '{"do":"reconcile","session":"1128","side":"issuer"}'
    Ask { bank: String, request: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PinName {
    None,
    Right,
    Wrong,
}

#[derive(Debug, Args)]
pub(super) struct Transact {
    /// The acquirer
    bank: String,
    /// Whose card: prefix and number, e.g. 93986010:3
    #[arg(long, value_name = "PREFIX:NUMBER")]
    card: String,
    /// Tenge, e.g. 1500.00
    #[arg(long, default_value = "0.00")]
    amount: String,
    /// Kebab-case service, e.g. purchase, cash, pre-authorisation, balance-enquiry
    #[arg(long)]
    service: Option<String>,
    /// atm, pos, web, mobile
    #[arg(long)]
    channel: Option<String>,
    /// manual, stripe, chip, contactless, fallback, e-commerce, card-on-file
    #[arg(long)]
    entry: Option<String>,
    #[arg(long, value_enum)]
    pin: Option<PinName>,
    #[arg(long)]
    cash_back: Option<String>,
    /// How long to wait for the answer
    #[arg(long, default_value_t = 25_000)]
    wait_ms: u64,
}

impl HostArguments {
    /// The host, if there is one to run.
    pub(super) fn host(
        &self,
        folder: &Folder,
        code: &str,
    ) -> Result<Option<(CardHost, Door)>, Failure> {
        let usage = |text: String| Failure::Usage(text);
        let way = match (self.card, self.card_listen) {
            (Some(address), _) => Way::Connect(address),
            (None, Some(address)) => Way::Listen(address),
            (None, None) => return Ok(None),
        };
        let header = LengthHeader::from_name(&self.framing)
            .ok_or_else(|| usage(format!("--framing: `{}` is none", self.framing)))?;
        let dialect = Dialect::built_in(&self.dialect)
            .ok_or_else(|| usage(format!("--dialect: `{}` is none", self.dialect)))?;
        InstitutionId::parse(&self.institution)
            .map_err(|error| usage(format!("--institution: {error}")))?;
        let keys = self.keys(folder, code)?;
        if self.mac && keys.is_none() {
            return Err(usage(
                "--mac: there are no keys; `torap hsm-sim keys` makes some".into(),
            ));
        }
        let random = random_bytes().map_err(Failure::Failed)?;
        let seed = random.first_chunk().copied().unwrap_or_default();
        let config = Config {
            code: code.into(),
            institution: self.institution.clone(),
            prefixes: self.prefix.clone(),
            is_scheme: self.scheme,
            local_prefixes: self.local_prefix.clone(),
            dialect,
            mac: self.mac,
            key_set: self.key_set,
            patience: Patience {
                answer_within_ms: self.answer_within_ms,
                again_after_ms: self.again_after_ms,
                ..Patience::default()
            },
            seed: u64::from_le_bytes(seed),
        };
        let door = Door {
            way,
            framing: Framing {
                header,
                tpdu: self.tpdu,
            },
            links: self.links.into(),
        };
        Ok(Some((CardHost::new(config, keys), door)))
    }

    fn keys(&self, folder: &Folder, code: &str) -> Result<Option<BankKeys>, Failure> {
        let usual = folder.root().join("hsm/keys").join(format!("{code}.toml"));
        let path = match &self.keys {
            Some(path) => path.clone(),
            None if usual.exists() => usual,
            None => return Ok(None),
        };
        let at =
            |text: &dyn std::fmt::Display| Failure::Usage(format!("{}: {text}", path.display()));
        let text = fs::read_to_string(&path).map_err(|error| at(&error))?;
        let file = BankKeyFile::parse(&text).map_err(|error| at(&error))?;
        let seed = random_bytes().map_err(Failure::Failed)?;
        BankKeys::open(&file, seed)
            .map(Some)
            .map_err(|error| at(&error))
    }
}

pub(super) fn run(folder: &Folder, command: Command) -> Result<Ending, Failure> {
    let ask = |bank: &str, request: Request| -> Result<Value, Failure> {
        BankClient::connect(&socket_of(folder, bank))
            .and_then(|mut client| client.ask(&BankRequest::Card { request }))
            .map_err(Failure::Failed)
    };
    let result = match command {
        Command::Run { bank, host } => return start(folder, &bank, &host),
        Command::Purchase(order) => return transact(folder, &order, "purchase", "pos"),
        Command::Withdraw(order) => return transact(folder, &order, "cash", "atm"),
        Command::Transact(order) => return transact(folder, &order, "purchase", "pos"),
        Command::Reverse {
            bank,
            reference,
            stands,
        } => ask(
            &bank,
            Request::Reverse {
                reference,
                stands,
                request: false,
            },
        )?,
        Command::Complete {
            bank,
            reference,
            amount,
        } => ask(&bank, Request::Complete { reference, amount })?,
        Command::Refund {
            bank,
            reference,
            amount,
        } => ask(&bank, Request::Refund { reference, amount })?,
        Command::Behave {
            bank,
            behaviour,
            count,
        } => ask(&bank, Request::Behave { behaviour, count })?,
        Command::Transactions { bank } => ask(&bank, Request::Transactions)?,
        Command::Issued { bank } => ask(&bank, Request::Issued)?,
        Command::Totals { bank } => ask(&bank, Request::Totals)?,
        Command::Books { bank } => ask(&bank, Request::Books)?,
        Command::Messages { bank, since } => {
            ask(&bank, Request::Messages { since })?["messages"].take()
        }
        Command::Ask { bank, request } => {
            let request = serde_json::from_str(&request)
                .map_err(|error| Failure::Usage(format!("request: {error}")))?;
            ask(&bank, request)?
        }
    };
    match result {
        Value::Array(rows) => rows
            .iter()
            .try_for_each(|row| print_line(&row.to_string()))?,
        result => print_line(&result.to_string())?,
    }
    Ok(Ending::Done)
}

fn start(folder: &Folder, bank: &str, arguments: &HostArguments) -> Result<Ending, Failure> {
    crate::serve::participant_code(bank).map_err(Failure::Usage)?;
    let host = arguments.host(folder, bank)?;
    let host = host
        .ok_or_else(|| Failure::Usage("run: one of --card and --card-listen is needed".into()))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let control = socket_of(folder, bank);
    runtime.block_on(crate::bank::run(None, Some(host), &control))?;
    Ok(Ending::Done)
}

fn transact(
    folder: &Folder,
    arguments: &Transact,
    service: &str,
    channel: &str,
) -> Result<Ending, Failure> {
    let place = arguments.card.split_once(':');
    let place = place.and_then(|(prefix, number)| Some((prefix, number.parse().ok()?)));
    let (prefix, card) = place.ok_or_else(|| {
        Failure::Usage(format!("--card: `{}` is no PREFIX:NUMBER", arguments.card))
    })?;
    let or = |given: &Option<String>, usual: &str| given.clone().unwrap_or_else(|| usual.into());
    let usual_pin = if service == "cash" {
        PinUse::Right
    } else {
        PinUse::None
    };
    let order = Order {
        service: or(&arguments.service, service),
        channel: or(&arguments.channel, channel),
        entry: arguments.entry.clone(),
        prefix: prefix.into(),
        card,
        amount: arguments.amount.clone(),
        cash_back: arguments.cash_back.clone(),
        pin: match arguments.pin {
            None => usual_pin,
            Some(PinName::None) => PinUse::None,
            Some(PinName::Right) => PinUse::Right,
            Some(PinName::Wrong) => PinUse::Wrong,
        },
        ..Order::default()
    };
    let mut client = BankClient::connect(&socket_of(folder, &arguments.bank))?;
    let mut ask = |request| client.ask(&BankRequest::Card { request });
    let sent: SentTransaction = serde_json::from_value(ask(Request::Transact(order))?)
        .map_err(|error| error.to_string())?;
    print_line(&format!(
        "sent  {}  {}  {}",
        sent.mti, sent.reference, sent.amount
    ))?;
    let filter = WaitFor {
        reference: Some(sent.reference),
        is_answer: true,
        ..WaitFor::default()
    };
    let seen = ask(Request::Wait {
        filter,
        within_ms: arguments.wait_ms,
    })?;
    let text = |key: &str| seen[key].as_str().unwrap_or("-").to_string();
    print_line(&format!(
        "{}  {}  {}",
        text("mti"),
        text("code"),
        text("approval")
    ))?;
    Ok(if text("code") == "00" {
        Ending::Done
    } else {
        Ending::Refused
    })
}
