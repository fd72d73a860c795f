//! 0100 and 0200 to an issuer, and the enquiry to a scheme before it: the acquirer's message with a few fields changed.

use torap_engine::cards::{Class, Command, Enrichment, Message as Outgoing, Request, Trace};
use torap_iso8583::{Dialect, FieldSet, Key, Message, Mti, Step};

use super::edits::{Edits, digits};
use super::switch_data::{SwitchData, settlement_day};
use super::{Context, RenderError, Scratch};
use crate::card::secrets::{self, Forwardable};

/// Most tags that a scheme's answer adds to DE48.
const TAGS_MAX: usize = 24;
/// DE24 of an enquiry: the card number behind a token, or everything that the scheme has.
const ASK_FOR_CARD: &[u8] = b"600";
const ASK_FOR_ALL: &[u8] = b"604";
/// Tag SM of DE48: why the scheme's data are missing.
const SCHEME_IS_DOWN: &[u8] = b"01";
const SCHEME_IS_SILENT: &[u8] = b"02";

impl Context<'_> {
    pub(super) fn write_request(
        &self,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<(), RenderError> {
        let Outgoing::Request {
            original,
            class,
            trace,
            session,
            enrichment,
            ..
        } = self.effect.message
        else {
            return Err(RenderError::Mismatch);
        };
        let (request, forwardable) = self.forwardable()?;
        let message = Message::parse(Dialect::national(), forwardable.message)?;
        let enriched = self.enrich(&message, enrichment, &mut scratch.additional)?;
        let transmitted = digits::<10>(u64::from(trace.transmitted.value()));
        let stan = digits::<6>(u64::from(trace.stan.value()));
        let day = settlement_day(session);
        let switch = self.network.switch.to_string();
        let pin = forwardable.pin.as_ref();
        let security = self.security(pin.map(|pin| (pin.format.code(), pin.set)));
        let pin_block = |bytes: usize| {
            let block = pin.map(|pin| pin.block.as_bytes());
            block.filter(|block| block.len() == bytes)
        };
        let card = self.card_behind_token(enrichment)?;
        let mut data = SwitchData::begin(&mut scratch.switch);
        data.reference(original).session(session);
        self.describe_route(request, &mut data);

        let mut edits = Edits::new();
        edits
            .set_if(2, card.as_ref().map(|card| card.digits()))
            .set(7, &transmitted)
            .set(11, &stan)
            .set(15, &day)
            .set(33, switch.as_bytes())
            .set_if(48, enriched.then_some(scratch.additional.as_slice()))
            .set_if(52, pin_block(8))
            .set_if(53, security.as_ref().map(|field| field.as_slice()))
            .set(63, data.end())
            .set_if(110, pin_block(16));
        // The acquirer's own PIN block and keys are nothing to the issuer.
        let keep = allowed(mti(class)?, Step::ToIssuer)?.difference(FieldSet::of(&[52, 53, 110]));
        edits.splice(&message, mti(class)?, keep, self.mac.is_some(), out)?;
        Ok(())
    }

    pub(super) fn write_enquiry(
        &self,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<(), RenderError> {
        let Outgoing::Enquiry {
            original, trace, ..
        } = self.effect.message
        else {
            return Err(RenderError::Mismatch);
        };
        let (request, forwardable) = self.forwardable()?;
        let message = Message::parse(Dialect::national(), forwardable.message)?;
        let Trace { transmitted, stan } = trace;
        let transmitted = digits::<10>(u64::from(transmitted.value()));
        let stan = digits::<6>(u64::from(stan.value()));
        let switch = self.network.switch.to_string();
        let security = self.security(None);
        // The verification value is the issuer's affair alone.
        scratch.additional.clear();
        message.splice_tags(48, &[(b"CV", None)], &mut scratch.additional)?;
        let function = if request.token {
            ASK_FOR_CARD
        } else {
            ASK_FOR_ALL
        };
        let mut data = SwitchData::begin(&mut scratch.switch);
        data.reference(original);
        let mut edits = Edits::new();
        edits
            .set(7, &transmitted)
            .set(11, &stan)
            .set(24, function)
            .set(33, switch.as_bytes())
            .set(48, &scratch.additional)
            .set_if(53, security.as_ref().map(|field| field.as_slice()))
            .set(63, data.end());
        let mti = mti_of(600)?;
        let keep = allowed(mti, Step::ToScheme)?.difference(FieldSet::of(&[53]));
        edits.splice(&message, mti, keep, self.mac.is_some(), out)?;
        Ok(())
    }

    fn forwardable(&self) -> Result<(&Request, Forwardable<'_>), RenderError> {
        let record = self.original()?;
        let Command::Request(request) = record.command else {
            return Err(RenderError::Mismatch);
        };
        let forwardable = secrets::read(record.secrets).ok_or(RenderError::NoSecrets)?;
        Ok((request, forwardable))
    }

    /// Product, issuer, acquirer with its trace number, and local instrument, as far as the published view knows them.
    fn describe_route(&self, request: &Request, data: &mut SwitchData<'_>) {
        let route = request.transaction.route;
        if let Some(range) = route.and_then(|route| self.network.bins.range(route)) {
            data.product(range.product);
            if let Some(issuer) = self.network.member(range.issuer) {
                data.participant(b"004", issuer.code.as_str());
            }
        }
        if let Some(acquirer) = self.network.member(request.origin.participant) {
            data.participant(b"005", acquirer.code.as_str());
        }
        data.acquirer_stan(request.transaction.references.trace.stan.value());
        if let Some(range) = route.and_then(|route| self.network.bins.range(route)) {
            data.local(range.local);
        }
    }

    /// DE48 with what the scheme said, or with the mark that it said nothing; false if it stays as it is.
    fn enrich(
        &self,
        message: &Message<'_>,
        enrichment: Enrichment,
        out: &mut Vec<u8>,
    ) -> Result<bool, RenderError> {
        out.clear();
        match enrichment {
            Enrichment::NotAsked => Ok(false),
            Enrichment::Missing => {
                let why = if self.records.enquired {
                    SCHEME_IS_SILENT
                } else {
                    SCHEME_IS_DOWN
                };
                message.splice_tags(48, &[(b"SM", Some(why))], out)?;
                Ok(true)
            }
            Enrichment::Answered(_) => {
                let record = self.records.second.ok_or(RenderError::NoRecord)?;
                let answer = secrets::read(record.secrets).ok_or(RenderError::NoSecrets)?;
                let answer = Message::parse(Dialect::national(), answer.message)?;
                splice_scheme_data(message, &answer, out)?;
                Ok(true)
            }
        }
    }

    /// The card number that a scheme gave for a token.
    fn card_behind_token(
        &self,
        enrichment: Enrichment,
    ) -> Result<Option<crate::card::vault::ClearPan>, RenderError> {
        let (Enrichment::Answered(_), Some(record)) = (enrichment, self.records.second) else {
            return Ok(None);
        };
        let (request, _) = self.forwardable()?;
        if !request.token {
            return Ok(None);
        }
        let answer = secrets::read(record.secrets).ok_or(RenderError::NoSecrets)?;
        let answer = Message::parse(Dialect::national(), answer.message)?;
        Ok(answer.get(2).and_then(crate::card::vault::ClearPan::new))
    }
}

/// DE48 of the request with the tags of the scheme's answer; the token that stood in DE2 goes into TK.
fn splice_scheme_data(
    message: &Message<'_>,
    answer: &Message<'_>,
    out: &mut Vec<u8>,
) -> Result<(), RenderError> {
    let mut names = [[0_u8; 2]; TAGS_MAX];
    let mut values: [Option<&[u8]>; TAGS_MAX] = [None; TAGS_MAX];
    let mut length = 0;
    let token = (answer.get(2) != message.get(2))
        .then(|| message.get(2))
        .flatten();
    let tags = answer.subfields(48)?.map(|subfield| {
        let subfield = subfield?;
        match subfield.key {
            Key::Tag([a, b, 0, 0]) => Ok(Some(([a, b], subfield.value))),
            _ => Ok(None),
        }
    });
    let token = token.map(|token| Ok::<_, RenderError>(Some((*b"TK", token))));
    for tag in tags.chain(token) {
        if let Some((name, value)) = tag?
            && let (Some(to_name), Some(to_value)) = (names.get_mut(length), values.get_mut(length))
        {
            *to_name = name;
            *to_value = Some(value);
            length += 1;
        }
    }
    let mut list: [(&[u8], Option<&[u8]>); TAGS_MAX] = [(b"", None); TAGS_MAX];
    for ((to, name), value) in list.iter_mut().zip(&names).zip(&values) {
        *to = (name, *value);
    }
    message.splice_tags(48, list.get(..length).unwrap_or_default(), out)?;
    Ok(())
}

fn mti(class: Class) -> Result<Mti, RenderError> {
    mti_of(match class {
        Class::Authorisation => 100,
        Class::Financial => 200,
    })
}

pub(super) fn mti_of(number: u16) -> Result<Mti, RenderError> {
    Mti::new(number).ok_or(RenderError::Mismatch)
}

/// The fields that may stand in a message at a step.
pub(super) fn allowed(mti: Mti, step: Step) -> Result<FieldSet, RenderError> {
    let presence = Dialect::national().presence(mti, step);
    presence
        .map(|presence| presence.allowed())
        .ok_or(RenderError::Mismatch)
}
