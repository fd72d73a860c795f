//! Arbitrary commands and results of the card rail.

use proptest::{collection::vec, option, prelude::*, sample::select};
use torap_domain::card::{
    ApprovalCode, CardHash, Channel, EntryMode, InstitutionId, Mcc, MonthDay, Prefix, ResponseCode,
    Stan, Transmission, TruncatedPan,
};
use torap_domain::{CardReason, CardService, Date};

use super::*;
use crate::cards::{self, *};
pub(super) use presentments::known;

use keys::{key_command, key_uses};
use tables::{fee_row, lifetime, part, profile, range, scheme, settings, stand_in};

mod keys;
mod presentments;
mod tables;

pub(in crate::codec) fn cards_command() -> BoxedStrategy<cards::Command> {
    use cards::Command;
    prop_oneof![
        6 => request().prop_map(Command::Request),
        3 => advice().prop_map(Command::Advice),
        3 => reversal().prop_map(Command::Reversal),
        3 => answer().prop_map(Command::Answer),
        4 => others(),
        2 => key_command().prop_map(Command::Keys),
        6 => configuration(),
        1 => presentments::present().prop_map(Command::Present),
    ]
    .boxed()
}

pub(in crate::codec) fn card_finished() -> BoxedStrategy<cards::Finished> {
    (
        (transaction(), decision(), position(), position(), time()),
        (
            participant(),
            participant(),
            option::of(trace()),
            date(),
            option::of(fees()),
            any::<u8>(),
        ),
    )
        .prop_map(
            |(
                (transaction, decision, submitted, decided, decided_at),
                (acquirer, issuer, asked, session, fees, product),
            )| cards::Finished {
                key: transaction.key,
                fingerprint: transaction.fingerprint,
                class: transaction.class,
                decision,
                submitted,
                decided,
                decided_at,
                references: transaction.references,
                card: transaction.card,
                service: transaction.service,
                channel: transaction.channel,
                mcc: transaction.mcc,
                product,
                amount: transaction.amount,
                acquirer,
                issuer,
                asked,
                session,
                fees,
            },
        )
        .boxed()
}

fn request() -> BoxedStrategy<Request> {
    let pins = [
        PinFact::Absent,
        PinFact::Translated,
        PinFact::Verified,
        PinFact::Wrong,
        PinFact::Refused,
        PinFact::Unavailable,
    ];
    let chips = [
        ChipFact::Absent,
        ChipFact::Unchecked,
        ChipFact::Verified,
        ChipFact::Wrong,
    ];
    (
        origin(),
        any::<[bool; 3]>(),
        transaction(),
        select(pins.to_vec()),
        select(chips.to_vec()),
    )
        .prop_map(
            |(origin, [repeat, token, partial_supported], transaction, pin, chip)| Request {
                origin,
                repeat,
                transaction,
                pin,
                chip,
                token,
                partial_supported,
            },
        )
        .boxed()
}

fn advice() -> BoxedStrategy<Advice> {
    (
        origin(),
        any::<bool>(),
        transaction(),
        option::of(approval()),
        option::of(original()),
    )
        .prop_map(
            |(origin, repeat, transaction, approval, completes)| Advice {
                origin,
                repeat,
                transaction,
                approval,
                completes,
            },
        )
        .boxed()
}

fn reversal() -> BoxedStrategy<Reversal> {
    (
        (origin(), any::<bool>(), any::<bool>(), bytes16(), bytes16()),
        (references(), card(), mac(), original(), option::of(money())),
    )
        .prop_map(
            |(
                (origin, repeat, advice, key, fingerprint),
                (references, card, mac, original, stands),
            )| Reversal {
                origin,
                repeat,
                advice,
                key: CardKey(key),
                fingerprint: cards::Fingerprint(fingerprint),
                references,
                card,
                mac,
                original,
                stands,
            },
        )
        .boxed()
}

fn answer() -> BoxedStrategy<cards::Answer> {
    let verdict = prop_oneof![
        (option::of(approval()), option::of(money()))
            .prop_map(|(approval, part)| cards::Verdict::Approve { approval, part }),
        code().prop_map(|code| cards::Verdict::Decline { code }),
    ];
    (origin(), class(), trace(), mac(), verdict)
        .prop_map(|(origin, class, trace, mac, verdict)| cards::Answer {
            origin,
            class,
            trace,
            mac,
            verdict,
        })
        .boxed()
}

