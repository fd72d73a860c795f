//! The checks of national identifiers that the gateway injects, for tests and benches.

use torap_domain::{Bic, Iban, IinBin, Knp, MessageId, Phone, SectorCode};
use torap_iso20022::profile::Formats;

pub(crate) fn formats() -> Formats {
    Formats {
        bic: |text| Bic::parse(text).map(|_| ()).map_err(|error| error.rule()),
        iban: |text| Iban::parse(text).map(|_| ()).map_err(|error| error.rule()),
        person_number: |text| {
            IinBin::parse(text)
                .map(|_| ())
                .map_err(|error| error.rule())
        },
        phone: |text| Phone::parse(text).map(|_| ()).map_err(|error| error.rule()),
        knp: |text| Knp::parse(text).map(|_| ()).map_err(|error| error.rule()),
        sector_code: |text| {
            SectorCode::parse(text)
                .map(|_| ())
                .map_err(|error| error.rule())
        },
        identifier: |text| {
            MessageId::parse(text)
                .map(|_| ())
                .map_err(|error| error.rule())
        },
    }
}
