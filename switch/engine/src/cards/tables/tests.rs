use torap_domain::{CardReason, Money, Span};

use crate::{
    cards::{world::*, *},
    world::{CASP, HSBK, NOBODY, TSES, operator},
};

fn fault(rail: &Rail, parts: &[TablePart]) -> Option<(usize, TableRule)> {
    let fault = rail.world.engine.card_tables_fault(parts)?;
    Some((fault.part, fault.rule))
}

fn member(id: torap_domain::ParticipantId, change: impl FnOnce(&mut Profile)) -> TablePart {
    let mut profile = profile(id);
    change(&mut profile);
    TablePart::Member {
        participant: id,
        profile,
    }
}

/// Everything that tables say.
type Configuration = (
    Settings,
    Vec<BinRange>,
    Vec<Profile>,
    Vec<FeeRow>,
    Vec<LifetimeRow>,
    Vec<(u16, StandIn)>,
    Vec<(u8, Scheme)>,
);

fn configuration(rail: &Rail) -> Configuration {
    let engine = &rail.world.engine;
    (
        *engine.card_settings(),
        engine.card_bins().ranges().to_vec(),
        engine.card_members().map(|view| view.profile).collect(),
        engine.card_fees().to_vec(),
        engine.card_lifetimes().to_vec(),
        engine.card_stand_in().collect(),
        engine.card_schemes().collect(),
    )
}

/// One part of every table, each other than what holds.
fn every_part(rail: &Rail) -> Vec<TablePart> {
    let mut settings = *rail.world.engine.card_settings();
    settings.issuer_within = Span::from_secs(5);
    let mut few = ranges();
    few.truncate(1);
    vec![
        TablePart::Settings(settings),
        member(HSBK, |profile| profile.cap = Some(Money::kzt(7))),
        TablePart::StandIn {
            number: 2,
            rule: Some(stand_in()),
        },
        TablePart::Scheme {
            number: 1,
            scheme: None,
        },
        TablePart::Bins {
            version: rail.world.engine.card_bins().version() + 1,
            ranges: few,
        },
        TablePart::Fees(Vec::new()),
        TablePart::Lifetimes(vec![LifetimeRow {
            mcc_from: torap_domain::card::Mcc::new(3501).unwrap(),
            mcc_to: torap_domain::card::Mcc::new(3999).unwrap(),
            within: Span::from_secs(86_400),
            above_percent: 0,
        }]),
    ]
}

#[test]
fn every_table_is_set_by_one_record() {
    let mut rail = Rail::new();
    let before = configuration(&rail);
    let parts = every_part(&rail);
    rail.accept(Command::SetTables {
        source: operator(),
        parts,
    });
    let after = configuration(&rail);
    assert_ne!(before.0, after.0);
    assert_eq!(after.1.len(), 1);
    assert!(
        after
            .2
            .iter()
            .any(|profile| profile.cap == Some(Money::kzt(7)))
    );
    assert!(after.3.is_empty());
    assert_eq!(after.4.len(), 1);
    assert_eq!(after.5.len(), 2);
    assert!(after.6.is_empty());
    // The rail goes on under them, and gateways have heard of the table.
    let event = rail
        .world
        .out
        .events
        .iter()
        .any(|event| matches!(event, crate::Event::Card(Event::BinsChanged(_))));
    assert!(event);
    rail.request(1, OF_IRTY, |_| ());
    assert_eq!(rail.declined(), CardReason::RouteUnknown);
}