fn others() -> BoxedStrategy<cards::Command> {
    use cards::Command;
    let action = prop_oneof![
        Just(NetworkAction::SignOn),
        Just(NetworkAction::SignOff),
        Just(NetworkAction::Echo),
        Just(NetworkAction::CutOver),
        any::<u16>().prop_map(|key_set| NetworkAction::KeyChange { key_set }),
        key_uses().prop_map(|uses| NetworkAction::KeyRequest { uses }),
    ];
    prop_oneof![
        (origin(), trace(), mac(), option::of(code())).prop_map(
            |(origin, trace, mac, declines)| {
                Command::SchemeAnswer(SchemeAnswer {
                    origin,
                    trace,
                    mac,
                    declines,
                })
            }
        ),
        (origin(), trace(), mac(), code()).prop_map(|(origin, trace, mac, code)| {
            Command::Acknowledged(Acknowledged {
                origin,
                trace,
                mac,
                code,
            })
        }),
        (
            origin(),
            trace(),
            mac(),
            card(),
            option::of(route()),
            stop_action()
        )
            .prop_map(|(origin, trace, mac, card, route, action)| {
                Command::FileUpdate(FileUpdate {
                    origin,
                    trace,
                    mac,
                    card,
                    route,
                    action,
                })
            }),
        (
            origin(),
            trace(),
            mac(),
            any::<bool>(),
            option::of(institution()),
            month_day(),
            side(),
            totals()
        )
            .prop_map(
                |(origin, trace, mac, advice, institution, session, side, totals)| {
                    Command::Reconciliation(Reconciliation {
                        origin,
                        trace,
                        mac,
                        advice,
                        institution,
                        session,
                        side,
                        totals,
                    })
                }
            ),
        (
            origin(),
            trace(),
            mac(),
            any::<bool>(),
            option::of(institution())
        )
            .prop_map(|(origin, trace, mac, advice, to)| {
                Command::Administrative(Administrative {
                    origin,
                    trace,
                    mac,
                    advice,
                    to,
                })
            }),
        (origin(), trace(), mac(), action).prop_map(|(origin, trace, mac, action)| {
            Command::Network(Network {
                origin,
                trace,
                mac,
                action,
            })
        }),
        (
            origin(),
            option::of(trace()),
            select(CardReason::ALL.to_vec()),
            any::<u8>(),
            text::<48>()
        )
            .prop_map(|(origin, trace, reason, field, rule)| {
                Command::Malformed(Malformed {
                    origin,
                    trace,
                    reason,
                    field,
                    rule,
                })
            }),
        (participant(), any::<u32>()).prop_map(|(participant, link)| Command::LinkUp {
            participant,
            link: LinkNumber(link)
        }),
        (participant(), any::<u32>()).prop_map(|(participant, link)| Command::LinkDown {
            participant,
            link: LinkNumber(link)
        }),
    ]
    .boxed()
}

fn configuration() -> BoxedStrategy<cards::Command> {
    use cards::Command;
    prop_oneof![
        (source(), vec(part(), 0..4))
            .prop_map(|(source, parts)| Command::SetTables { source, parts }),
        (source(), settings())
            .prop_map(|(source, settings)| Command::SetSettings { source, settings }),
        (source(), any::<u32>(), vec(range(), 0..4)).prop_map(|(source, version, ranges)| {
            Command::SetBins {
                source,
                version,
                ranges,
            }
        }),
        (source(), vec(fee_row(), 0..3))
            .prop_map(|(source, rows)| Command::SetFees { source, rows }),
        (source(), vec(lifetime(), 0..3))
            .prop_map(|(source, rows)| Command::SetLifetimes { source, rows }),
        (source(), any::<u16>(), option::of(stand_in())).prop_map(|(source, number, rule)| {
            Command::SetStandIn {
                source,
                number,
                rule,
            }
        }),
        (source(), any::<u8>(), option::of(scheme())).prop_map(|(source, number, scheme)| {
            Command::SetScheme {
                source,
                number,
                scheme,
            }
        }),
        (source(), participant(), profile()).prop_map(|(source, participant, profile)| {
            Command::SetMember {
                source,
                participant,
                profile,
            }
        }),
        (source(), card(), participant(), stop_action()).prop_map(
            |(source, card, issuer, action)| {
                Command::StopList {
                    source,
                    card,
                    issuer,
                    action,
                }
            }
        ),
        source().prop_map(|source| Command::CutOver { source }),
        (source(), date()).prop_map(|(source, session)| Command::SettleSession { source, session }),
    ]
    .boxed()
}

fn transaction() -> BoxedStrategy<Transaction> {
    (
        (
            class(),
            bytes16(),
            bytes16(),
            references(),
            card(),
            option::of(route()),
        ),
        (
            select(CardService::ALL.to_vec()),
            select(Channel::ALL.to_vec()),
            select(EntryMode::ALL.to_vec()),
            mcc(),
            money(),
            money(),
            mac(),
        ),
    )
        .prop_map(
            |(
                (class, key, fingerprint, references, card, route),
                (service, channel, entry, mcc, amount, cash_back, mac),
            )| Transaction {
                class,
                key: CardKey(key),
                fingerprint: cards::Fingerprint(fingerprint),
                references,
                card,
                route,
                service,
                channel,
                entry,
                mcc,
                amount,
                cash_back,
                mac,
            },
        )
        .boxed()
}

