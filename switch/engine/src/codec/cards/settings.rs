//! Layouts of what the operator sets about the card rail.

use crate::{
    cards::{
        BinRange, Bounds, Channels, FeeRow, LifetimeRow, Profile, Rate, Roles, Scheme, Services,
        Settings, StandIn, TablePart, Tariff, Without,
    },
    codec::{FactsError, Layout, LayoutRule, Reader, Writer, reader::Flags},
};

impl Layout for Services {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u16(self.0);
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Services, FactsError> {
        let offset = reader.offset();
        let set = reader.u16(field)?;
        if set & !Services::ALL.0 != 0 {
            return Err(reader.error(field, offset, LayoutRule::Tag));
        }
        Ok(Services(set))
    }
}

impl Layout for Channels {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u8(self.0);
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Channels, FactsError> {
        reader
            .flags(field, Channels::ALL.0)
            .map(|flags| Channels(flags.0))
    }
}

impl Layout for Roles {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u8(Flags::of(&[self.acquirer, self.issuer, self.scheme]).0);
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Roles, FactsError> {
        let flags = reader.flags(field, 0b111)?;
        Ok(Roles {
            acquirer: flags.has(0),
            issuer: flags.has(1),
            scheme: flags.has(2),
        })
    }
}

impl Layout for Without {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.u8(*self as u8);
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<Without, FactsError> {
        reader.tag(field, |tag| match tag {
            1 => Some(Without::CarryOn),
            2 => Some(Without::Decline),
            _ => None,
        })
    }
}

impl Layout for Profile {
    fn put(&self, writer: &mut Writer<'_>) {
        let Profile {
            roles,
            institutions,
            host,
            dialect,
            mac,
            key_set,
            services,
            cap,
        } = self;
        writer.u8(Flags::of(&[*mac, host.is_some(), cap.is_some()]).0);
        writer.put(roles);
        writer.list(institutions);
        writer.put(dialect);
        writer.put(key_set);
        writer.put(services);
        writer.optional(host);
        writer.optional(cap);
    }

    fn take(reader: &mut Reader<'_>, _field: &'static str) -> Result<Profile, FactsError> {
        let flags = reader.flags("profile flags", 0b111)?;
        Ok(Profile {
            mac: flags.has(0),
            roles: reader.field("roles")?,
            institutions: reader.list("institutions")?,
            dialect: reader.field("dialect")?,
            key_set: reader.field("key set")?,
            services: reader.field("services")?,
            host: reader.optional("host", flags.has(1))?,
            cap: reader.optional("cap", flags.has(2))?,
        })
    }
}

impl Layout for TablePart {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            TablePart::Settings(settings) => {
                writer.u8(1);
                writer.put(settings);
            }
            TablePart::Member {
                participant,
                profile,
            } => {
                writer.u8(2);
                writer.put(participant);
                writer.put(profile);
            }
            TablePart::StandIn { number, rule } => {
                writer.u8(3);
                writer.put(number);
                writer.put(rule);
            }
            TablePart::Scheme { number, scheme } => {
                writer.u8(4);
                writer.put(number);
                writer.put(scheme);
            }
            TablePart::Bins { version, ranges } => {
                writer.u8(5);
                writer.put(version);
                writer.list(ranges);
            }
            TablePart::Fees(rows) => {
                writer.u8(6);
                writer.list(rows);
            }
            TablePart::Lifetimes(rows) => {
                writer.u8(7);
                writer.list(rows);
            }
        }
    }

    fn take(reader: &mut Reader<'_>, field: &'static str) -> Result<TablePart, FactsError> {
        let offset = reader.offset();
        Ok(match reader.u8(field)? {
            1 => TablePart::Settings(reader.field("settings")?),
            2 => TablePart::Member {
                participant: reader.field("participant")?,
                profile: reader.field("profile")?,
            },
            3 => TablePart::StandIn {
                number: reader.field("rule number")?,
                rule: reader.field("rule")?,
            },
            4 => TablePart::Scheme {
                number: reader.field("scheme number")?,
                scheme: reader.field("scheme")?,
            },
            5 => TablePart::Bins {
                version: reader.field("table version")?,
                ranges: reader.list("ranges")?,
            },
            6 => TablePart::Fees(reader.list("fee rows")?),
            7 => TablePart::Lifetimes(reader.list("lifetime rows")?),
            _ => return Err(reader.error(field, offset, LayoutRule::Tag)),
        })
    }
}

fields! {
    Settings {
        whole_within: "whole within",
        issuer_within: "issuer within",
        queue_within: "queue within",
        queue_within_max: "queue within max",
        transmission_ahead_max: "transmission ahead max",
        transmission_age_max: "transmission age max",
        cut_over_at: "cut-over at",
        cap_alert_percent: "cap alert percent",
        cap_declines: "cap declines",
        bounds: "bounds",
    }
    Bounds {
        in_flight_max: "in flight max",
        window_entries: "window entries",
        authorisations_max: "authorisations max",
        queue_max: "queue max",
        stop_list_max: "stop list max",
        stand_in_cards_max: "stand-in cards max",
    }
    BinRange {
        prefix: "prefix",
        issuer: "issuer",
        product: "product",
        scheme: "scheme",
        local: "local",
        stand_in: "stand-in",
        from: "from",
        until: "until",
    }
    StandIn {
        services: "services",
        channels: "channels",
        amount_max: "amount max",
        day_amount_max: "day amount max",
        day_count_max: "day count max",
        pin_delegated: "PIN delegated",
        cryptogram_keys: "cryptogram keys",
        floor: "floor",
    }
    Scheme {
        host: "host",
        within: "within",
        channels: "channels",
        without: "without",
    }
    FeeRow {
        product: "product",
        service: "service",
        channel: "channel",
        mcc_from: "MCC from",
        mcc_to: "MCC to",
        amount_from: "amount from",
        amount_to: "amount to",
        from: "from",
        until: "until",
        tariff: "tariff",
    }
    Tariff {
        interchange: "interchange",
        interchange_to: "interchange to",
        switch_acquirer: "switch fee of the acquirer",
        switch_issuer: "switch fee of the issuer",
    }
    Rate {
        fixed: "fixed",
        millionths: "millionths",
        least: "least",
        most: "most",
    }
    LifetimeRow {
        mcc_from: "MCC from",
        mcc_to: "MCC to",
        within: "within",
        above_percent: "above percent",
    }
}
