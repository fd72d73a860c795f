//! `torap bank`: run a simulated bank, and tell a running one what to do.

mod card;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;
use torap_bank::{Bank, Config, PayOrder, Payee, Request, SentPayment, WaitFor};
use torap_domain::{BankCode, Bic};
use torap_gateway::wire::Mode;

use super::{Ending, Failure, print_line};
use crate::{
    bank::{Sign, run as drive},
    folder::{Folder, read_secret},
    script::BankClient,
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a bank until it is stopped
    Run(Box<Run>),
    /// Pay, and wait for the final answer
    Pay(Pay),
    /// Script the next incoming payments: accept, reject:CODE, delay:MS, silent, twice, wrong-id, garbage, drop-link, deny,
    /// confirm-late:MS
    Behave {
        bank: String,
        behaviour: String,
        #[arg(long, default_value_t = 1)]
        count: usize,
    },
    /// The bank's own books
    Books { bank: String },
    /// Messages it received
    Messages {
        bank: String,
        #[arg(long, default_value_t = 0)]
        since: u64,
    },
    /// Its customers: person, phone, account
    Customers {
        bank: String,
        #[arg(long, default_value_t = 0)]
        from: u32,
        #[arg(long, default_value_t = 5)]
        count: u32,
    },
    /// Cut or restore its link
    Link { bank: String, state: LinkState },
    /// Any request as JSON, e.g. '{"do":"status","uetr":"…","transaction_id":"…"}'
    Ask { bank: String, request: String },
    /// Its card side
    #[command(subcommand)]
    Card(Box<card::Command>),
    /// End a running bank
    Stop { bank: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LinkState {
    Up,
    Down,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ModeName {
    Test,
    Live,
}

#[derive(Debug, Args)]
struct Run {
    /// Participant code, as in `torap ctl participant list`
    bank: String,
    #[arg(long)]
    bic: String,
    /// Three-digit code in the bank's IBANs
    #[arg(long)]
    bank_code: String,
    /// The switch's address
    #[arg(long, default_value = "127.0.0.1:7801")]
    switch: SocketAddr,
    #[arg(long, default_value = "TORPKZKA")]
    switch_bic: String,
    #[arg(long, value_enum, default_value_t = ModeName::Live)]
    mode: ModeName,
    /// Sign-on secret [default: DIR/secrets/BANK.secret]
    #[arg(long, value_name = "FILE")]
    secret: Option<PathBuf>,
    /// Behaviour towards the first payments, one each, as of `torap bank behave`
    #[arg(long, value_name = "BEHAVIOUR")]
    behave: Vec<String>,
    #[command(flatten)]
    host: card::HostArguments,
}

#[derive(Debug, Args)]
struct Pay {
    bank: String,
    /// Number of the paying customer
    #[arg(long, default_value_t = 0)]
    from: u32,
    /// Tenge, e.g. 1500.00
    #[arg(long)]
    amount: Option<String>,
    /// The payee's number
    #[arg(long, conflicts_with_all = ["iban", "qr"])]
    phone: Option<String>,
    /// BIC of the payee's bank; with --phone one of the payee's banks
    #[arg(long)]
    to_bank: Option<String>,
    #[arg(long, requires = "to_bank", requires = "name", conflicts_with = "qr")]
    iban: Option<String>,
    #[arg(long)]
    name: Option<String>,
    /// The payee's IIN or BIN
    #[arg(long)]
    person: Option<String>,
    /// Text of a QR code
    #[arg(long)]
    qr: Option<String>,
    /// Between the payer's own accounts
    #[arg(long)]
    me2me: bool,
    /// How long to wait for the answer
    #[arg(long, default_value_t = 15_000)]
    wait_ms: u64,
}

/// Where a running bank listens for scripts.
pub(crate) fn socket_of(folder: &Folder, bank: &str) -> PathBuf {
    folder.root().join(format!("bank-{bank}.sock"))
}

pub(super) fn run(folder: &Folder, arguments: Arguments) -> Result<Ending, Failure> {
    let ask = |bank: &str, request: &Request| -> Result<Value, Failure> {
        BankClient::connect(&socket_of(folder, bank))
            .and_then(|mut socket| socket.ask(request))
            .map_err(Failure::Failed)
    };
    let result = match arguments.command {
        Command::Run(arguments) => return start(folder, &arguments),
        Command::Card(command) => return card::run(folder, *command),
        Command::Pay(arguments) => return pay(&socket_of(folder, &arguments.bank), arguments),
        Command::Behave {
            bank,
            behaviour,
            count,
        } => ask(&bank, &Request::Behave { behaviour, count })?,
        Command::Books { bank } => ask(&bank, &Request::Books)?,
        Command::Messages { bank, since } => {
            ask(&bank, &Request::Messages { since })?["messages"].take()
        }
        Command::Customers { bank, from, count } => {
            ask(&bank, &Request::Customers { from, count })?
        }
        Command::Link { bank, state } => ask(
            &bank,
            &Request::Link {
                up: state == LinkState::Up,
            },
        )?,
        Command::Ask { bank, request } => {
            let request = serde_json::from_str(&request)
                .map_err(|error| Failure::Usage(format!("request: {error}")))?;
            ask(&bank, &request)?
        }
        Command::Stop { bank } => ask(&bank, &Request::Stop)?,
    };
    match result {
        Value::Array(rows) => rows
            .iter()
            .try_for_each(|row| print_line(&row.to_string()))?,
        result => print_line(&result.to_string())?,
    }
    Ok(Ending::Done)
}

fn start(folder: &Folder, arguments: &Run) -> Result<Ending, Failure> {
    let usage = |error: String| Failure::Usage(error);
    let code = crate::serve::participant_code(&arguments.bank).map_err(usage)?;
    let secret = arguments
        .secret
        .clone()
        .unwrap_or_else(|| folder.secret(code.as_str()));
    let seed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(1, |since| since.as_millis());
    let config = Config {
        code: arguments.bank.clone(),
        bic: Bic::parse(&arguments.bic).map_err(|error| usage(format!("--bic: {error}")))?,
        bank_code: BankCode::parse(&arguments.bank_code)
            .map_err(|error| usage(format!("--bank-code: {error}")))?,
        switch_bic: Bic::parse(&arguments.switch_bic)
            .map_err(|error| usage(format!("--switch-bic: {error}")))?,
        seed: u64::try_from(seed).unwrap_or(1),
    };
    let sign = Sign {
        switch: arguments.switch,
        mode: match arguments.mode {
            ModeName::Test => Mode::Test,
            ModeName::Live => Mode::Live,
        },
        secret: read_secret(&secret).map_err(usage)?,
    };
    let host = arguments.host.host(folder, &arguments.bank)?;
    let mut bank = Bank::new(config);
    for behaviour in &arguments.behave {
        let request = Request::Behave {
            behaviour: behaviour.clone(),
            count: 1,
        };
        bank.handle(request, 0)
            .map_err(|error| usage(format!("--behave: {error}")))?;
    }
    let control = socket_of(folder, &arguments.bank);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(drive(Some((bank, sign)), host, &control))?;
    Ok(Ending::Done)
}

fn pay(socket: &Path, arguments: Pay) -> Result<Ending, Failure> {
    let payee = match (arguments.phone, arguments.iban, arguments.qr) {
        (Some(phone), _, _) => Payee::Phone {
            phone,
            bank: arguments.to_bank,
            person: arguments.person,
        },
        (_, Some(iban), _) => Payee::Account {
            bank: arguments.to_bank.unwrap_or_default(),
            iban,
            name: arguments.name.unwrap_or_default(),
            person: arguments.person,
        },
        (_, _, Some(code)) => Payee::Qr { code },
        (None, None, None) => {
            return Err(Failure::Usage(
                "pay: one of --phone, --iban, --qr is needed".into(),
            ));
        }
    };
    let mut socket = BankClient::connect(socket)?;
    let mut order = PayOrder::new(arguments.from, payee, arguments.amount.as_deref());
    order.me2me = arguments.me2me;
    let request = Request::Pay(order);
    let sent: SentPayment =
        serde_json::from_value(socket.ask(&request)?).map_err(|error| error.to_string())?;
    print_line(&format!(
        "sent  {}  {} KZT  {}",
        sent.transaction_id, sent.amount, sent.uetr
    ))?;
    // The final answer names the payment; a message that was not understood is answered with its message id.
    let by_uetr = WaitFor {
        kind: Some("pacs.002".into()),
        uetr: Some(sent.uetr.clone()),
        is_final: true,
        ..WaitFor::default()
    };
    let seen = socket.ask(&Request::Wait {
        filter: by_uetr,
        within_ms: arguments.wait_ms,
    });
    let rejected = WaitFor {
        kind: Some("admi.002".into()),
        reference: Some(sent.message_id),
        ..WaitFor::default()
    };
    let seen = seen.or_else(|_| {
        socket.ask(&Request::Wait {
            filter: rejected,
            within_ms: 0,
        })
    })?;
    let text = |key: &str| {
        seen.get(key)
            .and_then(Value::as_str)
            .unwrap_or("-")
            .to_string()
    };
    print_line(&format!(
        "{}  {}  {}",
        text("status"),
        text("reason"),
        text("text")
    ))?;
    Ok(if text("status") == "ACSC" {
        Ending::Done
    } else {
        Ending::Refused
    })
}