fn decision() -> BoxedStrategy<Decision> {
    let deciders = vec![Decider::Issuer, Decider::StandIn, Decider::Acquirer];
    prop_oneof![
        (option::of(approval()), money(), select(deciders)).prop_map(|(approval, amount, by)| {
            Decision::Approved {
                approval,
                amount,
                by,
            }
        }),
        (select(CardReason::ALL.to_vec()), option::of(code()))
            .prop_map(|(reason, code)| Decision::Declined { reason, code }),
    ]
    .boxed()
}

fn totals() -> BoxedStrategy<Totals> {
    let sum = || (any::<u64>(), money()).prop_map(|(count, amount)| Sum { count, amount });
    (sum(), sum(), sum(), sum(), money(), money())
        .prop_map(
            |(debits, debit_reversals, credits, credit_reversals, fees_paid, fees_received)| {
                Totals {
                    debits,
                    debit_reversals,
                    credits,
                    credit_reversals,
                    fees_paid,
                    fees_received,
                }
            },
        )
        .boxed()
}

fn fees() -> BoxedStrategy<Fees> {
    (money(), side(), money(), money())
        .prop_map(
            |(interchange, interchange_to, switch_acquirer, switch_issuer)| Fees {
                interchange,
                interchange_to,
                switch_acquirer,
                switch_issuer,
            },
        )
        .boxed()
}

fn stop_action() -> BoxedStrategy<StopAction> {
    let causes = [StopCause::Lost, StopCause::Stolen, StopCause::Restricted];
    prop_oneof![
        Just(StopAction::Release),
        select(causes.to_vec()).prop_map(|cause| StopAction::Stop { cause })
    ]
    .boxed()
}

fn mac() -> BoxedStrategy<MacFact> {
    select(vec![
        MacFact::NotRequired,
        MacFact::Good,
        MacFact::Bad,
        MacFact::Missing,
        MacFact::Unavailable,
    ])
    .boxed()
}

fn origin() -> BoxedStrategy<Origin> {
    (participant(), any::<u32>())
        .prop_map(|(participant, link)| Origin {
            participant,
            link: LinkNumber(link),
        })
        .boxed()
}

fn references() -> BoxedStrategy<cards::References> {
    (trace(), institution(), text::<12>(), text::<8>())
        .prop_map(|(trace, acquirer, retrieval, terminal)| cards::References {
            trace,
            acquirer,
            retrieval,
            terminal,
        })
        .boxed()
}

fn original() -> BoxedStrategy<Original> {
    (bytes16(), class(), trace())
        .prop_map(|(key, class, trace)| Original {
            key: CardKey(key),
            class,
            trace,
        })
        .boxed()
}

fn trace() -> BoxedStrategy<Trace> {
    (0_u64..4_000_000_000, 0..=Stan::MAX)
        .prop_map(|(seconds, stan)| Trace {
            transmitted: Transmission::at(Time::from_nanos(seconds * 1_000_000_000)),
            stan: Stan::new(stan).unwrap(),
        })
        .boxed()
}

fn card() -> BoxedStrategy<Card> {
    (bytes16(), 0_u32..1_000_000, 0_u16..10_000, 12_u8..=19)
        .prop_map(|(hash, first, last, length)| Card {
            hash: CardHash(hash),
            pan: TruncatedPan::from_parts(first, last, length).unwrap(),
        })
        .boxed()
}

fn route() -> BoxedStrategy<Route> {
    any::<(u32, u32)>()
        .prop_map(|(version, range)| Route { version, range })
        .boxed()
}

fn institution() -> BoxedStrategy<InstitutionId> {
    "[0-9]{1,11}"
        .prop_map(|digits| InstitutionId::parse(&digits).unwrap())
        .boxed()
}

fn approval() -> BoxedStrategy<ApprovalCode> {
    "[A-Z0-9 ]{6}"
        .prop_map(|text| ApprovalCode::parse(text.as_bytes()).unwrap())
        .boxed()
}

fn code() -> BoxedStrategy<ResponseCode> {
    "[A-Z0-9]{2}"
        .prop_map(|text| ResponseCode::parse(text.as_bytes()).unwrap())
        .boxed()
}

fn month_day() -> BoxedStrategy<MonthDay> {
    date().prop_map(MonthDay::of).boxed()
}

fn date() -> BoxedStrategy<Date> {
    (0_i32..100_000).prop_map(Date::from_days).boxed()
}

fn mcc() -> BoxedStrategy<Mcc> {
    (0_u16..10_000)
        .prop_map(|value| Mcc::new(value).unwrap())
        .boxed()
}

fn class() -> BoxedStrategy<Class> {
    select(vec![Class::Authorisation, Class::Financial]).boxed()
}

fn side() -> BoxedStrategy<Side> {
    select(vec![Side::Acquirer, Side::Issuer]).boxed()
}

fn services() -> BoxedStrategy<Services> {
    (0..=Services::ALL.0).prop_map(Services).boxed()
}

fn channels() -> BoxedStrategy<Channels> {
    (0..=Channels::ALL.0).prop_map(Channels).boxed()
}

fn bytes16() -> BoxedStrategy<[u8; 16]> {
    uniform16(any::<u8>()).boxed()
}
