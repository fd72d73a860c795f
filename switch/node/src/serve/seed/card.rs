//! The `[card]` tables: who takes part in card traffic, where cards belong, what is charged, and who stands in. They seed an empty journal
//! from `network.toml`, and `torap ctl card set FILE` brings them into a running switch; the form is the same.
//!
//! ```toml
//! [card.settings]
//! issuer_within_ms = 12000
//! cut_over_at = "20:00"              # "none": by command only
//!
//! [[card.member]]
//! participant = "HSBK"
//! institutions = ["601001"]
//! roles = ["acquirer", "issuer"]     # or ["scheme"]
//! mac = true                         # every message carries a MAC
//! key_set = 1
//! cap = "5000000.00"                 # of posted obligations, net
//!
//! [[card.stand_in]]
//! number = 1
//! services = ["purchase"]
//! amount_max = "20000.00"
//! day_amount_max = "50000.00"
//! day_count_max = 5
//! floor = "10000.00"
//!
//! [[card.bin]]
//! prefix = "999999"
//! issuer = "HSBK"
//! local = true
//! stand_in = 1
//!
//! [[card.fee]]
//! channel = "pos"
//! interchange = { percent = "1.1", to = "issuer" }
//! switch_acquirer = { fixed = "2.00" }
//! ```

use serde::{Deserialize, Serialize};
use torap_domain::{
    CardService, Money, ParticipantId, Span, Text, Time,
    card::{Channel, InstitutionId, Mcc, Prefix},
};
use torap_engine::cards::{
    AMOUNT_MAX, BinRange, BinTable, Bounds, Channels, FeeRow, LifetimeRow, Profile, Rate, Roles,
    Scheme, Services, Settings, Side, StandIn, TablePart, TableRule, Tariff, Without,
};
use torap_iso8583::Dialect;

use super::money;

/// All tables; a list that is left out changes nothing, one that is there replaces what was (members, stand-in rules and schemes: by
/// their number or participant).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CardTables {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<SettingsRow>,
    pub member: Vec<MemberRow>,
    pub stand_in: Vec<StandInRow>,
    pub scheme: Vec<SchemeRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bin: Option<Vec<BinRow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee: Option<Vec<FeeRowText>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<Vec<LifetimeRowText>>,
}

/// A file that holds card tables and nothing else, as `torap ctl card set` takes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardFile {
    pub card: CardTables,
}

