use super::*;

const ALL: &str = r#"
[card.settings]
issuer_within_ms = 5000
cut_over_at = "18:30"

[[card.member]]
participant = "HSBK"
institutions = ["601001", "601002"]
roles = ["acquirer", "issuer"]
mac = true
key_set = 4
cap = "1000.00"

[[card.member]]
participant = "SCHM"
roles = ["scheme"]

[[card.stand_in]]
number = 2
services = ["purchase", "cash"]
channels = ["pos"]
amount_max = "100.00"
day_amount_max = "200.00"
day_count_max = 3
floor = "10.00"

[[card.scheme]]
number = 1
host = "SCHM"
without = "decline"

[[card.bin]]
prefix = "99999901"
issuer = "HSBK"
product = 7
scheme = 1
until = "2027-01-01T00:00:00+05:00"

[[card.fee]]
channel = "web"
mcc = ["5411", "5499"]
interchange = { percent = "1.25", least = "1.00", most = "500.00" }
switch_acquirer = { fixed = "2.00" }

[[card.lifetime]]
mcc = ["7011", "7011"]
days = 30
above_percent = 15
"#;

fn read(text: &str) -> Result<Vec<TablePart>, String> {
    let file: CardFile = toml::from_str(text).map_err(|error| error.to_string())?;
    let participants = ["HSBK", "SCHM"];
    let parts = file.card.into_parts(&Ground {
        settings: Settings::initial(),
        bins_version: 6,
        participant: &|code| {
            let place = participants.iter().position(|known| *known == code)?;
            Some(ParticipantId::new(u16::try_from(place + 1).unwrap()))
        },
    })?;
    Ok(parts.into_iter().map(|placed| placed.part).collect())
}

#[test]
fn every_table_becomes_its_parts_in_an_order_that_finds_what_it_names() {
    let parts = read(ALL).unwrap();
    let [
        TablePart::Settings(settings),
        TablePart::Member { profile: bank, .. },
        TablePart::Member { profile: host, .. },
        TablePart::StandIn {
            number: 2,
            rule: Some(rule),
        },
        TablePart::Scheme {
            number: 1,
            scheme: Some(scheme),
        },
        TablePart::Bins { version: 7, ranges },
        TablePart::Fees(fees),
        TablePart::Lifetimes(lifetimes),
    ] = &parts[..]
    else {
        panic!("{parts:?}");
    };
    assert_eq!(settings.issuer_within, Span::from_secs(5));
    assert_eq!(
        settings.cut_over_at,
        Some(Span::from_secs(18 * 3600 + 1800))
    );
    assert_eq!(settings.whole_within, Settings::initial().whole_within);
    assert!(bank.mac && bank.key_set == 4 && bank.institutions.len() == 2);
    assert!(host.roles.scheme && !host.roles.acquirer);
    assert!(rule.services.has(CardService::Cash) && !rule.services.has(CardService::Refund));
    assert_eq!(scheme.without, Without::Decline);
    assert_eq!((ranges[0].product, ranges[0].scheme), (7, 1));
    assert_eq!(fees[0].tariff.interchange.millionths, 12_500);
    assert_eq!(fees[0].tariff.switch_acquirer.fixed, Money::kzt(200));
    assert_eq!(lifetimes[0].within, Span::from_secs(30 * 86_400));
}

#[test]
fn what_is_wrong_is_named_by_table_row_and_rule() {
    let cases = [
        (
            "\"acquirer\", \"issuer\"",
            "\"bank\"",
            "card.member[0] HSBK: roles: `bank`",
        ),
        ("\"601001\"", "\"x\"", "institutions: `x`"),
        (
            "participant = \"SCHM\"",
            "participant = \"NOBK\"",
            "`NOBK` is no participant",
        ),
        (
            "\"cash\"",
            "\"cashier\"",
            "card.stand_in 2: services: `cashier`",
        ),
        (
            "day_count_max = 3",
            "",
            "card.stand_in 2: day_count_max: is missing",
        ),
        (
            "\"decline\"",
            "\"perhaps\"",
            "card.scheme 1: without: `perhaps`",
        ),
        ("\"99999901\"", "\"9999\"", "card.bin[0]: prefix: `9999`"),
        (
            "2027-01-01T00:00:00+05:00",
            "2027-01-01",
            "card.bin[0]: until",
        ),
        (
            "\"1.25\"",
            "\"1.23456\"",
            "card.fee[0]: interchange.percent",
        ),
        ("\"5411\"", "\"541\"", "card.fee[0]: mcc: `541`"),
        ("days = 30", "days = 0", "card.lifetime[0]: days"),
        (
            "\"18:30\"",
            "\"24:00\"",
            "card.settings.cut_over_at: `24:00`",
        ),
        ("above_percent = 15", "above = 15", "unknown field `above`"),
    ];
    for (right, wrong, named) in cases {
        assert!(ALL.contains(right), "{right}");
        let error = read(&ALL.replacen(right, wrong, 1)).expect_err(named);
        assert!(error.contains(named), "{named}: {error}");
    }
}

#[test]
fn a_table_with_two_rows_for_one_prefix_is_refused() {
    let row = "[[card.bin]]\nprefix = \"999999\"\nissuer = \"HSBK\"\n";
    let error = read(&format!("{row}{row}")).unwrap_err();
    assert!(error.contains("card.bin"), "{error}");
}

#[test]
fn a_list_that_is_left_out_changes_nothing_and_an_empty_one_empties_the_table() {
    assert!(read("[card]").unwrap().is_empty());
    let parts = read("[card]\nbin = []").unwrap();
    assert!(matches!(&parts[..], [TablePart::Bins { ranges, .. }] if ranges.is_empty()));
}
