//! Tariffs as the operator writes them, in files and over the control socket.

use serde::{Deserialize, Serialize};
use torap_domain::{Asset, Money, ParticipantId, Span, Time};
use torap_engine::tariffs::{
    DAY_MINUTES, Item, Minimum, Rate, Row, Side, Table, Usage, money as fee,
};

/// A whole table; in a file as `[[charge]]` and `[[minimum]]`. Amounts in tenge, times of day as 09:00 (UTC+5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TariffForm {
    pub charge: Vec<ChargeForm>,
    pub minimum: Vec<MinimumForm>,
}

/// One row: what it is about, then what is charged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChargeForm {
    pub item: String,
    /// `sender` or `receiver`.
    pub pays: String,
    /// Code of the only participant that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub participant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed: Option<String>,
    /// Of the amount: 1000 is 0.1 %.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub millionths: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_kb: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most: Option<String>,
}

/// What is charged for a month at least.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MinimumForm {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub participant: Option<String>,
    pub amount: String,
}

/// Something that might have been done, to be priced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageForm {
    pub item: String,
    pub amount: Option<String>,
    pub sender: String,
    pub receiver: Option<String>,
    /// RFC 3339 with an offset; now, if there is none.
    pub at: Option<String>,
    #[serde(default)]
    pub bytes: u32,
    #[serde(default = "one")]
    pub count: u32,
}

fn one() -> u32 {
    1
}

/// A place of a form that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub place: String,
    pub text: String,
}

impl Wrong {
    fn new(place: impl Into<String>, text: impl Into<String>) -> Wrong {
        Wrong {
            place: place.into(),
            text: text.into(),
        }
    }
}

impl TariffForm {
    /// The table of the form.
    ///
    /// # Errors
    /// The first place that breaks a rule.
    pub fn table(&self, id: &dyn Fn(&str) -> Option<ParticipantId>) -> Result<Table, Wrong> {
        if self.charge.is_empty() {
            let text = "a table has at least one; a charge of nothing ends charging";
            return Err(Wrong::new("charge", text));
        }
        let mut rows = Vec::with_capacity(self.charge.len());
        for (number, charge) in self.charge.iter().enumerate() {
            let row = charge.row(id).map_err(|wrong| Wrong {
                place: format!("charge[{number}].{}", wrong.place),
                ..wrong
            });
            rows.push(row?);
        }
        let mut minima = Vec::with_capacity(self.minimum.len());
        for (number, minimum) in self.minimum.iter().enumerate() {
            let place = |key: &str| format!("minimum[{number}].{key}");
            let code = minimum.participant.as_deref();
            minima.push(Minimum {
                participant: participant(&place("participant"), code, id)?,
                amount: amount(&place("amount"), &minimum.amount)?,
            });
        }
        Table::new(rows, minima)
            .map_err(|error| Wrong::new(error.place.to_string(), error.rule.to_string()))
    }

    /// The form of a table.
    pub fn of(table: &Table, code: &dyn Fn(ParticipantId) -> String) -> TariffForm {
        let charge = table.rows().iter().map(|row| ChargeForm::of(row, code));
        let minimum = table.minima().iter().map(|minimum| MinimumForm {
            participant: minimum.participant.map(code),
            amount: tenge(u128::from(minimum.amount)),
        });
        TariffForm {
            charge: charge.collect(),
            minimum: minimum.collect(),
        }
    }
}

impl ChargeForm {
    fn row(&self, id: &dyn Fn(&str) -> Option<ParticipantId>) -> Result<Row, Wrong> {
        let optional = |key: &str, text: &Option<String>| {
            let parsed = text.as_deref().map(|text| amount(key, text));
            parsed.transpose()
        };
        let minute = |key: &str, text: &Option<String>, or: u16| match text {
            Some(text) => time_of_day(text)
                .ok_or_else(|| Wrong::new(key, format!("`{text}`: a time of day as 09:00"))),
            None => Ok(or),
        };
        let item = item_of(&self.item)?;
        let side = Side::ALL.into_iter().find(|side| side.name() == self.pays);
        let pays = side.ok_or_else(|| Wrong::new("pays", "sender or receiver"))?;
        Ok(Row {
            item,
            pays,
            participant: participant("participant", self.participant.as_deref(), id)?,
            amount_from: optional("amount_from", &self.amount_from)?.unwrap_or(0),
            amount_to: optional("amount_to", &self.amount_to)?.unwrap_or(u64::MAX),
            minute_from: minute("from", &self.from, 0)?,
            minute_until: minute("until", &self.until, DAY_MINUTES)?,
            rate: Rate {
                fixed: optional("fixed", &self.fixed)?.unwrap_or(0),
                millionths: self.millionths.unwrap_or(0),
                per_kb: optional("per_kb", &self.per_kb)?.unwrap_or(0),
                least: optional("least", &self.least)?.unwrap_or(0),
                most: optional("most", &self.most)?,
            },
        })
    }

    fn of(row: &Row, code: &dyn Fn(ParticipantId) -> String) -> ChargeForm {
        let stated = |minor: u64| (minor > 0).then(|| tenge(u128::from(minor)));
        let clock = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let rate = &row.rate;
        ChargeForm {
            item: row.item.name().into(),
            pays: row.pays.name().into(),
            participant: row.participant.map(code),
            amount_from: stated(row.amount_from),
            amount_to: (row.amount_to < u64::MAX).then(|| tenge(u128::from(row.amount_to))),
            from: (row.minute_from > 0).then(|| clock(row.minute_from)),
            until: (row.minute_until < DAY_MINUTES).then(|| clock(row.minute_until)),
            fixed: stated(rate.fixed),
            millionths: (rate.millionths > 0).then_some(rate.millionths),
            per_kb: stated(rate.per_kb),
            least: stated(rate.least),
            most: rate.most.map(|most| tenge(u128::from(most))),
        }
    }
}