/// Clocks in milliseconds; what is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SettingsRow {
    whole_within_ms: Option<u64>,
    issuer_within_ms: Option<u64>,
    queue_within_ms: Option<u64>,
    queue_within_max_ms: Option<u64>,
    transmission_ahead_max_ms: Option<u64>,
    transmission_age_max_ms: Option<u64>,
    /// `hh:mm` in UTC+5, or `none`.
    cut_over_at: Option<String>,
    cap_alert_percent: Option<u8>,
    cap_declines: Option<Vec<String>>,
    /// Entries that are remembered for repeats and reversals, about 210 bytes each.
    window_entries: Option<u32>,
    /// Authorisations that may be open at once, about 150 bytes each.
    authorisations_max: Option<u32>,
    /// Letters that may wait for one member.
    queue_max: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberRow {
    participant: String,
    #[serde(default)]
    institutions: Vec<String>,
    roles: Vec<String>,
    host: Option<String>,
    dialect: Option<String>,
    #[serde(default)]
    mac: bool,
    #[serde(default = "first_set")]
    key_set: u16,
    services: Option<Vec<String>>,
    cap: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandInRow {
    number: u16,
    /// Takes the rule away.
    #[serde(default)]
    remove: bool,
    services: Option<Vec<String>>,
    channels: Option<Vec<String>>,
    amount_max: Option<String>,
    day_amount_max: Option<String>,
    day_count_max: Option<u32>,
    #[serde(default)]
    pin_delegated: bool,
    #[serde(default)]
    cryptogram_keys: bool,
    floor: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemeRow {
    number: u8,
    /// Takes the scheme away.
    #[serde(default)]
    remove: bool,
    host: Option<String>,
    within_ms: Option<u64>,
    channels: Option<Vec<String>>,
    /// `carry-on` or `decline`.
    without: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BinRow {
    prefix: String,
    issuer: String,
    #[serde(default)]
    product: u8,
    #[serde(default)]
    scheme: u8,
    #[serde(default)]
    local: bool,
    #[serde(default)]
    stand_in: u16,
    from: Option<String>,
    until: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeeRowText {
    product: Option<u8>,
    service: Option<String>,
    channel: Option<String>,
    /// Both included.
    mcc: Option<[String; 2]>,
    /// Both included.
    amount: Option<[String; 2]>,
    from: Option<String>,
    until: Option<String>,
    #[serde(default)]
    interchange: RateRow,
    #[serde(default)]
    switch_acquirer: RateRow,
    #[serde(default)]
    switch_issuer: RateRow,
}

/// `fixed + amount × percent`, at least `least` and at most `most`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateRow {
    fixed: Option<String>,
    percent: Option<String>,
    least: Option<String>,
    most: Option<String>,
    /// Who receives an interchange: `issuer` (the default) or `acquirer`.
    to: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LifetimeRowText {
    /// Both included.
    mcc: Option<[String; 2]>,
    days: u64,
    #[serde(default)]
    above_percent: u8,
}

impl std::fmt::Debug for Ground<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ground")
            .field("bins_version", &self.bins_version)
            .finish_non_exhaustive()
    }
}

const fn first_set() -> u16 {
    1
}

/// The longest time that an authorisation may live, in days, so that a mistake is named here.
const LIFETIME_DAYS_MAX: u64 = 400;

/// What tables are read against.
#[derive(Clone, Copy)]
pub struct Ground<'g> {
    pub settings: Settings,
    /// Version of the BIN table that holds.
    pub bins_version: u32,
    pub participant: &'g dyn Fn(&str) -> Option<ParticipantId>,
}

/// A part of the tables, and its place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedPart {
    /// As `card.member[0] HSBK`.
    pub place: String,
    pub part: TablePart,
}

impl CardTables {
    /// The fee table of a file that has nothing else.
    ///
    /// # Errors
    /// The row and the rule, or that there is something else.
    pub fn only_fees(&self) -> Result<Vec<FeeRow>, String> {
        let alone = CardTables {
            fee: self.fee.clone(),
            ..CardTables::default()
        };
        match &self.fee {
            Some(rows) if *self == alone => {
                let rows = each(rows, FeeRowText::row);
                rows.map_err(|error| format!("card.fee{error}"))
            }
            _ => Err("card: only [[card.fee]] is tried, with nothing beside it".into()),
        }
    }

    /// What the tables set, in an order in which each part finds what it names.
    ///
    /// # Errors
    /// The table, the row and the rule; nothing is to be done then.
    pub fn into_parts(&self, ground: &Ground<'_>) -> Result<Vec<PlacedPart>, String> {
        let mut parts = Vec::new();
        let mut push = |place: String, part: Result<TablePart, String>| match part {
            Ok(part) => {
                parts.push(PlacedPart { place, part });
                Ok(())
            }
            Err(error) => Err(format!("{place}{error}")),
        };
        let after = |separator: &'static str| move |error: String| format!("{separator}{error}");
        if let Some(row) = &self.settings {
            let settings = row.settings(ground.settings).map(TablePart::Settings);
            push("card.settings".into(), settings.map_err(after(".")))?;
        }
        for (number, row) in self.member.iter().enumerate() {
            let member = row
                .profile(ground)
                .map(|(participant, profile)| TablePart::Member {
                    participant,
                    profile,
                });
            let place = format!("card.member[{number}] {}", row.participant);
            push(place, member.map_err(after(": ")))?;
        }
        for row in &self.stand_in {
            let number = row.number;
            let rule = row.rule().map(|rule| TablePart::StandIn { number, rule });
            push(format!("card.stand_in {number}"), rule.map_err(after(": ")))?;
        }
        for row in &self.scheme {
            let number = row.number;
            let scheme = row.scheme(ground);
            let scheme = scheme.map(|scheme| TablePart::Scheme { number, scheme });
            push(format!("card.scheme {number}"), scheme.map_err(after(": ")))?;
        }
        if let Some(rows) = &self.bin {
            push("card.bin".into(), bins(rows, ground))?;
        }
        if let Some(rows) = &self.fee {
            let rows = each(rows, FeeRowText::row).map(TablePart::Fees);
            push("card.fee".into(), rows)?;
        }
        if let Some(rows) = &self.lifetime {
            let rows = each(rows, LifetimeRowText::row).map(TablePart::Lifetimes);
            push("card.lifetime".into(), rows)?;
        }
        Ok(parts)
    }
}

