//! Files of instant payments: the operator's tool on one side, and on the other what the program does with a piece, step by step.
//!
//! The counterpart of the program's door for such files: a piece is named in the log, and then each of its lines is handed in; a piece
//! that is submitted again hands in only what is not known yet. A process that ends forgets it, and the tool submits the piece again.

use std::collections::BTreeMap;

use torap_bank::customer;
use torap_core::{Intake, Secrets};
use torap_domain::{ParticipantId, Position, Reason, Sequence, TransactionId};
use torap_engine::{
    Command, Outcome, Source,
    clearing::Piece,
    instant::{self, CreditTransfer},
    mass::{self, Line},
};
use torap_gateway::{
    translate::{Inbound, Translator, file_key},
    wire::ContentType,
};
use torap_index::Index;
use torap_iso20022::{
    view::{BusinessHeader, CreditTransfer as Written, Party, PersonNumber, TransferService},
    write::{self, Carried},
};

use super::{Turn, operator};
use crate::{
    draw::{Draw, uetr_of},
    host::Host,
    node::{Decision, Node},
    plan::{MILLI, SWITCH_BIC},
};

/// Lines of a piece and pieces of a file, at most.
const LINES_MAX: u64 = 14;
const PIECES_MAX: u64 = 4;
/// How often a line is handed in for which there is no room, and how long between.
const TRIES_MAX: u32 = 20;
const TRY_AGAIN_AFTER: u64 = 250 * MILLI;

/// A line of a file.
#[derive(Clone, Debug)]
struct Wanted {
    transaction_id: String,
    uetr: String,
    payer: u32,
    /// The payee's bank and its customer.
    to: usize,
    payee: u32,
    tiyn: u64,
}

/// The tool that submits a file, piece by piece.
#[derive(Debug)]
struct Tool {
    bank: usize,
    file: String,
    pieces: Vec<Vec<Wanted>>,
    at: usize,
}

/// A piece on its way in; lost with the process.
#[derive(Debug)]
struct Door {
    number: usize,
    state: State,
    again: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The piece is on its way into the log.
    Naming {
        ticket: u64,
    },
    /// It is there; the read side has to come so far.
    Following {
        position: Position,
    },
    /// The next line to be looked at, and when.
    Next {
        line: usize,
        tries: u32,
        at: u64,
    },
    Paying {
        line: usize,
        tries: u32,
        ticket: u64,
    },
    Done,
}

/// All files of a run.
pub(crate) struct Mass {
    draw: Draw,
    translator: Translator,
    tool: Option<Tool>,
    doors: Vec<Door>,
    files: u64,
    /// Lines that were refused before they became payments, by UETR: the last reason.
    pub(crate) refused: BTreeMap<String, Reason>,
    /// Pieces that were submitted a second time.
    pub(crate) again: u64,
}

impl Mass {
    pub(super) fn new(draw: Draw) -> Mass {
        Mass {
            draw,
            translator: Translator::new(),
            tool: None,
            doors: Vec::new(),
            files: 0,
            refused: BTreeMap::new(),
            again: 0,
        }
    }

    pub(super) fn is_busy(&self) -> bool {
        self.tool.is_some()
    }

    /// A new file, unless one is going in; then sometimes its piece is submitted by a second tool.
    pub(super) fn begin(&mut self, turn: &mut Turn<'_>) {
        if let Some(tool) = &self.tool {
            let twice = self.doors.len() == 1 && self.draw.chance(500);
            if twice {
                let ticket = turn.node.ask(submit(tool));
                self.open_door(ticket);
            }
            return;
        }
        self.files += 1;
        let bank = self.draw.index(turn.hosts.len());
        let mut number = 0;
        let pieces = (0..self.draw.range(1, PIECES_MAX))
            .map(|_| {
                (0..self.draw.range(1, LINES_MAX))
                    .map(|_| {
                        number += 1;
                        let other = 1 + self.draw.index(turn.hosts.len() - 1);
                        Wanted {
                            transaction_id: format!("SAL-{}-{number}", self.files),
                            uetr: uetr_of(self.draw.next()).to_string(),
                            payer: self.draw.range(1, u64::from(turn.plan.customers)) as u32,
                            to: (bank + other) % turn.hosts.len(),
                            payee: self.draw.range(1, u64::from(turn.plan.customers)) as u32,
                            tiyn: self.draw.range(1, turn.plan.amount_max),
                        }
                    })
                    .collect()
            })
            .collect();
        self.tool = Some(Tool {
            bank,
            file: format!("FILE-{}", self.files),
            pieces,
            at: 0,
        });
    }

    fn open_door(&mut self, ticket: u64) {
        let number = self.tool.as_ref().map_or(0, |tool| tool.at);
        self.doors.push(Door {
            number,
            state: State::Naming { ticket },
            again: false,
        });
    }

