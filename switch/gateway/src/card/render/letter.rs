//! What waits in a participant's queue until it is acknowledged: advices, reversals, messages of other participants, and what the switch
//! itself has to say. All of it is written from the log, perhaps days after the message it is about.

use torap_domain::{Date, Money, ParticipantId, card::ApprovalCode};
use torap_engine::cards::{AdvisedBy, Class, Command, Letter, ReversalCause, Trace, Transaction};
use torap_iso8583::{Dialect, FieldSet, Key, Layout, Mask, Message, Step};

use super::edits::{Edits, digits};
use super::request::{allowed, mti_of};
use super::switch_data::{SwitchData, settlement_day};
use super::{Context, Record, RenderError, Scratch, image};
use crate::card::evidence::Evidence;
use crate::card::vault::ClearPan;

/// Fields that the log does not keep and that therefore no later message has.
const NOT_KEPT: FieldSet = FieldSet::of(&[35, 36, 45, 52, 53, 110]);
/// Tags of DE48 that the log does not keep.
const TAGS_NOT_KEPT: [&[u8]; 4] = [b"AV", b"CV", b"TC", b"TK"];
const APPROVED: &[u8] = b"00";
/// DE39 of a reversal: the switch never counted the original, or the acquirer took it back.
const NEVER_COUNTED: &[u8] = b"68";
const REVERSED_BY_ACQUIRER: &[u8] = b"17";
const FULL_REVERSAL: &[u8] = b"400";
const PARTIAL_REVERSAL: &[u8] = b"401";

/// What an advice says beside its original.
struct Advised {
    class: Class,
    about: Option<Trace>,
    amount: Money,
    approval: Option<ApprovalCode>,
    by: AdvisedBy,
    session: Date,
}

/// What a reversal says beside its original.
struct Reversed {
    class: Class,
    about: Trace,
    amount: Money,
    stands: Money,
    cause: ReversalCause,
    session: Date,
}

/// What an advice from a line of a presentment file says otherwise than its original: the line was no message itself.
struct Presented {
    /// DE3
    processing: Option<[u8; 6]>,
    /// DE24
    function: Option<&'static [u8]>,
}

impl Presented {
    fn of(advised: &Advised, authorised: &Transaction, base: &Message<'_>) -> Presented {
        let mut presented = Presented {
            processing: None,
            function: None,
        };
        match advised.by {
            AdvisedBy::Presentment => {
                let names_it = advised.about.is_some() && advised.approval.is_some();
                presented.function = Some(match names_it {
                    true if advised.amount == authorised.amount => b"201",
                    true => b"202",
                    false => b"203",
                });
            }
            AdvisedBy::Refund => {
                // The accounts of the purchase; only the kind of transaction is another.
                let mut code = *b"200000";
                let accounts = base.get(3).and_then(|code| code.get(2..));
                for (to, from) in code.iter_mut().skip(2).zip(accounts.unwrap_or_default()) {
                    *to = *from;
                }
                presented.processing = Some(code);
                presented.function = Some(b"200");
            }
            AdvisedBy::StandInUnavailable
            | AdvisedBy::StandInSilent
            | AdvisedBy::Offline
            | AdvisedBy::Completion => {}
        }
        presented
    }
}

