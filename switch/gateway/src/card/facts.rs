//! From the fields of a national message to the facts of a command: codes become enums, identifiers become keys.
//!
//! Nothing here keeps more of a card than the log may: [`CardVault`] makes hash and truncated number, everything else stays in the
//! message.

use torap_domain::card::{
    ApprovalCode, Channel, EntryMode, InstitutionId, Mcc, MonthDay, ResponseCode, Stan,
    Transmission,
};
use torap_domain::{Asset, CardReason, CardService, Money, ParticipantId, Text};
use torap_engine::cards::{
    Card, CardKey, Class, Fingerprint, Original, References, Side, StopAction, StopCause, Sum,
    Totals, Trace,
};
use torap_iso8583::{Message, Refusal, StepError};

use super::vault::CardVault;

/// Currency of the rail, ISO 4217 numeric.
const TENGE: u64 = 398;

/// Why no facts could be made: which field, which rule, and what the sender is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) reason: CardReason,
    pub(super) field: u8,
    pub(super) rule: Text<48>,
}

impl Wrong {
    pub(super) fn new(reason: CardReason, field: u8, rule: &str) -> Wrong {
        Wrong {
            reason,
            field,
            rule: Text::truncated(rule),
        }
    }

    /// A field whose characters are right and whose value means nothing.
    fn value(field: u8, rule: &str) -> Wrong {
        Wrong::new(CardReason::ProfileViolation, field, rule)
    }
}

impl From<Refusal> for Wrong {
    fn from(refusal: Refusal) -> Wrong {
        Wrong::new(CardReason::MalformedMessage, refusal.field, refusal.code())
    }
}

impl From<StepError<'_>> for Wrong {
    fn from(error: StepError<'_>) -> Wrong {
        let reason = match error.code() {
            "luhn" => CardReason::CheckDigitWrong,
            "not-expected" => CardReason::FunctionNotSupported,
            _ => CardReason::ProfileViolation,
        };
        Wrong::new(reason, error.field(), error.code())
    }
}

/// DE7 and DE11.
pub(super) fn trace(message: &Message<'_>) -> Result<Trace, Wrong> {
    let transmitted = field(message, 7)?;
    let transmitted =
        Transmission::parse(transmitted).map_err(|_| Wrong::value(7, "transmission-time"))?;
    let stan = u32::try_from(number(message, 11)?).unwrap_or(u32::MAX);
    let stan = Stan::new(stan).ok_or(Wrong::value(11, "trace-number"))?;
    Ok(Trace { transmitted, stan })
}

pub(super) fn references(message: &Message<'_>) -> Result<References, Wrong> {
    Ok(References {
        trace: trace(message)?,
        acquirer: institution(message, 32)?,
        retrieval: text(message, 37)?,
        terminal: text(message, 41)?,
    })
}

pub(super) fn institution(message: &Message<'_>, number: u8) -> Result<InstitutionId, Wrong> {
    std::str::from_utf8(field(message, number)?)
        .ok()
        .and_then(|digits| InstitutionId::parse(digits).ok())
        .ok_or(Wrong::value(number, "institution-number"))
}

/// The whole card number, DE2.
pub(super) fn pan<'a>(message: &Message<'a>) -> Result<&'a [u8], Wrong> {
    field(message, 2)
}

pub(super) fn card(message: &Message<'_>, vault: &CardVault) -> Result<Card, Wrong> {
    vault
        .card(pan(message)?)
        .map_err(|_| Wrong::value(2, "card-number"))
}

/// Amount in DE4, which has to be in tenge.
pub(super) fn amount(message: &Message<'_>) -> Result<Money, Wrong> {
    tenge(message)?;
    Ok(Money::kzt(number(message, 4)?))
}

pub(super) fn tenge(message: &Message<'_>) -> Result<(), Wrong> {
    match message.number(49) {
        None | Some(TENGE) => Ok(()),
        Some(_) => Err(Wrong::new(CardReason::CurrencyNotAllowed, 49, "currency")),
    }
}

/// The cash of a purchase with cash back: DE54, amount type 40.
pub(super) fn cash_back(message: &Message<'_>) -> Result<Money, Wrong> {
    let none = Money::zero(Asset::Kzt);
    let Some(amounts) = message.get(54) else {
        return Ok(none);
    };
    // Account 2, type 2, currency 3, sign 1, amount 12.
    for part in amounts.chunks(20) {
        if part.get(2..4) == Some(b"40") {
            if part.get(4..7) != Some(b"398") {
                return Err(Wrong::new(CardReason::CurrencyNotAllowed, 54, "currency"));
            }
            let digits = part.get(8..20).and_then(decimal);
            return digits
                .map(Money::kzt)
                .ok_or(Wrong::value(54, "cash-back-amount"));
        }
    }
    Ok(none)
}