fn bins(rows: &[BinRow], ground: &Ground<'_>) -> Result<TablePart, String> {
    let ranges = each(rows, |row| row.range(ground))?;
    let version = ground.bins_version.saturating_add(1);
    if BinTable::new(version, &ranges).is_none() {
        return Err(format!(": {}", TableRule::BinsUnsound.text()));
    }
    Ok(TablePart::Bins { version, ranges })
}

fn each<R, T>(rows: &[R], read: impl Fn(&R) -> Result<T, String>) -> Result<Vec<T>, String> {
    let row = |(number, row)| read(row).map_err(|error| format!("[{number}]: {error}"));
    rows.iter().enumerate().map(row).collect()
}

impl SettingsRow {
    fn settings(&self, held: Settings) -> Result<Settings, String> {
        let span = |ms: Option<u64>, held: Span| ms.map_or(held, Span::from_millis);
        Ok(Settings {
            whole_within: span(self.whole_within_ms, held.whole_within),
            issuer_within: span(self.issuer_within_ms, held.issuer_within),
            queue_within: span(self.queue_within_ms, held.queue_within),
            queue_within_max: span(self.queue_within_max_ms, held.queue_within_max),
            transmission_ahead_max: span(
                self.transmission_ahead_max_ms,
                held.transmission_ahead_max,
            ),
            transmission_age_max: span(self.transmission_age_max_ms, held.transmission_age_max),
            cut_over_at: match self.cut_over_at.as_deref() {
                None => held.cut_over_at,
                Some("none") => None,
                Some(text) => Some(time_of_day(text)?),
            },
            cap_alert_percent: self.cap_alert_percent.unwrap_or(held.cap_alert_percent),
            cap_declines: match &self.cap_declines {
                None => held.cap_declines,
                Some(names) => services("cap_declines", Some(names))?,
            },
            bounds: Bounds {
                window_entries: self.window_entries.unwrap_or(held.bounds.window_entries),
                authorisations_max: self
                    .authorisations_max
                    .unwrap_or(held.bounds.authorisations_max),
                queue_max: self.queue_max.unwrap_or(held.bounds.queue_max),
                ..held.bounds
            },
        })
    }
}

impl MemberRow {
    fn profile(&self, ground: &Ground<'_>) -> Result<(ParticipantId, Profile), String> {
        let id = participant(ground, "participant", &self.participant)?;
        let mut roles = Roles {
            acquirer: false,
            issuer: false,
            scheme: false,
        };
        for role in &self.roles {
            match role.as_str() {
                "acquirer" => roles.acquirer = true,
                "issuer" => roles.issuer = true,
                "scheme" => roles.scheme = true,
                other => {
                    return Err(format!(
                        "roles: `{other}` is none of acquirer, issuer, scheme"
                    ));
                }
            }
        }
        let institution = |text: &String| {
            InstitutionId::parse(text).map_err(|error| format!("institutions: `{text}`: {error}"))
        };
        let dialect = self.dialect.as_deref().unwrap_or("national");
        if Dialect::built_in(dialect).is_none() {
            return Err(format!(
                "dialect: `{dialect}` is none of national, iso87-ascii, iso93-bcd"
            ));
        }
        let host = self.host.as_deref();
        let profile = Profile {
            roles,
            institutions: self
                .institutions
                .iter()
                .map(institution)
                .collect::<Result<_, _>>()?,
            host: host
                .map(|code| participant(ground, "host", code))
                .transpose()?,
            dialect: Text::truncated(dialect),
            mac: self.mac,
            key_set: self.key_set,
            services: services("services", self.services.as_deref())?,
            cap: money("cap", self.cap.as_deref())?,
        };
        Ok((id, profile))
    }
}