    /// The core has decided something that a door waits for.
    pub(super) fn decided(&mut self, decision: Decision, now: u64) {
        for door in &mut self.doors {
            match door.state {
                State::Naming { ticket } if ticket == decision.ticket => {
                    door.again = decision.outcome == Outcome::AlreadyApplied;
                    self.again += u64::from(door.again);
                    door.state = match decision.outcome {
                        // Another tool has brought the file further: this one ends.
                        Outcome::Refused(_) => State::Done,
                        _ => State::Following {
                            position: decision.position,
                        },
                    };
                }
                State::Paying {
                    line,
                    tries,
                    ticket,
                } if ticket == decision.ticket => {
                    door.state = self.tool.as_ref().map_or(State::Done, |tool| {
                        let wanted = &tool.pieces[door.number][line];
                        match decision.outcome {
                            Outcome::Refused(reason) if may_pass(reason) && tries < TRIES_MAX => {
                                State::Next {
                                    line,
                                    tries: tries + 1,
                                    at: now + TRY_AGAIN_AFTER,
                                }
                            }
                            outcome => {
                                if let Outcome::Refused(reason) = outcome {
                                    self.refused.insert(wanted.uetr.clone(), reason);
                                }
                                State::Next {
                                    line: line + 1,
                                    tries: 0,
                                    at: now,
                                }
                            }
                        }
                    });
                }
                _ => {}
            }
        }
    }

    /// Goes on with what can go on. True if the core got something.
    pub(super) fn work(
        &mut self,
        node: &mut Node,
        hosts: &[Host],
        (now, wall): (u64, u64),
    ) -> Result<bool, String> {
        let Some(tool) = &mut self.tool else {
            return Ok(false);
        };
        let mut told = false;
        let finished = self.doors.iter().any(|door| door.state == State::Done);
        let running = self.doors.iter().any(|door| door.state != State::Done);
        if finished && !running {
            self.doors.clear();
            tool.at += 1;
            if tool.at == tool.pieces.len() {
                self.tool = None;
                return Ok(false);
            }
        }
        if self.doors.is_empty() {
            let ticket = node.ask(submit(tool));
            self.doors.push(Door {
                number: tool.at,
                state: State::Naming { ticket },
                again: false,
            });
            told = true;
        }
        for door in &mut self.doors {
            if let State::Following { position } = door.state
                && node.follower().applied_upto() >= position
            {
                let at = now;
                door.state = State::Next {
                    line: 0,
                    tries: 0,
                    at,
                };
            }
            while let State::Next { line, tries, at } = door.state
                && at <= now
            {
                let Some(wanted) = tool.pieces[door.number].get(line) else {
                    door.state = State::Done;
                    break;
                };
                if door.again && tries == 0 && is_known(node, tool.bank, wanted)? {
                    door.state = State::Next {
                        line: line + 1,
                        tries: 0,
                        at,
                    };
                    continue;
                }
                let intake = payment(&mut self.translator, node, hosts, (tool.bank, wanted), wall)?;
                let ticket = node.ask_with(intake);
                door.state = State::Paying {
                    line,
                    tries,
                    ticket,
                };
                told = true;
            }
        }
        Ok(told)
    }

    /// The program has ended: the tool tries its piece again once there is a new one.
    pub(super) fn process_ends(&mut self) {
        self.doors.clear();
    }
}

/// Reasons that pass with time.
fn may_pass(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Overloaded
            | Reason::RetryLater
            | Reason::CustomerTableFull
            | Reason::InFlightFull
            | Reason::InternalLimit
    )
}

fn submit(tool: &Tool) -> Command {
    let participant = ParticipantId::new(tool.bank as u16 + 1);
    let lines = tool.pieces[tool.at].iter().filter_map(|line| {
        Some(Line {
            key: torap_gateway::translate::payment_key(participant, &line.transaction_id),
            uetr: torap_domain::Uetr::parse(&line.uetr).ok()?,
        })
    });
    Command::Mass(mass::Command::Submit(mass::Submit {
        source: source(),
        participant,
        piece: Piece {
            file: file_key(participant, &tool.file),
            number: tool.at as u32 + 1,
            last: tool.at + 1 == tool.pieces.len(),
        },
        lines: lines.collect(),
    }))
}

fn source() -> Source {
    operator("berik", "salaries")
}

/// Whether a line is a payment already, by the read side and beyond its window by the index.
fn is_known(node: &Node, bank: usize, line: &Wanted) -> Result<bool, String> {
    let participant = ParticipantId::new(bank as u16 + 1);
    let key = torap_gateway::translate::payment_key(participant, &line.transaction_id);
    let uetr = torap_domain::Uetr::parse(&line.uetr).map_err(|error| error.to_string())?;
    let engine = node.follower().engine();
    if let Some(finished) = engine.find(&key) {
        return Ok(finished.uetr == uetr);
    }
    if let Some(under_way) = engine.under_way_by_key(&key) {
        return Ok(under_way.uetr == uetr);
    }
    let found = node.lookups.index.payment_by_key(&key);
    let found = found.map_err(|error| error.to_string())?.value;
    Ok(found.is_some_and(|finished| finished.uetr == uetr))
}

