//! The services of the instant rail and their codes in ISO 20022 messages.

use std::fmt;

/// A service of the instant rail. The number is written to the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Service {
    /// Person to person by phone number; the switch resolves bank and account.
    C2cPhone = 1,
    /// Person to person by account.
    C2cAccount = 2,
    /// Between a person's own accounts in two banks.
    Me2Me = 3,
    /// Person to merchant by QR code.
    Qr = 4,
}

impl Service {
    /// Every service, in the order of their numbers.
    pub const ALL: [Service; 4] = [
        Service::C2cPhone,
        Service::C2cAccount,
        Service::Me2Me,
        Service::Qr,
    ];

    /// The code in `PmtTpInf/LclInstrm/Prtry`. Payments by phone and by account share `C2C2`; the presence of a
    /// proxy tells them apart.
    pub const fn local_instrument(self) -> &'static str {
        match self {
            Service::C2cPhone | Service::C2cAccount => "C2C2",
            Service::Me2Me => "M2M2",
            Service::Qr => "C2B2",
        }
    }

    /// Kebab-case name, for configuration and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Service::C2cPhone => "c2c-phone",
            Service::C2cAccount => "c2c-account",
            Service::Me2Me => "me2me",
            Service::Qr => "qr",
        }
    }

    /// The service of a kebab-case name.
    pub fn from_name(name: &str) -> Option<Service> {
        Service::ALL
            .into_iter()
            .find(|service| service.name() == name)
    }

    /// The stored number.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The service of a stored number.
    pub fn from_number(number: u8) -> Option<Service> {
        Service::ALL
            .into_iter()
            .find(|service| service.number() == number)
    }

    /// Place in [`Service::ALL`], for tables by service.
    pub const fn index(self) -> usize {
        (self as usize).saturating_sub(1)
    }
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