impl StandInRow {
    fn rule(&self) -> Result<Option<StandIn>, String> {
        if self.remove {
            return Ok(None);
        }
        let required = |key: &str, text: &Option<String>| {
            money(key, text.as_deref())?.ok_or_else(|| format!("{key}: is missing"))
        };
        Ok(Some(StandIn {
            services: services("services", self.services.as_deref())?,
            channels: channels("channels", self.channels.as_deref())?,
            amount_max: required("amount_max", &self.amount_max)?,
            day_amount_max: required("day_amount_max", &self.day_amount_max)?,
            day_count_max: self.day_count_max.ok_or("day_count_max: is missing")?,
            pin_delegated: self.pin_delegated,
            cryptogram_keys: self.cryptogram_keys,
            floor: required("floor", &self.floor)?,
        }))
    }
}

impl SchemeRow {
    fn scheme(&self, ground: &Ground<'_>) -> Result<Option<Scheme>, String> {
        if self.remove {
            return Ok(None);
        }
        let host = self.host.as_deref().ok_or("host: is missing")?;
        let without = match self.without.as_deref() {
            None | Some("carry-on") => Without::CarryOn,
            Some("decline") => Without::Decline,
            Some(other) => {
                return Err(format!("without: `{other}` is none of carry-on, decline"));
            }
        };
        Ok(Some(Scheme {
            host: participant(ground, "host", host)?,
            within: Span::from_millis(self.within_ms.unwrap_or(800)),
            channels: channels("channels", self.channels.as_deref())?,
            without,
        }))
    }
}

impl BinRow {
    fn range(&self, ground: &Ground<'_>) -> Result<BinRange, String> {
        let prefix = Prefix::parse(&self.prefix)
            .map_err(|error| format!("prefix: `{}`: {error}", self.prefix))?;
        Ok(BinRange {
            prefix,
            issuer: participant(ground, "issuer", &self.issuer)?,
            product: self.product,
            scheme: self.scheme,
            local: self.local,
            stand_in: self.stand_in,
            from: time("from", self.from.as_deref())?.unwrap_or(Time::from_nanos(0)),
            until: time("until", self.until.as_deref())?,
        })
    }
}

impl FeeRowText {
    fn row(&self) -> Result<FeeRow, String> {
        let service = self.service.as_deref().map(|name| {
            CardService::from_name(name).ok_or_else(|| unknown("service", name, &service_names()))
        });
        let channel = self.channel.as_deref().map(|name| {
            Channel::from_name(name).ok_or_else(|| unknown("channel", name, &channel_names()))
        });
        let (mcc_from, mcc_to) = mccs(self.mcc.as_ref())?;
        let bound =
            |text: &str| money("amount", Some(text)).map(|amount| amount.unwrap_or(Money::kzt(0)));
        let (amount_from, amount_to) = match &self.amount {
            None => (Money::kzt(0), Money::kzt(AMOUNT_MAX)),
            Some([from, to]) => (bound(from)?, bound(to)?),
        };
        let in_key = |key: &'static str| move |error: String| format!("{key}.{error}");
        Ok(FeeRow {
            product: self.product,
            service: service.transpose()?,
            channel: channel.transpose()?,
            mcc_from,
            mcc_to,
            amount_from,
            amount_to,
            from: time("from", self.from.as_deref())?.unwrap_or(Time::from_nanos(0)),
            until: time("until", self.until.as_deref())?,
            tariff: Tariff {
                interchange: self.interchange.rate().map_err(in_key("interchange"))?,
                interchange_to: self.interchange.side().map_err(in_key("interchange"))?,
                switch_acquirer: self
                    .switch_acquirer
                    .rate()
                    .map_err(in_key("switch_acquirer"))?,
                switch_issuer: self.switch_issuer.rate().map_err(in_key("switch_issuer"))?,
            },
        })
    }
}

impl RateRow {
    fn rate(&self) -> Result<Rate, String> {
        let amount = |key: &str, text: &Option<String>| {
            money(key, text.as_deref()).map(|amount| amount.unwrap_or(Money::kzt(0)))
        };
        Ok(Rate {
            fixed: amount("fixed", &self.fixed)?,
            millionths: self.percent.as_deref().map_or(Ok(0), millionths)?,
            least: amount("least", &self.least)?,
            most: money("most", self.most.as_deref())?,
        })
    }