/// The payment that a line becomes, with the message that it would have come as.
fn payment(
    translator: &mut Translator,
    node: &Node,
    hosts: &[Host],
    (bank, line): (usize, &Wanted),
    wall: u64,
) -> Result<Intake, String> {
    let (from, to) = (&hosts[bank], &hosts[line.to]);
    let (payer, payee) = (
        customer(from.bank_code, line.payer),
        customer(to.bank_code, line.payee),
    );
    let numbers = [payer.person.to_string(), payee.person.to_string()];
    let party = |name: &'static str, number| Party {
        name: Some(name.into()),
        number: Some(PersonNumber::Iin(number)),
        phone: None,
    };
    TransactionId::parse(&line.transaction_id).map_err(|error| error.to_string())?;
    let transfer = Written {
        message_id: &line.transaction_id,
        created_ns: wall,
        settlement_date: None,
        service: TransferService::C2cAccount,
        instructing_agent: from.bic.as_str(),
        instructed_agent: None,
        instruction_id: None,
        end_to_end_id: "NOTPROVIDED",
        transaction_id: &line.transaction_id,
        uetr: &line.uetr,
        resolution_id: None,
        tiyn: line.tiyn,
        accepted_ns: wall,
        debtor: party("EMPLOYER", &numbers[0]),
        debtor_iban: payer.iban.as_str(),
        debtor_agent: from.bic.as_str(),
        creditor_agent: to.bic.as_str(),
        creditor: party("WORKER", &numbers[1]),
        creditor_iban: Some(payee.iban.as_str()),
        creditor_phone: None,
        knp: "311",
        kod: None,
        kbe: None,
        qr_id: None,
        remittance: None,
    };
    let header = BusinessHeader {
        from: from.bic.as_str(),
        to: SWITCH_BIC,
        message_id: &line.transaction_id,
        service: None,
        created_ns: wall,
        possible_duplicate: false,
    };
    let carried = Carried {
        instant_service_level: true,
        ..Carried::default()
    };
    let mut body = Vec::with_capacity(4096);
    write::credit_transfer(&mut body, Some(&header), &transfer, &carried);
    translated(translator, node, bank, bytes::Bytes::from(body))
}

/// As the program's door has it: the translation of a bank's own message, handed in by the operator.
fn translated(
    translator: &mut Translator,
    node: &Node,
    bank: usize,
    body: bytes::Bytes,
) -> Result<Intake, String> {
    let inbound = Inbound {
        participant: ParticipantId::new(bank as u16 + 1),
        sequence: Sequence::ZERO,
        content_type: ContentType::Iso20022Xml,
        body: &body,
    };
    let network = node.network();
    let translated = translator.translate(inbound, &network, &node.lookups, false);
    match translated.command {
        Command::Instant(instant::Command::CreditTransfer(transfer)) => Ok(Intake {
            command: Command::Instant(instant::Command::CreditTransfer(CreditTransfer {
                source: source(),
                ..transfer
            })),
            evidence: body,
            secrets: Secrets::NONE,
            ticket: None,
        }),
        other => Err(format!("a line of a file is no payment: {other:?}")),
    }
}

/// What the log says of files.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) lines: BTreeMap<torap_domain::Uetr, (ParticipantId, instant::PaymentKey)>,
    /// Money that lines moved from their payers' positions, in tiyn.
    pub(super) paid: BTreeMap<ParticipantId, i128>,
    settled: u64,
}

impl Files {
    pub(super) fn record(
        &mut self,
        (command, outcome): (&Command, Outcome),
        events: &[torap_engine::Event],
    ) {
        if let Command::Mass(mass::Command::Submit(submit)) = command
            && outcome == Outcome::Accepted
        {
            for line in &submit.lines {
                self.lines.insert(line.uetr, (submit.participant, line.key));
            }
        }
        for event in events {
            if let torap_engine::Event::PaymentFinished(finished) = event
                && finished.outcome == instant::FinalOutcome::Settled
                && let Some((participant, _)) = self.lines.get(&finished.uetr)
            {
                *self.paid.entry(*participant).or_default() += i128::from(finished.amount.minor());
                self.settled += 1;
            }
        }
    }

    pub(super) fn counts(&self) -> (u64, u64) {
        (self.lines.len() as u64, self.settled)
    }

    /// Each line of each file that was taken has one outcome, or was refused before it became a payment.
    pub(super) fn check(
        &self,
        mass: Option<&Mass>,
        outcomes: impl Fn(&instant::PaymentKey) -> usize,
    ) -> Result<(), String> {
        for (uetr, (_, key)) in &self.lines {
            let (count, refused) = (
                outcomes(key),
                mass.is_some_and(|mass| mass.refused.contains_key(&uetr.to_string())),
            );
            if count != 1 && !(count == 0 && refused) {
                return Err(format!(
                    "line {uetr} of a file of payments has {count} outcomes, and was refused: {refused}"
                ));
            }
        }
        Ok(())
    }
}
