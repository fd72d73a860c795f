//! The whole state as bytes, in pieces.
//!
//! ```text
//! snapshot   magic "TPES" · version u16 (4) · chunks … · end chunk
//! chunk      tag u16 · length u32 · payload
//! end chunk  tag 0xFFFF · length 8 · digest of all payloads, u64
//! ```
//!
//! One chunk for each part of the state, in the order of [`Part`]; each of the two windows has one for its head and one for every
//! 4,096 entries. Versions 1 and 2 know no accounts in IMTS, version 3 no ancillary settlement; they are not read, and the log is then applied from its first record.
//! The part of the cards begins with the version of its own layout. Numbers are little-endian. The same state gives the same bytes, whatever way it came about, so that engines can be compared
//! by their digests; a digest is taken over the same payloads.

use std::fmt;

use torap_domain::ParticipantId;
use torap_ledger::{Ledger, LedgerDecodeError};

use crate::{
    Engine, Stamp, ancillary, approval, cards, clearing,
    codec::{FactsError, Reader, Writer},
    digest::StateDigest,
    directory, disputes,
    engine::State,
    instant, links, mass,
    participants::Participants,
    qr, reports, schedule, settlement, tariffs,
};

const MAGIC: [u8; 4] = *b"TPES";
const VERSION: u16 = 4;
const END: u16 = 0xFFFF;

/// Why bytes are not a snapshot of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotError {
    /// They do not begin with the magic.
    Magic,
    /// The layout is of a version that this binary does not read.
    Version { found: u16 },
    /// The frame of a chunk is broken, or chunks are missing or in another order.
    Frame { offset: usize },
    /// The payloads are not what was written.
    Digest,
    /// The accounts do not read or do not balance.
    Ledger(LedgerDecodeError),
    /// A part of the state does not follow its layout.
    Layout(FactsError),
    /// The parts do not agree: `rule` says on what.
    State { rule: &'static str },
}

/// The parts, in the order of their chunks; the tag is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
enum Part {
    Engine = 1,
    Ledger = 2,
    Participants = 3,
    Links = 4,
    Instant = 5,
    Directory = 6,
    Qr = 7,
    Schedule = 8,
    Window = 9,
    Cards = 10,
    CardWindow = 11,
    Settlement = 12,
    Clearing = 16,
    ClearingItems = 17,
    Ancillary = 24,
    Tariffs = 25,
    Mass = 26,
    Disputes = 27,
    CardKeys = 40,
    CardPresentments = 44,
    CardDisputes = 45,
    Reports = 48,
    Approval = 49,
    ClearingPurposes = 50,
    SettlementPayments = 51,
    MassPieces = 53,
    SettlementDay = 56,
    SettlementParties = 57,
}

impl Engine {
    /// Feeds a snapshot of the state to `sink`, in pieces of less than 1 MiB for the window and one for each other part.
    pub fn snapshot(&self, sink: &mut dyn FnMut(&[u8])) {
        let mut digest = StateDigest::new();
        let mut head = Vec::from(MAGIC);
        head.extend_from_slice(&VERSION.to_le_bytes());
        sink(&head);
        self.parts(&mut |part, payload| {
            digest.feed(payload);
            sink(&frame(part as u16, payload.len()));
            sink(payload);
        });
        sink(&frame(END, 8));
        sink(&digest.value().to_le_bytes());
    }

    /// Digest of the whole state. Reads everything: about a second for a full window.
    pub fn digest(&self) -> u64 {
        let mut digest = StateDigest::new();
        self.parts(&mut |_, payload| digest.feed(payload));
        digest.value()
    }

