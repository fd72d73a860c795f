//! What the operator sets of the card rail: settings and tables.

use super::*;

pub(super) fn settings() -> BoxedStrategy<Settings> {
    (
        [span(), span(), span(), span(), span(), span()],
        option::of(span()),
        any::<u8>(),
        services(),
        any::<[u32; 6]>(),
    )
        .prop_map(
            |([a, b, c, d, e, f], cut_over_at, cap_alert_percent, cap_declines, bounds)| {
                let [
                    in_flight_max,
                    window_entries,
                    authorisations_max,
                    queue_max,
                    stop_list_max,
                    stand_in_cards_max,
                ] = bounds;
                Settings {
                    whole_within: a,
                    issuer_within: b,
                    queue_within: c,
                    queue_within_max: d,
                    transmission_ahead_max: e,
                    transmission_age_max: f,
                    cut_over_at,
                    cap_alert_percent,
                    cap_declines,
                    bounds: cards::Bounds {
                        in_flight_max,
                        window_entries,
                        authorisations_max,
                        queue_max,
                        stop_list_max,
                        stand_in_cards_max,
                    },
                }
            },
        )
        .boxed()
}

pub(super) fn range() -> BoxedStrategy<BinRange> {
    let prefix = "[0-9]{6,11}".prop_map(|digits| Prefix::parse(&digits).unwrap());
    (
        prefix,
        participant(),
        any::<u8>(),
        any::<u8>(),
        any::<bool>(),
        any::<u16>(),
        time(),
        option::of(time()),
    )
        .prop_map(
            |(prefix, issuer, product, scheme, local, stand_in, from, until)| BinRange {
                prefix,
                issuer,
                product,
                scheme,
                local,
                stand_in,
                from,
                until,
            },
        )
        .boxed()
}

pub(super) fn fee_row() -> BoxedStrategy<FeeRow> {
    let tariff = (rate(), side(), rate(), rate()).prop_map(
        |(interchange, interchange_to, switch_acquirer, switch_issuer)| Tariff {
            interchange,
            interchange_to,
            switch_acquirer,
            switch_issuer,
        },
    );
    (
        option::of(any::<u8>()),
        option::of(select(CardService::ALL.to_vec())),
        option::of(select(Channel::ALL.to_vec())),
        (mcc(), mcc(), money(), money()),
        (time(), option::of(time()), tariff),
    )
        .prop_map(
            |(
                product,
                service,
                channel,
                (mcc_from, mcc_to, amount_from, amount_to),
                (from, until, tariff),
            )| FeeRow {
                product,
                service,
                channel,
                mcc_from,
                mcc_to,
                amount_from,
                amount_to,
                from,
                until,
                tariff,
            },
        )
        .boxed()
}

pub(super) fn part() -> BoxedStrategy<TablePart> {
    prop_oneof![
        settings().prop_map(TablePart::Settings),
        (participant(), profile()).prop_map(|(participant, profile)| TablePart::Member {
            participant,
            profile,
        }),
        (any::<u16>(), option::of(stand_in()))
            .prop_map(|(number, rule)| TablePart::StandIn { number, rule }),
        (any::<u8>(), option::of(scheme()))
            .prop_map(|(number, scheme)| TablePart::Scheme { number, scheme }),
        (any::<u32>(), vec(range(), 0..3))
            .prop_map(|(version, ranges)| TablePart::Bins { version, ranges }),
        vec(fee_row(), 0..3).prop_map(TablePart::Fees),
        vec(lifetime(), 0..3).prop_map(TablePart::Lifetimes),
    ]
    .boxed()
}

pub(super) fn rate() -> BoxedStrategy<Rate> {
    (money(), any::<u32>(), money(), option::of(money()))
        .prop_map(|(fixed, millionths, least, most)| Rate {
            fixed,
            millionths,
            least,
            most,
        })
        .boxed()
}

pub(super) fn lifetime() -> BoxedStrategy<LifetimeRow> {
    (mcc(), mcc(), span(), any::<u8>())
        .prop_map(|(mcc_from, mcc_to, within, above_percent)| LifetimeRow {
            mcc_from,
            mcc_to,
            within,
            above_percent,
        })
        .boxed()
}

pub(super) fn stand_in() -> BoxedStrategy<StandIn> {
    (
        services(),
        channels(),
        money(),
        money(),
        any::<u32>(),
        any::<[bool; 2]>(),
        money(),
    )
        .prop_map(
            |(
                services,
                channels,
                amount_max,
                day_amount_max,
                day_count_max,
                [pin_delegated, cryptogram_keys],
                floor,
            )| {
                StandIn {
                    services,
                    channels,
                    amount_max,
                    day_amount_max,
                    day_count_max,
                    pin_delegated,
                    cryptogram_keys,
                    floor,
                }
            },
        )
        .boxed()
}

pub(super) fn scheme() -> BoxedStrategy<Scheme> {
    let without = select(vec![Without::CarryOn, Without::Decline]);
    (participant(), span(), channels(), without)
        .prop_map(|(host, within, channels, without)| Scheme {
            host,
            within,
            channels,
            without,
        })
        .boxed()
}

pub(super) fn profile() -> BoxedStrategy<cards::Profile> {
    (
        any::<[bool; 3]>(),
        vec(institution(), 0..4),
        option::of(participant()),
        text::<35>(),
        any::<bool>(),
        any::<u16>(),
        services(),
        option::of(money()),
    )
        .prop_map(
            |(
                [acquirer, issuer, scheme],
                institutions,
                host,
                dialect,
                mac,
                key_set,
                services,
                cap,
            )| {
                cards::Profile {
                    roles: Roles {
                        acquirer,
                        issuer,
                        scheme,
                    },
                    institutions,
                    host,
                    dialect,
                    mac,
                    key_set,
                    services,
                    cap,
                }
            },
        )
        .boxed()
}
