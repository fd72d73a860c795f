//! What a card transaction is for, where it was made and how the card was read.

use std::fmt;

/// Which way the money of a service goes between the two banks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the issuer to the acquirer: the cardholder pays or takes cash.
    Debit,
    /// From the acquirer to the issuer: the cardholder is credited.
    Credit,
    /// None: an enquiry, or a movement inside the issuer.
    None,
}

macro_rules! numbered {
    ($(#[$meta:meta])* $type:ident { $($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $type {
            $($(#[$doc])* $variant = $number,)+
        }

        impl $type {
            /// Every one, in the order of their numbers, which are contiguous from 1.
            pub const ALL: &'static [$type] = &[$($type::$variant,)+];

            /// The stored number.
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// The one of a stored number.
            pub const fn from_number(number: u8) -> Option<$type> {
                match number {
                    $($number => Some($type::$variant),)+
                    _ => None,
                }
            }

            /// Kebab-case name, for configuration and reports.
            pub const fn name(self) -> &'static str {
                match self {
                    $($type::$variant => $name,)+
                }
            }

            /// The one of a kebab-case name.
            pub fn from_name(name: &str) -> Option<$type> {
                $type::ALL.iter().copied().find(|one| one.name() == name)
            }

            /// Place in `ALL`, for tables.
            pub const fn index(self) -> usize {
                (self as usize).saturating_sub(1)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.name())
            }
        }
    };
}

numbered! {
    /// A service of the card rail. The number is written to the journal.
    CardService {
        /// Goods and services.
        Purchase = 1, "purchase";
        /// Cash at a machine or a counter.
        Cash = 2, "cash";
        /// Goods and services, with cash on top; the amount is both together.
        PurchaseWithCashBack = 3, "purchase-with-cash-back";
        /// An amount that a later completion takes.
        PreAuthorisation = 4, "pre-authorisation";
        /// Money back for goods and services.
        Refund = 5, "refund";
        /// The balance of the account.
        BalanceEnquiry = 6, "balance-enquiry";
        /// Between accounts of one cardholder at the issuer.
        AccountTransfer = 7, "account-transfer";
        /// The paying half of a transfer from card to card.
        P2pDebit = 8, "p2p-debit";
        /// The receiving half of a transfer from card to card.
        P2pCredit = 9, "p2p-credit";
        /// Cash paid in.
        Deposit = 10, "deposit";
        /// Bills, taxes, telephones.
        Payment = 11, "payment";
        /// Is the card good? No amount.
        AccountVerification = 12, "account-verification";
    }
}

numbered! {
    /// Where a transaction was made. The number is written to the journal.
    Channel {
        /// A cash machine.
        Atm = 1, "atm";
        /// A merchant's terminal, or a bank's counter.
        Pos = 2, "pos";
        /// Electronic commerce.
        Web = 3, "web";
        /// An application on a phone.
        Mobile = 4, "mobile";
    }
}

numbered! {
    /// How the card was read (DE22). The number is written to the journal.
    EntryMode {
        /// Keyed by hand.
        Manual = 1, "manual";
        /// Magnetic stripe.
        Stripe = 2, "stripe";
        /// Chip, with contact.
        Chip = 3, "chip";
        /// Chip, without contact.
        Contactless = 4, "contactless";
        /// Stripe, because the chip could not be read.
        Fallback = 5, "fallback";
        /// Electronic commerce.
        ECommerce = 6, "e-commerce";
        /// The merchant keeps the card or a token of it.
        CardOnFile = 7, "card-on-file";
        /// Contactless with the data of the stripe.
        ContactlessStripe = 8, "contactless-stripe";
    }
}

impl CardService {
    /// Which way the money goes between acquirer and issuer.
    pub const fn direction(self) -> Direction {
        match self {
            CardService::Purchase
            | CardService::Cash
            | CardService::PurchaseWithCashBack
            | CardService::PreAuthorisation
            | CardService::P2pDebit
            | CardService::Payment => Direction::Debit,
            CardService::Refund | CardService::P2pCredit | CardService::Deposit => {
                Direction::Credit
            }
            CardService::BalanceEnquiry
            | CardService::AccountTransfer
            | CardService::AccountVerification => Direction::None,
        }
    }

    /// Whether a message of this service states an amount above zero; the others state none.
    pub const fn has_amount(self) -> bool {
        !matches!(
            self,
            CardService::BalanceEnquiry | CardService::AccountVerification
        )
    }

    /// Bit of the service in a set of services.
    pub const fn bit(self) -> u16 {
        1 << ((self as u8).saturating_sub(1) & 15)
    }
}

impl Channel {
    /// Bit of the channel in a set of channels.
    pub const fn bit(self) -> u8 {
        1 << ((self as u8).saturating_sub(1) & 7)
    }
}

impl EntryMode {
    /// Whether the chip itself spoke, so that a cryptogram proves the card.
    pub const fn is_chip(self) -> bool {
        matches!(self, EntryMode::Chip | EntryMode::Contactless)
    }
}

#[cfg(test)]
mod tests;
