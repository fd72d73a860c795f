//! `torap ctl dispute`: cases about settled payments.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use serde_json::Value;
use torap_domain::Uetr;
use torap_engine::disputes::ATTACHMENT_BYTES_MAX;

use super::super::{Ending, Failure, print_line};
use crate::control::{By, Client, Request};

#[derive(Debug, Subcommand)]
pub(super) enum Dispute {
    /// Open a case for the payer's or the card's bank; prints its number
    Open {
        /// Code of the payer's bank, or of the card's
        code: String,
        /// UETR of the settled payment; or a card transaction, as `card transaction` takes it, or POSITION/LINE of a presentment
        id: String,
        /// AC03, AM09, CUST, DUPL, FRAD, GOOD, NCRD or TECH; of a card transaction, a code of docs/disputes.md
        reason: String,
        /// What is claimed at once, in tenge; without it documents are asked for first
        #[arg(long)]
        claim: Option<String>,
    },
    /// A party acts: answer, claim, accept, represent, escalate, decline or withdraw
    Respond {
        case: u64,
        /// Code of the party
        code: String,
        action: String,
        /// In tenge; for claim, represent and escalate
        #[arg(long)]
        amount: Option<String>,
    },
    /// The operator rules how much of what was claimed is the claimant's
    Rule { case: u64, awarded: String },
    /// Add a document of a party
    Attach {
        case: u64,
        code: String,
        file: PathBuf,
    },
    /// A case with its steps and documents
    Show { case: u64 },
    /// Cases, oldest first, at most 1,000
    List {
        #[arg(long, value_name = "CODE")]
        participant: Option<String>,
        /// Only those that are not over
        #[arg(long)]
        open: bool,
    },
    /// Write a document of a case to a file
    Evidence {
        case: u64,
        /// As `show` numbers it
        number: usize,
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

impl Dispute {
    /// Whether a paper must order it.
    pub(super) fn moves_money(&self) -> bool {
        matches!(
            self,
            Dispute::Open { .. } | Dispute::Respond { .. } | Dispute::Rule { .. }
        )
    }
}

pub(super) fn request(command: Dispute, by: By) -> Result<Request, Failure> {
    Ok(match command {
        Dispute::Open {
            code,
            id,
            reason,
            claim,
        } if Uetr::parse(&id).is_ok() => Request::DisputeOpen {
            by,
            code,
            uetr: id,
            reason,
            claim,
        },
        Dispute::Open {
            code,
            id,
            reason,
            claim,
        } => Request::DisputeOpenCard {
            by,
            code,
            id,
            reason,
            claim,
        },
        Dispute::Respond {
            case,
            code,
            action,
            amount,
        } => Request::DisputeAct {
            by,
            case,
            code: Some(code),
            action,
            amount,
        },
        Dispute::Rule { case, awarded } => Request::DisputeAct {
            by,
            case,
            code: None,
            action: "rule".into(),
            amount: Some(awarded),
        },
        Dispute::Attach { case, code, file } => Request::DisputeAttach {
            by,
            case,
            code,
            name: file
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            content: content(&file)?,
        },
        Dispute::Show { case } => Request::Disputes {
            case: Some(case),
            code: None,
            open: false,
        },
        Dispute::List { participant, open } => Request::Disputes {
            case: None,
            code: participant,
            open,
        },
        Dispute::Evidence { case, number, .. } => Request::DisputeEvidence { case, number },
    })
}

/// Writes a document to a file.
pub(super) fn evidence(
    client: &mut Client,
    (case, number, out): (u64, usize, &Path),
) -> Result<Ending, Failure> {
    let answer = client.must(&Request::DisputeEvidence { case, number })?;
    let content = answer["content"].as_str().unwrap_or_default();
    let bytes = (0..content.len() / 2).map(|place| {
        let pair = content.get(place * 2..place * 2 + 2).unwrap_or_default();
        u8::from_str_radix(pair, 16).unwrap_or_default()
    });
    let bytes: Vec<u8> = bytes.collect();
    let at = |error| Failure::Failed(format!("{}: {error}", out.display()));
    std::fs::write(out, &bytes).map_err(at)?;
    let (name, hash) = (&answer["name"], &answer["hash"]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    print_line(&format!(
        "{} ({} bytes, BLAKE3 {})",
        text(name),
        bytes.len(),
        text(hash)
    ))?;
    Ok(Ending::Done)
}

fn content(path: &Path) -> Result<String, Failure> {
    let at = |error: String| Failure::Usage(format!("{}: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(|error| at(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(u64::from(ATTACHMENT_BYTES_MAX) + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| at(error.to_string()))?;
    if bytes.is_empty() || bytes.len() > ATTACHMENT_BYTES_MAX as usize {
        return Err(at(format!(
            "a document has 1 to {ATTACHMENT_BYTES_MAX} bytes"
        )));
    }
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