impl UsageForm {
    /// What the form says.
    ///
    /// # Errors
    /// The first place that breaks a rule.
    pub fn usage(
        &self,
        now: Time,
        id: &dyn Fn(&str) -> Option<ParticipantId>,
    ) -> Result<Usage, Wrong> {
        let at = match &self.at {
            Some(text) => Time::parse(text).map_err(|error| Wrong::new("at", error.to_string()))?,
            None => now,
        };
        let sender = participant("sender", Some(&self.sender), id)?;
        let receiver = participant("receiver", self.receiver.as_deref(), id)?;
        let stated = self.amount.as_deref();
        Ok(Usage {
            position: torap_domain::Position::ZERO,
            at,
            item: item_of(&self.item)?,
            sender: sender.unwrap_or(ParticipantId::SWITCH),
            receiver: receiver.unwrap_or(ParticipantId::SWITCH),
            amount: stated.map_or(Ok(0), |text| amount("amount", text))?,
            bytes: self.bytes,
            count: self.count,
        })
    }
}

/// The item of a name.
///
/// # Errors
/// Names all of them.
pub fn item_of(name: &str) -> Result<Item, Wrong> {
    Item::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = Item::ALL.iter().map(|item| item.name()).collect();
        Wrong::new("item", format!("`{name}`: one of {}", names.join(", ")))
    })
}

/// Minor units as tenge.
pub fn tenge(minor: u128) -> String {
    match u64::try_from(minor) {
        Ok(minor) => {
            let mut text = Vec::new();
            fee(minor).write_decimal(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        }
        Err(_) => format!("{}.{:02}", minor / 100, minor % 100),
    }
}

fn participant(
    place: &str,
    code: Option<&str>,
    id: &dyn Fn(&str) -> Option<ParticipantId>,
) -> Result<Option<ParticipantId>, Wrong> {
    let found = code.map(|code| {
        id(code).ok_or_else(|| Wrong::new(place, format!("`{code}`: no such participant")))
    });
    found.transpose()
}

fn amount(place: &str, text: &str) -> Result<u64, Wrong> {
    let parsed = Money::parse(text, Asset::Kzt).map(Money::minor);
    parsed.map_err(|error| Wrong::new(place, format!("`{text}`: {error}")))
}

/// Minutes since midnight; 24:00 is the end of the day.
fn time_of_day(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u64>().ok()).flatten()
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    let minutes = Span::from_secs(hour * 3600 + minute * 60).secs() / 60;
    (minute < 60 && minutes <= u64::from(DAY_MINUTES))
        .then(|| u16::try_from(minutes).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(code: &str) -> Option<ParticipantId> {
        (code == "CASP").then_some(ParticipantId(1))
    }

    fn form(text: &str) -> TariffForm {
        toml::from_str(text).unwrap()
    }

    fn wrong(text: &str) -> String {
        let wrong = form(text).table(&id).unwrap_err();
        format!("{}: {}", wrong.place, wrong.text)
    }

    #[test]
    fn a_file_becomes_a_table_and_a_table_the_same_file() {
        let form = form(
            r#"
            [[charge]]
            item = "qr"
            pays = "receiver"
            participant = "CASP"
            amount_from = "1000.00"
            amount_to = "50000.00"
            from = "09:00"
            until = "18:30"
            fixed = "2.50"
            millionths = 1500
            least = "3.00"
            most = "900.00"

            [[charge]]
            item = "message"
            pays = "sender"
            per_kb = "0.12"

            [[minimum]]
            amount = "100000.00"
            "#,
        );
        let table = form.table(&id).unwrap();
        let row = table.rows()[0];
        assert_eq!((row.minute_from, row.minute_until), (540, 1110));
        assert_eq!((row.amount_from, row.amount_to), (100_000, 5_000_000));
        assert_eq!((row.rate.fixed, row.rate.most), (250, Some(90_000)));
        assert_eq!(table.rows()[1].minute_until, DAY_MINUTES);
        assert_eq!(TariffForm::of(&table, &|_| "CASP".into()), form);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let head = "[[charge]]\nitem = \"qr\"\npays = \"sender\"\n";
        assert!(wrong("").starts_with("charge: a table has at least one"));
        let cases = [
            ("fixed = \"1.234\"", "charge[0].fixed: `1.234`: "),
            ("from = \"9:00\"", "charge[0].from: `9:00`: a time of day"),
            ("until = \"24:01\"", "charge[0].until: `24:01`: "),
            ("participant = \"NOPE\"", "charge[0].participant: `NOPE`: "),
            ("per_kb = \"1.00\"", "charge[0]: only `message` has a size"),
            ("[[minimum]]\namount = \"x\"", "minimum[0].amount: `x`: "),
        ];
        for (more, place) in cases {
            let text = wrong(&format!("{head}{more}\n"));
            assert!(text.starts_with(place), "{text}");
        }
        let text = wrong("[[charge]]\nitem = \"tea\"\npays = \"sender\"\n");
        assert!(
            text.starts_with("charge[0].item: `tea`: one of c2c-phone, "),
            "{text}"
        );
        let text = wrong("[[charge]]\nitem = \"qr\"\npays = \"all\"\n");
        assert_eq!(text, "charge[0].pays: sender or receiver");
    }
}