/// The service that DE3 and DE24 name together.
pub(super) fn service(message: &Message<'_>) -> Result<CardService, Wrong> {
    let kind = field(message, 3)?.get(..2);
    let function = message.get(24);
    Ok(match kind {
        Some(b"00") if matches!(function, Some(b"101" | b"102")) => CardService::PreAuthorisation,
        Some(b"00") => CardService::Purchase,
        Some(b"01") => CardService::Cash,
        Some(b"09") => CardService::PurchaseWithCashBack,
        Some(b"10") => CardService::P2pDebit,
        Some(b"20") => CardService::Refund,
        Some(b"21") => CardService::Deposit,
        Some(b"26") => CardService::P2pCredit,
        Some(b"31") => CardService::BalanceEnquiry,
        Some(b"33") => CardService::AccountVerification,
        Some(b"40") => CardService::AccountTransfer,
        Some(b"50") => CardService::Payment,
        _ => {
            return Err(Wrong::new(
                CardReason::FunctionNotSupported,
                3,
                "transaction-type",
            ));
        }
    })
}

/// Where the transaction was made: tag CH of DE48. A branch counts as a point of sale.
pub(super) fn channel(message: &Message<'_>) -> Result<Channel, Wrong> {
    match message.tag(48, b"CH")? {
        Some(b"ATM") => Ok(Channel::Atm),
        Some(b"POS" | b"BRN") => Ok(Channel::Pos),
        Some(b"WEB") => Ok(Channel::Web),
        Some(b"MOB") => Ok(Channel::Mobile),
        _ => Err(Wrong::value(48, "channel")),
    }
}

/// How the card was read: the first two digits of DE22.
pub(super) fn entry(message: &Message<'_>) -> Result<EntryMode, Wrong> {
    Ok(match field(message, 22)?.get(..2) {
        Some(b"00" | b"01" | b"03") => EntryMode::Manual,
        Some(b"05" | b"95") => EntryMode::Chip,
        Some(b"07") => EntryMode::Contactless,
        Some(b"10") => EntryMode::CardOnFile,
        Some(b"80") => EntryMode::Fallback,
        Some(b"81" | b"82") => EntryMode::ECommerce,
        Some(b"90") => EntryMode::Stripe,
        Some(b"91") => EntryMode::ContactlessStripe,
        _ => return Err(Wrong::value(22, "entry-mode")),
    })
}

pub(super) fn mcc(message: &Message<'_>) -> Result<Mcc, Wrong> {
    u16::try_from(number(message, 18)?)
        .ok()
        .and_then(Mcc::new)
        .ok_or(Wrong::value(18, "merchant-category"))
}

/// DE38; none if it is not there.
pub(super) fn approval(message: &Message<'_>) -> Result<Option<ApprovalCode>, Wrong> {
    let Some(code) = message.get(38) else {
        return Ok(None);
    };
    ApprovalCode::parse(code)
        .map(Some)
        .map_err(|_| Wrong::value(38, "approval-code"))
}

pub(super) fn response(message: &Message<'_>) -> Result<ResponseCode, Wrong> {
    ResponseCode::parse(field(message, 39)?).map_err(|_| Wrong::value(39, "response-code"))
}

/// DE2 is a token, and the card behind it is still to be asked for: DE48 has a token's cryptogram or requestor and no token.
pub(super) fn is_token(message: &Message<'_>) -> Result<bool, Wrong> {
    if !message.has(48) {
        return Ok(false);
    }
    let marked = message.tag(48, b"TC")?.is_some() || message.tag(48, b"TR")?.is_some();
    Ok(marked && message.tag(48, b"TK")?.is_none())
}

/// The acquirer can use an approval of a part: seventh part of DE60.
pub(super) fn takes_a_part(message: &Message<'_>) -> bool {
    message.get(60).and_then(|parts| parts.get(7)) == Some(&b'1')
}

/// Identity of a message. Leading zeros of institutions and blanks at the ends of texts do not count, because DE90 has none of them.
pub(super) fn key(
    message: &Message<'_>,
    class: u8,
    participant: ParticipantId,
    references: &References,
) -> CardKey {
    let acquirer = message.number(32).unwrap_or_default();
    key_of(class, participant, references.trace, acquirer, references)
}

fn key_of(
    class: u8,
    participant: ParticipantId,
    trace: Trace,
    acquirer: u64,
    references: &References,
) -> CardKey {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[class]);
    hasher.update(&participant.value().to_le_bytes());
    hasher.update(&trace.transmitted.value().to_le_bytes());
    hasher.update(&trace.stan.value().to_le_bytes());
    hasher.update(&acquirer.to_le_bytes());
    let terminal = references.terminal.as_bytes();
    hasher.update(&[length(terminal)]);
    hasher.update(terminal);
    hasher.update(references.retrieval.as_bytes());
    CardKey(half(&hasher))
}

/// What a repeat may not change.
pub(super) fn fingerprint(message: &Message<'_>, card: &Card) -> Fingerprint {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[message.mti().class(), message.mti().function()]);
    hasher.update(&card.hash.0);
    for number in [3, 4, 18, 24, 38, 42, 54, 90, 95, 102, 103] {
        let value = message.get(number).unwrap_or_default();
        hasher.update(&[number, length(value)]);
        hasher.update(value);
    }
    Fingerprint(half(&hasher))
}