impl Context<'_> {
    pub(super) fn write_letter(
        &self,
        letter: &Letter,
        trace: Trace,
        repeat: bool,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<(), RenderError> {
        let repeat = u16::from(repeat);
        match *letter {
            Letter::Advice {
                original,
                class,
                about,
                amount,
                approval,
                by,
                session,
            } => {
                let advised = Advised {
                    class,
                    about,
                    amount,
                    approval,
                    by,
                    session,
                };
                let mut data = SwitchData::begin(&mut scratch.switch);
                data.reference(original).session(session);
                self.write_advice(&advised, trace, repeat, scratch, out)
            }
            Letter::Reversal {
                original,
                class,
                about,
                amount,
                stands,
                cause,
                session,
                ..
            } => {
                let reversed = Reversed {
                    class,
                    about,
                    amount,
                    stands,
                    cause,
                    session,
                };
                let mut data = SwitchData::begin(&mut scratch.switch);
                data.reference(original).session(session);
                self.write_reversal(&reversed, trace, repeat, scratch, out)
            }
            Letter::Administrative { original, .. } => {
                let mut data = SwitchData::begin(&mut scratch.switch);
                data.reference(original);
                self.write_administrative(trace, repeat, scratch, out)
            }
            Letter::Notice(notice) => self.write_notice(&notice, trace, repeat, scratch, out),
            Letter::CutOver { session } => self.write_cut_over(session, trace, scratch, out),
            Letter::KeyHandedOver { set, of } => {
                self.write_key_handed_over(set, of, trace, scratch, out)
            }
            Letter::KeyInUse { set } => self.write_key_in_use(set, trace, out),
            // Sent as totals of their own, with the sums that they had when they were closed.
            Letter::Totals { .. } => Err(RenderError::Mismatch),
        }
    }

    fn write_advice(
        &self,
        advised: &Advised,
        trace: Trace,
        repeat: u16,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<(), RenderError> {
        let record = self.original()?;
        let (participant, transaction) = transaction(&record)?;
        let evidence = record.evidence()?;
        let base = image(&evidence)?;
        let card = self.card(&evidence, transaction)?;
        let mark = match advised.by {
            AdvisedBy::StandInUnavailable => Some(b"01".as_slice()),
            AdvisedBy::StandInSilent => Some(b"03".as_slice()),
            AdvisedBy::Offline
            | AdvisedBy::Completion
            | AdvisedBy::Presentment
            | AdvisedBy::Refund => None,
        };
        let presented = Presented::of(advised, transaction, &base);
        self.describe(participant, transaction, &mut scratch.switch);
        additional(&base, mark, &mut scratch.additional)?;
        let has_chip = chip(&base, &mut scratch.chip);
        let amount = digits::<12>(advised.amount.minor());
        let approval = advised.approval.map(|code| code.bytes());
        let head = Head::new(self, trace, advised.session);
        let security = self.security(None);
        // The issuer knows an authorisation by the switch's trace, not by the acquirer's.
        let elements = advised
            .about
            .map(|about| self.original_elements(Class::Authorisation, about, &base));

        let mut edits = Edits::new();
        edits
            .set(2, card.digits())
            .set_if(3, presented.processing.as_ref().map(|code| code.as_slice()))
            .set(4, &amount)
            .set(7, &head.transmitted)
            .set(11, &head.stan)
            .set(15, &head.day)
            .set_if(24, presented.function)
            .set(33, head.switch.as_bytes())
            .set_if(38, approval.as_ref().map(|code| code.as_slice()))
            .set(39, APPROVED)
            .set(48, &scratch.additional)
            .set_if(53, security.as_ref().map(|field| field.as_slice()))
            .set_if(55, has_chip.then_some(scratch.chip.as_slice()))
            .set(63, &scratch.switch)
            .set_if(90, elements.as_ref().map(|field| field.as_slice()));
        let mti = mti_of(match advised.class {
            Class::Authorisation => 120 + repeat,
            Class::Financial => 220 + repeat,
        })?;
        let keep = allowed(mti, Step::ToIssuer)?.difference(without(has_chip));
        edits.splice(&base, mti, keep, self.mac.is_some(), out)?;
        Ok(())
    }

    fn write_reversal(
        &self,
        reversed: &Reversed,
        trace: Trace,
        repeat: u16,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<(), RenderError> {
        let record = self.original()?;
        let (participant, transaction) = transaction(&record)?;
        let evidence = record.evidence()?;
        let base = image(&evidence)?;
        let card = self.card(&evidence, transaction)?;
        self.describe(participant, transaction, &mut scratch.switch);
        additional(&base, None, &mut scratch.additional)?;
        let has_chip = chip(&base, &mut scratch.chip);
        let amount = digits::<12>(reversed.amount.minor());
        let head = Head::new(self, trace, reversed.session);
        let security = self.security(None);
        let elements = self.original_elements(reversed.class, reversed.about, &base);
        let replacement = replacement(reversed.stands);
        let is_partial = !reversed.stands.is_zero();
        let code = match reversed.cause {
            ReversalCause::Acquirer => REVERSED_BY_ACQUIRER,
            ReversalCause::Silent
            | ReversalCause::TooLate
            | ReversalCause::Unverifiable
            | ReversalCause::PartialUnusable
            | ReversalCause::Restarted
            | ReversalCause::Cancelled => NEVER_COUNTED,
        };

        let mut edits = Edits::new();
        edits
            .set(2, card.digits())
            .set(4, &amount)
            .set(7, &head.transmitted)
            .set(11, &head.stan)
            .set(15, &head.day)
            .set(
                24,
                if is_partial {
                    PARTIAL_REVERSAL
                } else {
                    FULL_REVERSAL
                },
            )
            .set(33, head.switch.as_bytes())
            .set(39, code)
            .set(48, &scratch.additional)
            .set_if(53, security.as_ref().map(|field| field.as_slice()))
            .set_if(55, has_chip.then_some(scratch.chip.as_slice()))
            .set(63, &scratch.switch)
            .set(90, &elements)
            .set_if(95, is_partial.then_some(replacement.as_slice()));
        let mti = mti_of(420 + repeat)?;
        let keep = allowed(mti, Step::ToIssuer)?.difference(without(has_chip).with(95));
        edits.splice(&base, mti, keep, self.mac.is_some(), out)?;
        Ok(())
    }

    fn write_administrative(
        &self,
        trace: Trace,
        repeat: u16,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<(), RenderError> {
        let record = self.original()?;
        let Command::Administrative(message) = record.command else {
            return Err(RenderError::Mismatch);
        };
        let evidence = record.evidence()?;
        let base = image(&evidence)?;
        if let Some(sender) = self.network.member(message.origin.participant) {
            SwitchData::go_on(&mut scratch.switch).participant(b"005", sender.code.as_str());
        }
        let transmitted = digits::<10>(u64::from(trace.transmitted.value()));
        let stan = digits::<6>(u64::from(trace.stan.value()));
        let switch = self.network.switch.to_string();
        let security = self.security(None);
        let mut edits = Edits::new();
        edits
            .set(7, &transmitted)
            .set(11, &stan)
            .set(33, switch.as_bytes())
            .set_if(53, security.as_ref().map(|field| field.as_slice()))
            .set(63, &scratch.switch);
        let mti = mti_of(620 + repeat)?;
        // The log keeps no whole card number of such a message.
        let keep = allowed(mti, Step::ToParticipant)?.difference(FieldSet::of(&[2, 53]));
        edits.splice(&base, mti, keep, self.mac.is_some(), out)?;
        Ok(())
    }

    /// The whole card number of a record.
    fn card(
        &self,
        evidence: &Evidence<'_>,
        transaction: &Transaction,
    ) -> Result<ClearPan, RenderError> {
        evidence
            .sealed
            .and_then(|sealed| self.vault.open(sealed, transaction.card.hash))
            .ok_or(RenderError::NoCard)
    }

    /// DE63: issuer, acquirer, and the acquirer's trace number, behind what stands there already.
    fn describe(&self, acquirer: ParticipantId, transaction: &Transaction, out: &mut Vec<u8>) {
        let mut data = SwitchData::go_on(out);
        let route = transaction.route;
        if let Some(range) = route.and_then(|route| self.network.bins.range(route))
            && let Some(issuer) = self.network.member(range.issuer)
        {
            data.participant(b"004", issuer.code.as_str());
        }
        if let Some(acquirer) = self.network.member(acquirer) {
            data.participant(b"005", acquirer.code.as_str());
        }
        data.acquirer_stan(transaction.references.trace.stan.value());
    }

    /// DE90: how the issuer knows the original, by the trace that the switch gave it.
    fn original_elements(&self, class: Class, about: Trace, base: &Message<'_>) -> [u8; 42] {
        let mut elements = [b'0'; 42];
        let class = match class {
            Class::Authorisation => b"0100",
            Class::Financial => b"0200",
        };
        let acquirer = digits::<11>(base.number(32).unwrap_or_default());
        let switch = self.network.switch.to_string();
        let switch = digits::<11>(switch.parse().unwrap_or_default());
        let stan = digits::<6>(u64::from(about.stan.value()));
        let transmitted = digits::<10>(u64::from(about.transmitted.value()));
        let parts: [&[u8]; 5] = [class, &stan, &transmitted, &acquirer, &switch];
        let bytes = parts.into_iter().flatten();
        for (to, from) in elements.iter_mut().zip(bytes) {
            *to = *from;
        }
        elements
    }
}

/// The fields that every letter to an issuer has anew.
struct Head {
    transmitted: [u8; 10],
    stan: [u8; 6],
    day: [u8; 4],
    switch: String,
}

impl Head {
    fn new(context: &Context<'_>, trace: Trace, session: Date) -> Head {
        Head {
            transmitted: digits(u64::from(trace.transmitted.value())),
            stan: digits(u64::from(trace.stan.value())),
            day: settlement_day(session),
            switch: context.network.switch.to_string(),
        }
    }
}

fn without(has_chip: bool) -> FieldSet {
    if has_chip {
        NOT_KEPT
    } else {
        NOT_KEPT.with(55)
    }
}

/// The request or advice that a letter is about, and whose it is.
fn transaction<'r>(record: &Record<'r>) -> Result<(ParticipantId, &'r Transaction), RenderError> {
    match record.command {
        Command::Request(request) => Ok((request.origin.participant, &request.transaction)),
        Command::Advice(advice) => Ok((advice.origin.participant, &advice.transaction)),
        _ => Err(RenderError::Mismatch),
    }
}

/// DE48 without what the log does not keep, and with the mark of stand-in.
fn additional(
    base: &Message<'_>,
    stand_in: Option<&[u8]>,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    out.clear();
    let [a, b, c, d] = TAGS_NOT_KEPT;
    let tags = [
        (a, None),
        (b, None),
        (c, None),
        (d, None),
        (b"SI".as_slice(), stand_in),
    ];
    base.splice_tags(48, &tags, out)?;
    Ok(())
}

/// DE55 without the objects that the log does not keep; false if nothing is left.
fn chip(base: &Message<'_>, out: &mut Vec<u8>) -> bool {
    out.clear();
    let (Some(value), Some(objects)) = (base.get(55), base.tlv(55)) else {
        return false;
    };
    let mut from = 0;
    for object in objects {
        let Ok(object) = object else {
            return false;
        };
        let end = object.offset + object.value.len();
        if !is_masked(object.tag) {
            out.extend_from_slice(value.get(from..end).unwrap_or_default());
        }
        from = end;
    }
    !out.is_empty()
}

/// Whether the log hides an object of chip data.
fn is_masked(tag: u32) -> bool {
    let layout = Dialect::national()
        .field(55)
        .and_then(|row| row.layout.as_ref());
    let row = layout.and_then(|layout: &Layout| layout.row(Key::Binary(tag)));
    row.is_some_and(|row| row.mask != Mask::Open)
}

/// DE95: the amount that is to stand.
fn replacement(stands: Money) -> [u8; 42] {
    let mut field = [b'0'; 42];
    if let Some(amount) = field.first_chunk_mut::<12>() {
        *amount = digits(stands.minor());
    }
    for sign in [24, 33] {
        if let Some(place) = field.get_mut(sign) {
            *place = b'C';
        }
    }
    field
}
