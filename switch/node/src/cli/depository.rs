//! `torap depository`: a simulated securities depository.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Ending, Failure, ctl, print_line};
use crate::{
    control::{AncillaryChange, AncillaryShow, By, Client, DeliveryLeg, Refusal, Request},
    depository::{Block, Book, End, Standing, Step},
    folder::Folder,
};

/// Between two questions to the switch.
const ASK_EVERY: Duration = Duration::from_millis(100);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The book of holdings [default: DIR/depository.json]
    #[arg(long, value_name = "FILE", global = true)]
    book: Option<PathBuf>,
    /// Print one JSON line
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Holdings, blocks, and deliveries that have ended
    Show,
    /// New securities for a holder
    Issue {
        isin: String,
        holder: String,
        quantity: u64,
    },
    /// Block securities for a delivery against payment
    Block {
        reference: String,
        isin: String,
        quantity: u64,
        /// Codes of participants
        #[arg(long)]
        seller: String,
        #[arg(long)]
        buyer: String,
        /// In tenge
        #[arg(long)]
        amount: String,
        /// If the money has not settled by then, it never does: RFC 3339 with an offset
        #[arg(long, value_name = "TIME")]
        expires: String,
    },
    /// Hand the money sides of all blocks to the switch, and do with each block what the switch decides
    Settle {
        /// Ask once, and leave what waits
        #[arg(long)]
        once: bool,
    },
}

pub(super) fn run(folder: &Folder, arguments: Arguments) -> Result<Ending, Failure> {
    let path = arguments
        .book
        .unwrap_or_else(|| folder.root().join("depository.json"));
    let mut book = Book::load(&path).map_err(Failure::Usage)?;
    match arguments.command {
        Command::Show => {}
        Command::Issue {
            isin,
            holder,
            quantity,
        } => {
            book.issue(&isin, &holder, quantity)?;
            book.save(&path)?;
        }
        Command::Block {
            reference,
            isin,
            quantity,
            seller,
            buyer,
            amount,
            expires,
        } => {
            let block = Block {
                isin,
                quantity,
                seller,
                buyer,
                amount,
                expires,
            };
            book.block(&reference, block)?;
            book.save(&path)?;
        }
        Command::Settle { once } => {
            let mut client = Client::connect(&folder.control())?;
            loop {
                let references: Vec<String> = book.blocks.keys().cloned().collect();
                for reference in references {
                    settle(&mut client, &mut book, &path, &reference)?;
                }
                if once || book.blocks.is_empty() {
                    break;
                }
                std::thread::sleep(ASK_EVERY);
            }
        }
    }
    let shown = shown(&book);
    let text = if arguments.json {
        shown.to_string()
    } else {
        ctl::render(&shown)
    };
    print_line(text.trim_end())?;
    Ok(Ending::Done)
}

/// One step of a delivery. Whatever breaks here leaves the block as it is.
fn settle(
    client: &mut Client,
    book: &mut Book,
    path: &std::path::Path,
    reference: &str,
) -> Result<(), String> {
    let mut standing = standing(client, reference)?;
    if standing.step() == Step::Send
        && let Some(block) = book.blocks.get(reference)
    {
        standing = match client.ask(&deliver(reference, block))? {
            Ok(_) => self::standing(client, reference)?,
            Err(refusal) => refused(reference, &refusal),
        };
    }
    let end = match standing.step() {
        Step::Deliver => End::Delivered,
        Step::Release => End::Released,
        Step::Send | Step::Wait => return Ok(()),
    };
    book.end(reference, end)?;
    book.save(path)
}

fn refused(reference: &str, refusal: &Refusal) -> Standing {
    match refusal.rule.as_str() {
        "latest-time-passed" => Standing::TooLate,
        rule => {
            tracing::warn!(reference, rule, text = %refusal.text, "the switch refuses the delivery");
            Standing::Refused
        }
    }
}

fn by() -> By {
    By {
        operator: "depository".into(),
        reference: "delivery".into(),
    }
}

fn deliver(reference: &str, block: &Block) -> Request {
    Request::AncillaryChange {
        by: by(),
        change: AncillaryChange::Deliver {
            reference: reference.into(),
            legs: vec![DeliveryLeg {
                from: block.buyer.clone(),
                to: block.seller.clone(),
                amount: block.amount.clone(),
            }],
            expires: block.expires.clone(),
        },
    }
}

fn standing(client: &mut Client, reference: &str) -> Result<Standing, String> {
    let what = AncillaryShow::Deliveries {
        reference: Some(reference.into()),
    };
    let shown = client.must(&Request::Ancillary { what })?;
    Ok(match shown["deliveries"][0]["state"].as_str() {
        Some("waits") => Standing::Waits,
        Some("settled") => Standing::Settled,
        Some("ended") => Standing::Ended,
        _ => Standing::Unknown,
    })
}

fn shown(book: &Book) -> Value {
    let holdings = book.holdings.iter().flat_map(|(isin, of)| {
        of.iter()
            .map(move |(holder, free)| json!({ "isin": isin, "holder": holder, "free": free }))
    });
    let blocks = book.blocks.iter().map(|(reference, block)| {
        json!({
            "reference": reference,
            "isin": block.isin,
            "quantity": block.quantity,
            "seller": block.seller,
            "buyer": block.buyer,
            "amount": block.amount,
            "expires": block.expires,
        })
    });
    let done = book
        .done
        .iter()
        .map(|(reference, end)| json!({ "reference": reference, "end": end }));
    json!({
        "holdings": holdings.collect::<Vec<_>>(),
        "blocks": blocks.collect::<Vec<_>>(),
        "done": done.collect::<Vec<_>>(),
    })
}