/// The transaction that DE90 names; DE41 and DE37 of the message at hand are the original's.
pub(super) fn original(
    message: &Message<'_>,
    participant: ParticipantId,
    references: &References,
) -> Result<Original, Wrong> {
    let elements = field(message, 90)?;
    let wrong = || Wrong::value(90, "original-data-elements");
    // MTI 4, STAN 6, DE7 10, DE32 11, DE33 11.
    let class = match elements.get(1) {
        Some(b'1') => Class::Authorisation,
        Some(b'2') => Class::Financial,
        _ => return Err(wrong()),
    };
    let stan = elements.get(4..10).and_then(decimal).ok_or_else(wrong)?;
    let stan = Stan::new(u32::try_from(stan).unwrap_or(u32::MAX)).ok_or_else(wrong)?;
    let transmitted = elements.get(10..20).ok_or_else(wrong)?;
    let transmitted = Transmission::parse(transmitted).map_err(|_| wrong())?;
    let acquirer = elements.get(20..31).and_then(decimal).ok_or_else(wrong)?;
    let trace = Trace { transmitted, stan };
    Ok(Original {
        key: key_of(class.number(), participant, trace, acquirer, references),
        class,
        trace,
    })
}

/// The amount that is to stand: the first part of DE95.
pub(super) fn stands(message: &Message<'_>) -> Result<Option<Money>, Wrong> {
    let Some(amounts) = message.get(95) else {
        return Ok(None);
    };
    let amount = amounts.get(..12).and_then(decimal);
    let amount = amount.ok_or(Wrong::value(95, "replacement-amount"))?;
    Ok(Some(Money::kzt(amount)))
}

/// What an issuer does with the stop list: DE91, and the reason in DE120.
pub(super) fn stop_action(message: &Message<'_>) -> Result<StopAction, Wrong> {
    match field(message, 91)? {
        b"1" | b"2" => {
            let cause = match message.tag(120, b"RS")? {
                Some(b"01") => StopCause::Lost,
                Some(b"02") => StopCause::Stolen,
                Some(_) => StopCause::Restricted,
                None => return Err(Wrong::value(120, "stop-reason")),
            };
            Ok(StopAction::Stop { cause })
        }
        b"3" => Ok(StopAction::Release),
        _ => Err(Wrong::new(
            CardReason::FunctionNotSupported,
            91,
            "file-update-code",
        )),
    }
}

/// The totals of a reconciliation: whose side they are of (63.005 names an acquirer, 63.004 an issuer), numbers and amounts. Fees are
/// not reconciled: an issuer does not see them all.
pub(super) fn totals(message: &Message<'_>) -> Result<(Side, Totals), Wrong> {
    let names = |tag: &[u8]| Ok::<_, Wrong>(message.tag(63, tag)?.is_some());
    let side = match (names(b"005")?, names(b"004")?) {
        (true, false) => Side::Acquirer,
        (false, true) => Side::Issuer,
        _ => return Err(Wrong::value(63, "side-of-the-totals")),
    };
    let sum = |count, amount| {
        Ok::<_, Wrong>(Sum {
            count: number(message, count)?,
            amount: Money::kzt(number(message, amount)?),
        })
    };
    let totals = Totals {
        credits: sum(74, 86)?,
        credit_reversals: sum(75, 87)?,
        debits: sum(76, 88)?,
        debit_reversals: sum(77, 89)?,
        ..Totals::ZERO
    };
    Ok((side, totals))
}

pub(super) fn settlement_day(message: &Message<'_>) -> Result<MonthDay, Wrong> {
    MonthDay::parse(field(message, 15)?).map_err(|_| Wrong::value(15, "settlement-date"))
}

/// A field that the presence rules have made sure of.
pub(super) fn field<'a>(message: &Message<'a>, number: u8) -> Result<&'a [u8], Wrong> {
    message
        .get(number)
        .ok_or(Wrong::value(number, "missing-field"))
}

fn number(message: &Message<'_>, number: u8) -> Result<u64, Wrong> {
    message
        .number(number)
        .ok_or(Wrong::value(number, "missing-field"))
}

/// A text without the blanks at its end.
fn text<const N: usize>(message: &Message<'_>, number: u8) -> Result<Text<N>, Wrong> {
    std::str::from_utf8(field(message, number)?)
        .ok()
        .and_then(|text| Text::try_from(text.trim_end()).ok())
        .ok_or(Wrong::value(number, "text"))
}

/// Up to nineteen digits as a number.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    let fits = !digits.is_empty() && digits.len() <= 19;
    digits
        .iter()
        .try_fold(0_u64, |value, digit| {
            let digit = digit.wrapping_sub(b'0');
            (fits && digit <= 9).then(|| value.wrapping_mul(10).wrapping_add(u64::from(digit)))
        })
        .filter(|_| fits)
}

/// The length of a field's value, which is below 256 for every field that goes into a hash.
fn length(value: &[u8]) -> u8 {
    u8::try_from(value.len()).unwrap_or(u8::MAX)
}

fn half(hasher: &blake3::Hasher) -> [u8; 16] {
    let hash = hasher.finalize();
    hash.as_bytes().first_chunk().copied().unwrap_or_default()
}
