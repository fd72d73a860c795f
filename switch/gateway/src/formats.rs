//! The national identifiers that `torap-iso20022` cannot check by itself, checked by the types of `torap-domain`.

use torap_domain::{Bic, Iban, IinBin, Knp, MessageId, Phone, SectorCode};
use torap_iso20022::profile::Formats;

static FORMATS: Formats = Formats {
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
    // All identifiers share one set of characters and one length.
    identifier: |text| {
        MessageId::parse(text)
            .map(|_| ())
            .map_err(|error| error.rule())
    },
};

/// Checks of BIC, IBAN, IIN/BIN, phone, KNP, KBE/KOD and identifiers for the national profile; the rule given is the name
/// of the broken rule in `torap-domain`, such as `iban-check-digits`.
pub fn formats() -> &'static Formats {
    &FORMATS
}