    /// The engine whose [`Engine::snapshot`] these bytes are. `seed` is that of [`Engine::seeded`], and need not be the one the
    /// snapshot was taken under.
    pub fn restore(bytes: &[u8], seed: u64) -> Result<Engine, SnapshotError> {
        let mut chunks = Chunks::open(bytes)?;
        let mut reader = chunks.part(Part::Engine)?;
        let head = (|| {
            let rules = reader.u32("rules")?;
            let bounds = reader.field("bounds")?;
            let position = reader.field("last position")?;
            let time = reader.field("last time")?;
            Ok((rules, bounds, Stamp { position, time }))
        })();
        let (rules, bounds, last) = head.map_err(SnapshotError::Layout)?;
        finish(reader)?;
        let ledger = chunks.payload(Part::Ledger)?;
        let (ledger, rest) = Ledger::decode(ledger).map_err(SnapshotError::Ledger)?;
        if !rest.is_empty() {
            return Err(SnapshotError::State {
                rule: "bytes after the ledger",
            });
        }
        let participants = chunks.read(Part::Participants, Participants::read)?;
        let links = chunks.read(Part::Links, links::State::read)?;
        let mut instant =
            chunks.read(Part::Instant, |reader| instant::State::read(reader, seed))?;
        let directory = chunks.read(Part::Directory, directory::State::read)?;
        let qr = chunks.read(Part::Qr, qr::State::read)?;
        let schedule = chunks.read(Part::Schedule, schedule::State::read)?;
        let window_bytes = chunks.bytes_of(Part::Window);
        chunks.read(Part::Window, |reader| {
            instant.payments.read_window(reader, window_bytes)
        })?;
        while chunks.next_is(Part::Window) {
            let mut reader = chunks.part(Part::Window)?;
            let read = instant.payments.read_entries(&mut reader);
            read.map_err(SnapshotError::Layout)?;
        }
        let mut cards = chunks.cards(seed)?;
        let mut settlement = chunks.read(Part::Settlement, settlement::State::read)?;
        let mut clearing = chunks.clearing(seed)?;
        let ancillary = chunks.read(Part::Ancillary, ancillary::State::read)?;
        let tariffs = if chunks.next_is(Part::Tariffs) {
            chunks.read(Part::Tariffs, tariffs::State::read)?
        } else {
            tariffs::State::new()
        };
        let mut mass = if chunks.next_is(Part::Mass) {
            chunks.read(Part::Mass, mass::State::read)?
        } else {
            mass::State::new()
        };
        let mut disputes = if chunks.next_is(Part::Disputes) {
            chunks.read(Part::Disputes, disputes::State::read)?
        } else {
            disputes::State::new()
        };
        if chunks.next_is(Part::CardKeys) {
            chunks.read(Part::CardKeys, |reader| cards.read_keys(reader))?;
        }
        if chunks.next_is(Part::CardPresentments) {
            chunks.read(Part::CardPresentments, |reader| {
                cards.read_presentments(reader)
            })?;
        }
        if chunks.next_is(Part::CardDisputes) {
            chunks.read(Part::CardDisputes, |reader| disputes.read_cards(reader))?;
        }
        let reports = if chunks.next_is(Part::Reports) {
            chunks.read(Part::Reports, reports::State::read)?
        } else {
            reports::State::new()
        };
        let approval = if chunks.next_is(Part::Approval) {
            chunks.read(Part::Approval, approval::State::read)?
        } else {
            approval::State::new()
        };
        if chunks.next_is(Part::ClearingPurposes) {
            clearing.purposes = chunks.read(Part::ClearingPurposes, clearing::Purposes::read)?;
        }
        if chunks.next_is(Part::SettlementPayments) {
            chunks.read(Part::SettlementPayments, |reader| {
                settlement.read_about(reader)
            })?;
        }
        if chunks.next_is(Part::MassPieces) {
            chunks.read(Part::MassPieces, |reader| mass.read_pieces(reader))?;
        }
        if chunks.next_is(Part::SettlementDay) {
            chunks.read(Part::SettlementDay, |reader| settlement.read_day(reader))?;
        }
        if chunks.next_is(Part::SettlementParties) {
            chunks.read(Part::SettlementParties, |reader| {
                settlement.read_parties(reader)
            })?;
        }
        chunks.close()?;
        let mut state = State {
            rules,
            bounds,
            last,
            ledger,
            participants,
            links,
            instant,
            directory,
            qr,
            schedule,
            cards,
            settlement,
            clearing,
            ancillary,
            tariffs,
            mass,
            disputes,
            reports,
            approval,
            facts_in: None,
        };
        clearing::calendar_restored(&mut state);
        state.check()?;
        Ok(Engine { state })
    }

