//! `torap ctl`: operate a running switch through its control socket.

mod ancillary;
mod approval;
mod card;
mod clearing;
mod dispute;
mod history;
mod import;
mod mass;
mod pieces;
mod present;
mod rtgs;
mod statement;
mod table;
mod tariff;

pub(super) use pieces::LINES as PIECE_ITEMS;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Ending, Failure, print_line};
use crate::{
    control::{By, Client, ParticipantForm, Refusal, Request},
    folder::Folder,
};

const DAY_MS: u64 = 86_400_000;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Print the answer as one JSON line
    #[arg(long, global = true)]
    json: bool,
    /// Who orders a change; goes into the log [default: the user's name]
    #[arg(long, global = true)]
    operator: Option<String>,
    /// The paper or ticket that orders it; goes into the log
    #[arg(long, global = true)]
    reference: Option<String>,
    /// The change takes effect then: RFC 3339 with an offset, as 2026-12-01T00:00:00+05:00. For participants (but `add`), money,
    /// limits and settings
    #[arg(long, global = true, value_name = "TIME")]
    effective: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Who is up, what is queued, whether the books balance
    Status,
    /// Positions per participant and the conservation check
    Positions,
    /// Participants
    #[command(subcommand)]
    Participant(Participant),
    /// Move money from the central bank's mirror account to a position
    Fund { code: String, amount: String },
    /// Move money from a position back
    Defund { code: String, amount: String },
    /// Limits per service
    #[command(subcommand)]
    Limits(Limits),
    /// What may be recalled for a reason of camt.056
    RecallRule {
        /// Reason code, e.g. DUPL
        reason: String,
        /// Days after the settlement; 0 forbids recalls for the reason
        #[arg(long)]
        window_days: u32,
        /// Days that the payee's bank has for its answer
        #[arg(long)]
        answer_days: u32,
    },
    /// Clocks and guards of the instant rail
    Settings,
    /// Change a setting, e.g. `set receiver_within_ms 5000`
    Set { key: String, value: String },
    /// Changes that wait for their effective time, and what came of the last ones
    Schedule,
    /// Take back a change that waits
    Withdraw { id: u64 },
    #[command(flatten)]
    Approval(approval::Approvals),
    /// The alias directory
    #[command(subcommand)]
    Directory(Directory),
    /// A payment's whole history: by UETR, CODE:TxId, TxId, or any identifier that one of its messages carries
    Payment {
        id: String,
        /// Also print the original messages: `pretty` (indented) or `raw` (the bytes as they came)
        #[arg(long, value_name = "HOW", num_args = 0..=1, default_missing_value = "pretty")]
        originals: Option<history::Originals>,
    },
    /// A participant's payments and returns, by the time of their decision
    Payments {
        /// Code of the participant
        #[arg(value_name = "CODE", required_unless_present = "participant")]
        code: Option<String>,
        #[arg(long, value_name = "CODE", conflicts_with = "code")]
        participant: Option<String>,
        /// RFC 3339 with an offset, as 2026-11-21T09:00:00+05:00 [default: an hour before --until]
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// [default: now]
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Card traffic
    #[command(subcommand)]
    Card(card::Card),
    /// IMTS: settlement accounts, payments, queue, business day
    #[command(subcommand)]
    Rtgs(rtgs::Rtgs),
    /// The clearing system
    #[command(subcommand)]
    Clearing(clearing::Clearing),
    /// The guarantee fund
    #[command(subcommand)]
    Guarantee(ancillary::Guarantee),
    /// Prove a day from the log: what records told against what moved on the accounts
    Reconcile {
        /// As 2026-12-01, from midnight to midnight or until now, UTC+5
        #[arg(long)]
        day: String,
    },
    /// A participant's accounts on one day, from the log: every entry with the balance after it
    Statement(statement::Arguments),
    /// Disputes about settled payments
    #[command(subcommand)]
    Dispute(dispute::Dispute),
    /// Files of instant payments: salaries, social payments
    #[command(subcommand)]
    Mass(mass::Mass),
    /// Tariffs: what participants are charged
    #[command(subcommand)]
    Tariff(tariff::Tariff),
    /// Old segments of the log, by the policy of torap.toml
    #[command(subcommand)]
    Journal(Journal),
    /// Processor time, payments and conservation, for load runs
    Report,
    /// Write a snapshot now
    Snapshot,
    /// End the switch in an orderly way
    Stop,
}