    fn side(&self) -> Result<Side, String> {
        match self.to.as_deref() {
            None | Some("issuer") => Ok(Side::Issuer),
            Some("acquirer") => Ok(Side::Acquirer),
            Some(other) => Err(format!("to: `{other}` is none of issuer, acquirer")),
        }
    }
}

impl LifetimeRowText {
    fn row(&self) -> Result<LifetimeRow, String> {
        let (mcc_from, mcc_to) = mccs(self.mcc.as_ref())?;
        if !(1..=LIFETIME_DAYS_MAX).contains(&self.days) {
            return Err(format!("days: must be 1 to {LIFETIME_DAYS_MAX}"));
        }
        Ok(LifetimeRow {
            mcc_from,
            mcc_to,
            within: Span::from_secs(self.days.saturating_mul(86_400)),
            above_percent: self.above_percent,
        })
    }
}

fn participant(ground: &Ground<'_>, key: &str, code: &str) -> Result<ParticipantId, String> {
    (ground.participant)(code).ok_or_else(|| format!("{key}: `{code}` is no participant"))
}

/// A set of services; all of them, if none are named.
fn services(key: &str, names: Option<&[String]>) -> Result<Services, String> {
    let Some(names) = names else {
        return Ok(Services::ALL);
    };
    names.iter().try_fold(Services(0), |set, name| {
        let service =
            CardService::from_name(name).ok_or_else(|| unknown(key, name, &service_names()))?;
        Ok(Services(set.0 | service.bit()))
    })
}

/// A set of channels; all of them, if none are named.
fn channels(key: &str, names: Option<&[String]>) -> Result<Channels, String> {
    let Some(names) = names else {
        return Ok(Channels::ALL);
    };
    names.iter().try_fold(Channels(0), |set, name| {
        let channel =
            Channel::from_name(name).ok_or_else(|| unknown(key, name, &channel_names()))?;
        Ok(Channels(set.0 | channel.bit()))
    })
}

fn service_names() -> Vec<&'static str> {
    CardService::ALL.iter().map(|one| one.name()).collect()
}

fn channel_names() -> Vec<&'static str> {
    Channel::ALL.iter().map(|one| one.name()).collect()
}

fn unknown(key: &str, name: &str, known: &[&str]) -> String {
    format!("{key}: `{name}` is none of {}", known.join(", "))
}

/// A span of merchant category codes; all of them, if none is stated.
fn mccs(span: Option<&[String; 2]>) -> Result<(Mcc, Mcc), String> {
    let read = |text: &str| {
        let digits = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        let code = text.parse().ok().filter(|_| digits).and_then(Mcc::new);
        code.ok_or_else(|| format!("mcc: `{text}` is not four digits"))
    };
    match span {
        None => Ok((read("0000")?, read("9999")?)),
        Some([from, to]) => Ok((read(from)?, read(to)?)),
    }
}

fn time(key: &str, text: Option<&str>) -> Result<Option<Time>, String> {
    let read = |text| Time::parse(text).map_err(|error| format!("{key}: `{text}`: {error}"));
    text.map(read).transpose()
}

/// `hh:mm`, from midnight.
fn time_of_day(text: &str) -> Result<Span, String> {
    let wrong = || format!("cut_over_at: `{text}` is neither hh:mm nor none");
    let (hours, minutes) = text.split_once(':').ok_or_else(wrong)?;
    let number = |part: &str, most: u64| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u64>()
            .ok()
            .filter(|value| digits && *value < most)
    };
    let hours = number(hours, 24).ok_or_else(wrong)?;
    let minutes = number(minutes, 60).ok_or_else(wrong)?;
    Ok(Span::from_secs(hours * 3600 + minutes * 60))
}

/// A percentage with at most four decimals, in millionths.
fn millionths(text: &str) -> Result<u32, String> {
    let wrong = || format!("percent: `{text}` is no percentage with at most four decimals");
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || whole.len() > 3 || decimals.len() > 4 {
        return Err(wrong());
    }
    format!("{whole}{decimals:0<4}")
        .parse()
        .map_err(|_| wrong())
}

#[cfg(test)]
mod tests;