    /// Hands over every payload of a snapshot with its part.
    fn parts(&self, each: &mut dyn FnMut(Part, &[u8])) {
        let state = &self.state;
        let mut scratch = Vec::new();
        let mut part = |part: Part, write: &dyn Fn(&mut Writer<'_>)| {
            scratch.clear();
            write(&mut Writer::new(&mut scratch));
            each(part, &scratch);
        };
        part(Part::Engine, &|writer| {
            writer.u32(state.rules);
            writer.put(&state.bounds);
            writer.put(&state.last.position);
            writer.put(&state.last.time);
        });
        part(Part::Ledger, &|writer| {
            let mut bytes = Vec::new();
            state.ledger.encode(&mut bytes);
            writer.bytes(&bytes);
        });
        part(Part::Participants, &|writer| {
            state.participants.write(writer)
        });
        part(Part::Links, &|writer| state.links.write(writer));
        part(Part::Instant, &|writer| state.instant.write(writer));
        part(Part::Directory, &|writer| state.directory.write(writer));
        part(Part::Qr, &|writer| state.qr.write(writer));
        part(Part::Schedule, &|writer| state.schedule.write(writer));
        let payments = &state.instant.payments;
        payments.write_window(&mut scratch, &mut |payload| each(Part::Window, payload));
        scratch.clear();
        state.cards.write(&mut Writer::new(&mut scratch));
        each(Part::Cards, &scratch);
        let cards = &state.cards;
        cards.write_window(&mut scratch, &mut |payload| each(Part::CardWindow, payload));
        scratch.clear();
        state.settlement.write(&mut Writer::new(&mut scratch));
        each(Part::Settlement, &scratch);
        scratch.clear();
        state.clearing.write(&mut Writer::new(&mut scratch));
        each(Part::Clearing, &scratch);
        let clearing = &state.clearing;
        clearing.write_items(&mut scratch, &mut |payload| {
            each(Part::ClearingItems, payload)
        });
        scratch.clear();
        state.ancillary.write(&mut Writer::new(&mut scratch));
        each(Part::Ancillary, &scratch);
        // A part that came later is written once there is something in it, so that snapshots from before can be read.
        if !state.tariffs.is_new() {
            scratch.clear();
            state.tariffs.write(&mut Writer::new(&mut scratch));
            each(Part::Tariffs, &scratch);
        }
        if !state.mass.is_new() {
            scratch.clear();
            state.mass.write(&mut Writer::new(&mut scratch));
            each(Part::Mass, &scratch);
        }
        if !state.disputes.is_new() {
            scratch.clear();
            state.disputes.write(&mut Writer::new(&mut scratch));
            each(Part::Disputes, &scratch);
        }
        if state.cards.has_keys() {
            scratch.clear();
            state.cards.write_keys(&mut Writer::new(&mut scratch));
            each(Part::CardKeys, &scratch);
        }
        if state.cards.has_presentments() {
            scratch.clear();
            state
                .cards
                .write_presentments(&mut Writer::new(&mut scratch));
            each(Part::CardPresentments, &scratch);
        }
        if !state.disputes.has_no_cards() {
            scratch.clear();
            state.disputes.write_cards(&mut Writer::new(&mut scratch));
            each(Part::CardDisputes, &scratch);
        }
        if !state.reports.is_new() {
            scratch.clear();
            state.reports.write(&mut Writer::new(&mut scratch));
            each(Part::Reports, &scratch);
        }
        if !state.approval.is_new() {
            scratch.clear();
            state.approval.write(&mut Writer::new(&mut scratch));
            each(Part::Approval, &scratch);
        }
        if !state.clearing.purposes.is_empty() {
            scratch.clear();
            let purposes = &state.clearing.purposes;
            purposes.write(&mut Writer::new(&mut scratch));
            each(Part::ClearingPurposes, &scratch);
        }
        if state.settlement.has_about() {
            scratch.clear();
            let settlement = &state.settlement;
            settlement.write_about(&mut Writer::new(&mut scratch));
            each(Part::SettlementPayments, &scratch);
        }
        if !state.mass.has_no_pieces() {
            scratch.clear();
            state.mass.write_pieces(&mut Writer::new(&mut scratch));
            each(Part::MassPieces, &scratch);
        }
        let settlement = &state.settlement;
        if settlement.has_day() {
            scratch.clear();
            settlement.write_day(&mut Writer::new(&mut scratch));
            each(Part::SettlementDay, &scratch);
        }
        if settlement.has_parties() {
            scratch.clear();
            settlement.write_parties(&mut Writer::new(&mut scratch));
            each(Part::SettlementParties, &scratch);
        }
    }
}

