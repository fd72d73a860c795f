//! The card tables that an empty journal starts with.

use torap_domain::{
    CardService, Money, ParticipantId, Span, Text, Time,
    card::{InstitutionId, Mcc, Prefix},
};
use torap_engine::{
    Command,
    cards::{
        self, AMOUNT_MAX, BinRange, Channels, FeeRow, LifetimeRow, Profile, Rate, Roles, Scheme,
        Services, Side, StandIn, Tariff,
    },
    participants::{self, State},
};

use super::CardPlan;
use crate::{load::operator, plan::Plan};

/// Code and BIC of the foreign scheme's host, a participant of its own behind the banks.
pub(crate) const SCHEME: &str = "SCHM";
const SCHEME_BIC: &str = "SCHMKZKA";
/// Prefix of tokens: the scheme's own range, which no bank issues in.
const TOKENS: &str = "489537";
/// The switch's own institution number.
pub(crate) const SWITCH: &str = "900";

/// Completions and presentments may pass the amount of an authorisation by this part of it.
pub(crate) const ABOVE_PERCENT: u8 = 15;

/// Prefix of a bank's cards of the local instrument.
pub(crate) fn local(bank: usize) -> String {
    format!("4400{bank:02}")
}

/// Prefix of its cards of the foreign scheme.
pub(crate) fn foreign(bank: usize) -> String {
    format!("4401{bank:02}")
}

/// Institution number of a host, the scheme's behind the banks'.
pub(crate) fn institution(host: usize) -> String {
    format!("{:06}", 601_001 + host)
}

pub(crate) fn institution_id(digits: &str) -> InstitutionId {
    InstitutionId::parse(digits).unwrap_or_else(|error| unreachable!("{digits}: {error:?}"))
}

/// Number of the scheme's participant.
pub(crate) fn scheme_of(plan: &Plan) -> ParticipantId {
    ParticipantId::new(plan.banks as u16 + 1)
}

/// The commands, behind those of the banks.
pub(crate) fn seed(plan: &Plan, cards: &CardPlan) -> Vec<Command> {
    let source = operator("cards");
    let scheme = scheme_of(plan);
    let bic = torap_domain::Bic::parse(SCHEME_BIC)
        .unwrap_or_else(|_| unreachable!("{SCHEME_BIC} is a BIC"));
    let profile = participants::Profile {
        code: Text::truncated(SCHEME),
        name: Text::truncated(SCHEME),
        bics: vec![bic],
        bank_codes: Vec::new(),
        sponsor: None,
        technical_senders: Vec::new(),
        services: Vec::new(),
        floor: None,
        ceiling: None,
    };
    let mut commands = vec![
        Command::Participants(participants::Command::Add {
            source,
            profile,
            mode: participants::PositionMode::Prefunded,
        }),
        Command::Participants(participants::Command::SetState {
            source,
            participant: scheme,
            state: State::Active,
        }),
    ];
    let mut push = |command| commands.push(Command::Cards(command));
    push(cards::Command::SetSettings {
        source,
        settings: cards.settings,
    });
    for bank in 0..cards.banks {
        push(member(
            cards,
            bank,
            ParticipantId::new(bank as u16 + 1),
            false,
        ));
    }
    push(member(cards, cards.banks, scheme, true));
    push(cards::Command::SetStandIn {
        source,
        number: 1,
        rule: Some(stand_in(cards)),
    });
    push(cards::Command::SetScheme {
        source,
        number: 1,
        scheme: Some(Scheme {
            host: scheme,
            within: Span::from_millis(800),
            channels: Channels::ALL,
            without: cards.without_scheme,
        }),
    });
    push(cards::Command::SetBins {
        source,
        version: 1,
        ranges: ranges(cards),
    });
    push(cards::Command::SetFees {
        source,
        rows: fees(),
    });
    push(cards::Command::SetLifetimes {
        source,
        rows: vec![LifetimeRow {
            mcc_from: Mcc::NONE,
            mcc_to: last_mcc(),
            within: plan.office.authorisations_live(),
            above_percent: ABOVE_PERCENT,
        }],
    });
    commands
}

fn member(
    cards: &CardPlan,
    host: usize,
    participant: ParticipantId,
    is_scheme: bool,
) -> cards::Command {
    cards::Command::SetMember {
        source: operator("cards"),
        participant,
        profile: Profile {
            roles: Roles {
                acquirer: !is_scheme,
                issuer: !is_scheme,
                scheme: is_scheme,
            },
            institutions: vec![institution_id(&institution(host))],
            host: None,
            dialect: Text::truncated("national"),
            mac: false,
            key_set: 1,
            services: Services::ALL,
            cap: cards.cap.filter(|_| !is_scheme).map(Money::kzt),
        },
    }
}

/// Stand-in for what is not too large, as long as a card has not had too much of it.
fn stand_in(cards: &CardPlan) -> StandIn {
    StandIn {
        services: Services(CardService::Purchase.bit() | CardService::PreAuthorisation.bit()),
        channels: Channels::ALL,
        amount_max: Money::kzt(cards.amount_max / 2 + 1),
        day_amount_max: Money::kzt(cards.amount_max * 4),
        day_count_max: 20,
        pin_delegated: false,
        cryptogram_keys: false,
        floor: Money::kzt(cards.amount_max / 3 + 1),
    }
}

/// Two prefixes for each bank, and the tokens, which all stand for foreign cards of the first bank.
fn ranges(cards: &CardPlan) -> Vec<BinRange> {
    let row = |prefix: &str, bank: usize, is_local: bool| BinRange {
        prefix: Prefix::parse(prefix).unwrap_or_else(|error| unreachable!("{prefix}: {error:?}")),
        issuer: ParticipantId::new(bank as u16 + 1),
        product: bank as u8,
        scheme: u8::from(!is_local),
        local: is_local,
        // The last bank has nobody standing in.
        stand_in: u16::from(is_local && bank + 1 < cards.banks),
        from: Time::EPOCH,
        until: None,
    };
    let mut rows = vec![row(TOKENS, 0, false)];
    for bank in 0..cards.banks {
        rows.push(row(&local(bank), bank, true));
        rows.push(row(&foreign(bank), bank, false));
    }
    rows
}

fn fees() -> Vec<FeeRow> {
    let rate = |fixed: u64, millionths: u32| Rate {
        fixed: Money::kzt(fixed),
        millionths,
        least: Money::kzt(0),
        most: None,
    };
    let row = |service: CardService, to: Side, interchange: Rate| FeeRow {
        product: None,
        service: Some(service),
        channel: None,
        mcc_from: Mcc::NONE,
        mcc_to: last_mcc(),
        amount_from: Money::kzt(0),
        amount_to: Money::kzt(AMOUNT_MAX),
        from: Time::EPOCH,
        until: None,
        tariff: Tariff {
            interchange,
            interchange_to: to,
            switch_acquirer: rate(200, 0),
            switch_issuer: rate(0, 300),
        },
    };
    vec![
        row(CardService::Purchase, Side::Issuer, rate(0, 11_000)),
        row(CardService::Cash, Side::Acquirer, rate(5_000, 2_500)),
        row(CardService::Refund, Side::Issuer, rate(100, 0)),
    ]
}

fn last_mcc() -> Mcc {
    Mcc::new(9999).unwrap_or(Mcc::NONE)
}