#[derive(Debug, Subcommand)]
enum Journal {
    /// Move sealed segments older than journal.archive_after_days to journal.archive_dir
    Archive,
    /// Remove segments older than journal.keep_days for ever, as far as nobody needs them any more
    Expire {
        /// Only say what would go, and who needs what
        #[arg(long)]
        dry_run: bool,
        /// Do not keep what this participant has not received yet
        #[arg(long, value_name = "CODE")]
        without: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
enum Participant {
    /// List them
    List,
    /// Add one; prints where its sign-on secret lies
    Add {
        #[command(flatten)]
        form: ParticipantArguments,
        /// Net debit cap in tenge; without it the position is prefunded
        #[arg(long)]
        net_debit_cap: Option<String>,
    },
    /// Replace everything the operator sets
    Update {
        #[command(flatten)]
        form: ParticipantArguments,
    },
    /// active, certifying, closing, suspended, suspended-debits, suspended-credits
    State { code: String, state: String },
    /// Net debit cap in tenge, or prefunded
    Mode {
        code: String,
        #[arg(long)]
        net_debit_cap: Option<String>,
    },
    /// After a merger: the codes of CODE lead to SUCCESSOR
    Successor { code: String, successor: String },
}

#[derive(Debug, Args)]
struct ParticipantArguments {
    /// Short code, the name at sign-on
    code: String,
    #[arg(long)]
    name: String,
    /// The first is the primary one
    #[arg(long = "bic", required = true)]
    bics: Vec<String>,
    #[arg(long = "bank-code")]
    bank_codes: Vec<String>,
    /// c2c-phone, c2c-account, me2me, qr [default: all]
    #[arg(long = "service")]
    services: Vec<String>,
    /// The direct participant through which this one settles
    #[arg(long)]
    sponsor: Option<String>,
    /// Participants that may send for this one
    #[arg(long = "technical-sender")]
    technical_senders: Vec<String>,
    #[arg(long)]
    floor: Option<String>,
    #[arg(long)]
    ceiling: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Limits {
    /// Show the rail's defaults
    Show,
    /// Set them; what is left out has no limit
    Set {
        /// c2c-phone, c2c-account, me2me, qr
        service: String,
        /// Only for this participant
        #[arg(long)]
        participant: Option<String>,
        #[arg(long)]
        payment_max: Option<String>,
        #[arg(long)]
        customer_day_amount_max: Option<String>,
        #[arg(long)]
        customer_day_count_max: Option<u32>,
        #[arg(long)]
        participant_day_amount_max: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum Directory {
    /// What the directory holds of a number
    Show { phone: String },
    /// Add an account of BANK's customer
    Register(Entry),
    /// Replace BANK's account
    Change(Entry),
    /// Take BANK's account out
    Remove {
        #[command(flatten)]
        whose: Whose,
    },
    /// BANK's account becomes the default, by the customer's consent
    Claim {
        #[command(flatten)]
        whose: Whose,
        #[arg(long)]
        consent: String,
    },
    /// BANK contests the claim that took its default
    Contest {
        #[command(flatten)]
        whose: Whose,
    },
    /// Lift a suspension: PERSON keeps the number
    Release { phone: String, person: String },
    /// Add a bank's customers from a CSV file: phone,person,iban,name. Numbers that are held already are left alone and told
    Import {
        code: String,
        file: std::path::PathBuf,
    },
}

#[derive(Debug, Args)]
struct Whose {
    /// BIC of the bank
    bank: String,
    phone: String,
    /// IIN or BIN
    person: String,
}

#[derive(Debug, Args)]
struct Entry {
    #[command(flatten)]
    whose: Whose,
    #[arg(long)]
    iban: String,
    #[arg(long)]
    name: String,
}

pub(super) fn run(folder: &Folder, arguments: Arguments) -> Result<Ending, Failure> {
    let by = By {
        operator: arguments.operator.clone().unwrap_or_else(user_name),
        reference: arguments
            .reference
            .clone()
            .unwrap_or_else(|| "-".to_string()),
    };
    if let Command::Tariff(command) = &arguments.command
        && arguments.effective.is_none()
        && let Some(done) = tariff::from_log(folder, command, arguments.json)
    {
        return done;
    }
    if let Command::Statement(wanted) = &arguments.command {
        if arguments.effective.is_some() {
            return Err(Failure::Usage("a statement has no --effective".into()));
        }
        return statement::run(folder, wanted, arguments.json);
    }
    let mut client = Client::connect(&folder.control())?;
    let moves_money = match &arguments.command {
        Command::Fund { .. } | Command::Defund { .. } => true,
        Command::Rtgs(command) => command.moves_money(),
        Command::Clearing(command) => command.moves_money(),
        Command::Guarantee(command) => command.moves_money(),
        Command::Mass(command) => command.moves_money(),
        Command::Card(command) => command.moves_money(),
        Command::Dispute(command) => command.moves_money(),
        _ => false,
    };
    if moves_money && arguments.reference.is_none() {
        let text = "--reference is needed: the paper or ticket that orders the money to be moved";
        return Err(Failure::Usage(text.into()));
    }
    if let Command::Directory(Directory::Import { code, file }) = &arguments.command {
        return import::run(&mut client, &by, code, file, arguments.json);
    }
    if let Command::Clearing(clearing::Clearing::Submit {
        code,
        file,
        file_id,
    }) = &arguments.command
        && arguments.effective.is_none()
    {
        let which = (code.as_str(), file.as_path(), file_id.as_deref());
        return clearing::submit(&mut client, &by, which, arguments.json);
    }
    if let Command::Dispute(dispute::Dispute::Evidence { case, number, out }) = &arguments.command {
        return dispute::evidence(&mut client, (*case, *number, out));
    }
    if let Command::Mass(command) = &arguments.command {
        if arguments.effective.is_some() {
            let text = "a file is submitted at once, without --effective";
            return Err(Failure::Usage(text.into()));
        }
        return mass::run(&mut client, &by, command, arguments.json);
    }
    match &arguments.command {
        Command::Card(card::Card::Present { file }) => {
            if arguments.effective.is_some() {
                let text = "a file is presented at once, without --effective";
                return Err(Failure::Usage(text.into()));
            }
            return present::present(&mut client, &by, file, arguments.json);
        }
        Command::Card(card @ card::Card::Presentments { .. }) => {
            return present::show(&mut client, card, arguments.json);
        }
        _ => {}
    }
    let originals = match &arguments.command {
        Command::Payment { originals, .. } => *originals,
        _ => None,
    };
    let with_messages = matches!(
        arguments.command,
        Command::Card(card::Card::Transaction { messages: true, .. })
    );
    let mut request = request(arguments.command, by.clone())?;
    if let Some(at) = arguments.effective {
        let change = Box::new(request);
        request = Request::Later { by, at, change };
    }
    let answer = match request {
        Request::Payment { .. } => {
            return history::payment(&mut client, &request, originals, arguments.json);
        }
        Request::CardTransaction { .. } => {
            return history::transaction(&mut client, &request, with_messages, arguments.json);
        }
        Request::Payments { .. } => history::all_pages(&mut client, request)?,
        request => client.ask(&request)?,
    };
    match answer {
        Ok(result) => {
            show(&result, arguments.json)?;
            // A day that does not reconcile is told, and its exit status says so.
            Ok(match result["agrees"].as_bool() {
                Some(false) => Ending::Refused,
                Some(true) | None => Ending::Done,
            })
        }
        Err(refusal) => refused(&refusal, arguments.json),
    }
}

fn refused(refusal: &Refusal, as_json: bool) -> Result<Ending, Failure> {
    let line = if as_json {
        json!({ "refused": refusal }).to_string()
    } else {
        format!(
            "refused: {}: {} ({}; {} must act)",
            refusal.place, refusal.text, refusal.rule, refusal.actor
        )
    };
    print_line(&line)?;
    Ok(Ending::Refused)
}

fn show(result: &Value, as_json: bool) -> Result<(), Failure> {
    let text = if as_json {
        result.to_string()
    } else {
        table::render(result)
    };
    print_line(text.trim_end()).map_err(Failure::Failed)
}

/// A JSON answer as text for people.
pub(super) fn render(value: &Value) -> String {
    table::render(value)
}

fn user_name() -> String {
    std::env::var("SUDO_USER")
        .or_else(|_| std::env::var("USER"))
        .unwrap_or_else(|_| format!("uid-{}", rustix::process::getuid().as_raw()))
}

fn request(command: Command, by: By) -> Result<Request, Failure> {
    Ok(match command {
        Command::Status => Request::Status,
        Command::Positions => Request::Positions,
        Command::Participant(command) => participant_request(command, by),
        Command::Fund { code, amount } => Request::Fund {
            by,
            code,
            amount,
            out: false,
        },
        Command::Defund { code, amount } => Request::Fund {
            by,
            code,
            amount,
            out: true,
        },
        Command::Limits(Limits::Show) => Request::Limits,
        Command::Limits(Limits::Set {
            service,
            participant,
            payment_max,
            customer_day_amount_max,
            customer_day_count_max,
            participant_day_amount_max,
        }) => Request::SetLimits {
            by,
            service,
            code: participant,
            payment_max,
            customer_day_amount_max,
            customer_day_count_max,
            participant_day_amount_max,
        },
        Command::RecallRule {
            reason,
            window_days,
            answer_days,
        } => Request::SetRecallRule {
            by,
            reason,
            window_ms: u64::from(window_days) * DAY_MS,
            answer_within_ms: u64::from(answer_days) * DAY_MS,
        },
        Command::Settings => Request::Settings,
        Command::Set { key, value } => {
            let value = serde_json::from_str(&value).map_err(|_| {
                Failure::Usage(format!("set: `{value}` is not a number, true or false"))
            })?;
            Request::Set { by, key, value }
        }
        Command::Schedule => Request::Schedule,
        Command::Rtgs(command) => rtgs::request(command, by)?,
        Command::Withdraw { id } => Request::Withdraw { by, id },
        Command::Approval(command) => approval::request(command, by),
        Command::Directory(Directory::Show { phone }) => Request::DirectoryShow { phone },
        Command::Directory(command) => Request::Directory {
            by,
            command: directory_command(command),
        },
        Command::Payment { id, .. } => Request::Payment { id },
        Command::Payments {
            code,
            participant,
            from,
            until,
            limit,
        } => Request::Payments {
            code: code.or(participant).unwrap_or_default(),
            from,
            until,
            after: None,
            max: limit,
        },
        Command::Journal(Journal::Archive) => Request::JournalArchive,
        Command::Journal(Journal::Expire { dry_run, without }) => Request::JournalExpire {
            by,
            without,
            dry_run,
        },
        Command::Card(command) => card::request(command, by)?,
        Command::Clearing(command) => clearing::request(command, by)?,
        Command::Guarantee(command) => ancillary::request(command, by),
        Command::Reconcile { day } => Request::Reconcile { day },
        Command::Tariff(command) => tariff::request(command, by)?,
        Command::Dispute(command) => dispute::request(command, by)?,
        Command::Mass(_) | Command::Statement(_) => {
            let text = "files are submitted, and statements read, without a request";
            return Err(Failure::Usage(text.into()));
        }
        Command::Report => Request::Report,
        Command::Snapshot => Request::Snapshot,
        Command::Stop => Request::Stop,
    })
}

fn participant_request(command: Participant, by: By) -> Request {
    match command {
        Participant::List => Request::Participants,
        Participant::Add {
            form,
            net_debit_cap,
        } => Request::ParticipantAdd {
            by,
            participant: form.form(),
            net_debit_cap,
        },
        Participant::Update { form } => Request::ParticipantUpdate {
            by,
            participant: form.form(),
        },
        Participant::State { code, state } => Request::ParticipantState { by, code, state },
        Participant::Mode {
            code,
            net_debit_cap,
        } => Request::ParticipantMode {
            by,
            code,
            net_debit_cap,
        },
        Participant::Successor { code, successor } => Request::ParticipantSuccessor {
            by,
            code,
            successor,
        },
    }
}

impl ParticipantArguments {
    fn form(self) -> ParticipantForm {
        ParticipantForm {
            code: self.code,
            name: self.name,
            bics: self.bics,
            bank_codes: self.bank_codes,
            services: (!self.services.is_empty()).then_some(self.services),
            sponsor: self.sponsor,
            technical_senders: self.technical_senders,
            floor: self.floor,
            ceiling: self.ceiling,
        }
    }
}

/// The directory commands of docs/wire.md; the operator names the bank for whom it acts.
fn directory_command(command: Directory) -> Value {
    let base = |name: &str, whose: &Whose| json!({ "command": name, "reference": "ctl", "bank": whose.bank, "phone": whose.phone, "person": whose.person });
    let with_entry = |name: &str, entry: &Entry| {
        let mut value = base(name, &entry.whose);
        value["iban"] = entry.iban.as_str().into();
        value["name"] = entry.name.as_str().into();
        value
    };
    match command {
        Directory::Register(entry) => with_entry("register", &entry),
        Directory::Change(entry) => with_entry("change", &entry),
        Directory::Remove { whose } => base("remove", &whose),
        Directory::Claim { whose, consent } => {
            let mut value = base("claim", &whose);
            value["consent"] = consent.into();
            value
        }
        Directory::Contest { whose } => base("contest", &whose),
        Directory::Release { phone, person } => {
            json!({ "command": "release", "reference": "ctl", "phone": phone, "person": person })
        }
        // Both are handled before: they are no commands of the wire.
        Directory::Show { phone } => json!({ "command": "show", "phone": phone }),
        Directory::Import { code, file } => {
            json!({ "command": "import", "bank": code, "file": file })
        }
    }
}