#[test]
fn with_any_one_part_wrong_nothing_is_set() {
    let clean = Rail::new();
    let parts = every_part(&clean);
    let mut unsound = *clean.world.engine.card_settings();
    unsound.cap_alert_percent = 0;
    let wrong = [
        (TablePart::Settings(unsound), TableRule::SettingsUnsound),
        (member(NOBODY, |_| ()), TableRule::ParticipantUnknown),
        (
            TablePart::StandIn {
                number: 0,
                rule: None,
            },
            TableRule::StandInNumber,
        ),
        (
            TablePart::Scheme {
                number: 0,
                scheme: None,
            },
            TableRule::SchemeNumber,
        ),
        (
            TablePart::Bins {
                version: 9,
                ranges: Vec::new(),
            },
            TableRule::BinsVersion,
        ),
        (
            TablePart::Fees(vec![fee_row(); FEE_ROWS_MAX + 1]),
            TableRule::FeesUnsound,
        ),
        (
            TablePart::Lifetimes(vec![LifetimeRow {
                mcc_from: torap_domain::card::Mcc::new(2).unwrap(),
                mcc_to: torap_domain::card::Mcc::new(1).unwrap(),
                within: Span::from_secs(1),
                above_percent: 0,
            }]),
            TableRule::LifetimesUnsound,
        ),
    ];
    for (place, (part, rule)) in wrong.into_iter().enumerate() {
        let mut rail = Rail::new();
        let before = configuration(&rail);
        let mut parts = parts.clone();
        parts[place] = part;
        assert_eq!(fault(&rail, &parts), Some((place, rule)));
        rail.refuse(Command::SetTables {
            source: operator(),
            parts,
        });
        assert_eq!(configuration(&rail), before);
    }
}

#[test]
fn a_part_is_checked_as_if_those_before_it_held() {
    let rail = Rail::new();
    let scheme = |host| TablePart::Scheme {
        number: 2,
        scheme: Some(Scheme {
            host,
            within: Span::from_secs(20),
            channels: Channels::ALL,
            without: Without::Decline,
        }),
    };
    let mut slow = *rail.world.engine.card_settings();
    slow.whole_within = Span::from_secs(30);
    let host = member(CASP, |profile| {
        profile.roles = Roles {
            acquirer: false,
            issuer: false,
            scheme: true,
        }
    });
    // A scheme needs the host and the time that parts before it give.
    assert_eq!(
        fault(&rail, &[scheme(CASP)]),
        Some((0, TableRule::SchemeHost))
    );
    assert_eq!(
        fault(&rail, &[scheme(TSES)]),
        Some((0, TableRule::SchemeWithin))
    );
    assert_eq!(
        fault(&rail, &[TablePart::Settings(slow), host, scheme(CASP)]),
        None
    );
    // An institution moves: given up first, taken after.
    let moved = institution(CASP);
    let gives = member(CASP, |profile| profile.institutions.clear());
    let gives = match gives {
        TablePart::Member {
            participant,
            mut profile,
        } => {
            profile.roles.acquirer = false;
            TablePart::Member {
                participant,
                profile,
            }
        }
        other => panic!("{other:?}"),
    };
    let takes = member(HSBK, |profile| profile.institutions.push(moved));
    assert_eq!(
        fault(&rail, std::slice::from_ref(&takes)),
        Some((0, TableRule::InstitutionTaken))
    );
    assert_eq!(fault(&rail, &[gives, takes]), None);
}

#[test]
fn nothing_twice_nothing_at_all_and_profiles_by_their_rules() {
    let rail = Rail::new();
    assert_eq!(fault(&rail, &[]), Some((0, TableRule::PartsMissing)));
    let fees = || TablePart::Fees(Vec::new());
    assert_eq!(
        fault(&rail, &[fees(), fees()]),
        Some((1, TableRule::SetTwice))
    );
    let many: Vec<TablePart> = (0..=TABLE_PARTS_MAX as u16)
        .map(|number| TablePart::StandIn { number, rule: None })
        .collect();
    assert_eq!(
        fault(&rail, &many),
        Some((TABLE_PARTS_MAX, TableRule::TooManyParts))
    );
    let wrong = [
        (
            member(HSBK, |profile| profile.host = Some(HSBK)),
            TableRule::HostUnfit,
        ),
        (
            member(CASP, |profile| profile.institutions.clear()),
            TableRule::InstitutionMissing,
        ),
        (
            member(CASP, |profile| profile.roles.scheme = true),
            TableRule::RolesApart,
        ),
        (
            member(CASP, |profile| {
                profile.institutions = vec![institution(CASP); INSTITUTIONS_MAX + 1]
            }),
            TableRule::InstitutionsTooMany,
        ),
    ];
    for (part, rule) in wrong {
        assert_eq!(fault(&rail, &[part]), Some((0, rule)));
    }
}

#[test]
fn only_the_operator_sets_tables() {
    let mut rail = Rail::new();
    let parts = every_part(&rail);
    rail.refuse(Command::SetTables {
        source: crate::Source::Switch,
        parts,
    });
}