impl State {
    /// What one part says of another holds.
    fn check(&self) -> Result<(), SnapshotError> {
        let rule = |holds: bool, rule| {
            if holds {
                Ok(())
            } else {
                Err(SnapshotError::State { rule })
            }
        };
        rule(self.bounds.are_sound(), "the bounds are sound")?;
        let mirror = self.ledger.account(self.mirror());
        let owner = mirror.map(|account| account.key().owner);
        rule(
            owner == Some(ParticipantId::SWITCH),
            "there is a mirror account",
        )?;
        let accounts = self.participants.ids().all(|id| {
            let account = self.participants.account(id);
            account.is_some_and(|account| self.ledger.account(account).is_some())
        });
        rule(accounts, "every participant has an account")?;
        let settling = self
            .participants
            .ids()
            .all(|id| self.settlement_account(id).is_some());
        rule(settling, "every participant has a settlement account")?;
        rule(self.conservation().is_ok(), "the positions are backed")?;
        let links = self
            .participants
            .ids()
            .all(|id| self.links.get(id).is_some());
        rule(links, "every participant has a link")?;
        let held = self.instant.payments.held(&self.ledger);
        rule(held, "what is held is held for payments under way")?;
        let taken = |id| self.ancillary.taken(id);
        let agrees = self.cards.agrees(&self.ledger, &taken);
        rule(agrees, "the card accounts hold what the sessions count")?;
        let cleared = self.ledger.balance(self.clearing_technical()) == 0;
        rule(cleared, "the technical account of clearing is zero")?;
        let paid = self.card_technical_agrees();
        rule(
            paid,
            "the technical account of card nets holds what was paid",
        )
    }
}

/// The chunks of a snapshot whose frames and digest are right.
struct Chunks<'a> {
    reader: Reader<'a>,
    digest: StateDigest,
}

impl<'a> Chunks<'a> {
    fn open(bytes: &'a [u8]) -> Result<Chunks<'a>, SnapshotError> {
        let mut reader = Reader::new("snapshot", bytes);
        let magic: [u8; 4] = reader.array("magic").map_err(|_| SnapshotError::Magic)?;
        if magic != MAGIC {
            return Err(SnapshotError::Magic);
        }
        let found = reader.u16("version").map_err(SnapshotError::Layout)?;
        if found != VERSION {
            return Err(SnapshotError::Version { found });
        }
        Ok(Chunks {
            reader,
            digest: StateDigest::new(),
        })
    }

    /// The card rail.
    fn cards(&mut self, seed: u64) -> Result<cards::State, SnapshotError> {
        let mut cards = self.read(Part::Cards, |reader| cards::State::read(reader, seed))?;
        self.read(Part::CardWindow, |reader| cards.read_window(reader))?;
        while self.next_is(Part::CardWindow) {
            let mut reader = self.part(Part::CardWindow)?;
            let read = cards.read_entries(&mut reader);
            read.map_err(SnapshotError::Layout)?;
        }
        Ok(cards)
    }

    /// The clearing system, and its items piece by piece.
    fn clearing(&mut self, seed: u64) -> Result<clearing::State, SnapshotError> {
        let mut clearing =
            self.read(Part::Clearing, |reader| clearing::State::read(reader, seed))?;
        let items = self.read(Part::ClearingItems, |reader| reader.u32("clearing items"))?;
        while self.next_is(Part::ClearingItems) {
            let mut reader = self.part(Part::ClearingItems)?;
            let read = clearing.read_items(&mut reader);
            read.map_err(SnapshotError::Layout)?;
        }
        if u32::try_from(clearing.len()) != Ok(items) {
            let rule = "every item of the clearing system is there";
            return Err(SnapshotError::State { rule });
        }
        Ok(clearing)
    }

    fn next_is(&self, part: Part) -> bool {
        let mut ahead = self.reader.clone();
        ahead.u16("tag") == Ok(part as u16)
    }

    /// Bytes of the chunks of a part that come next, as far as they are there.
    fn bytes_of(&self, part: Part) -> usize {
        let mut ahead = self.reader.clone();
        let mut bytes: usize = 0;
        while ahead.u16("tag") == Ok(part as u16) {
            let length = ahead.u32("length").map_or(0, |length| length as usize);
            match ahead.bytes("payload", length) {
                Ok(payload) => bytes = bytes.saturating_add(payload.len()),
                Err(_) => break,
            }
        }
        bytes
    }

    fn payload(&mut self, part: Part) -> Result<&'a [u8], SnapshotError> {
        let payload = self.chunk(part as u16)?;
        self.digest.feed(payload);
        Ok(payload)
    }

    fn part(&mut self, part: Part) -> Result<Reader<'a>, SnapshotError> {
        Ok(Reader::new("snapshot", self.payload(part)?))
    }

    /// Reads the whole payload of a part.
    fn read<T>(
        &mut self,
        part: Part,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, FactsError>,
    ) -> Result<T, SnapshotError> {
        let mut reader = self.part(part)?;
        let value = read(&mut reader).map_err(SnapshotError::Layout)?;
        finish(reader)?;
        Ok(value)
    }

    fn close(mut self) -> Result<(), SnapshotError> {
        let payload = self.chunk(END)?;
        let stated = Reader::new("snapshot", payload)
            .u64("digest")
            .map_err(SnapshotError::Layout)?;
        if stated != self.digest.value() {
            return Err(SnapshotError::Digest);
        }
        finish(self.reader)
    }

    fn chunk(&mut self, tag: u16) -> Result<&'a [u8], SnapshotError> {
        let offset = self.reader.offset();
        let broken = SnapshotError::Frame { offset };
        let found = self.reader.u16("tag").map_err(|_| broken)?;
        let length = self.reader.u32("length").map_err(|_| broken)?;
        if found != tag {
            return Err(broken);
        }
        let payload = self.reader.bytes("payload", length as usize);
        payload.map_err(|_| broken)
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SnapshotError::Magic => {
                formatter.write_str("not an engine snapshot: it does not begin with TPES")
            }
            SnapshotError::Version { found } => write!(
                formatter,
                "engine snapshot of version {found}; this binary reads version {VERSION}"
            ),
            SnapshotError::Frame { offset } => write!(
                formatter,
                "the chunk at byte {offset} is cut off or not the one that follows"
            ),
            SnapshotError::Digest => {
                formatter.write_str("the snapshot's digest is not that of its content")
            }
            SnapshotError::Ledger(error) => write!(formatter, "ledger: {error}"),
            SnapshotError::Layout(error) => error.fmt(formatter),
            SnapshotError::State { rule } => write!(formatter, "it does not hold that {rule}"),
        }
    }
}

impl std::error::Error for SnapshotError {}

fn finish(reader: Reader<'_>) -> Result<(), SnapshotError> {
    reader.finish().map_err(SnapshotError::Layout)
}

/// Tag and length of a chunk. No payload comes near 4 GiB: the largest part besides the window is bounded by its entries.
fn frame(tag: u16, length: usize) -> [u8; 6] {
    let [t0, t1] = tag.to_le_bytes();
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    let [l0, l1, l2, l3] = length.to_le_bytes();
    [t0, t1, l0, l1, l2, l3]
}

#[cfg(test)]
mod tests;
