//! One account: its key and its sums.

use torap_domain::{Asset, ParticipantId};

/// Dense slot of an account, given by [`crate::Ledger::open`] in the order of opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub u32);

/// What an account is for. The number is written to snapshots and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum Book {
    /// A participant's money on the instant rail.
    InstantPosition = 1,
    /// The central bank's counter-account: funding a position debits it, so it goes below zero by what was funded.
    CentralBankMirror = 2,
    /// What a participant owes others from card traffic, or is owed, until it is settled.
    Card = 3,
    /// The operator's fees from card traffic.
    CardFees = 4,
    /// The counter-account of card nets that have been settled elsewhere; zero after every session.
    CardSettlement = 5,
    /// A participant's settlement account at the central bank, in IMTS; its credit line is intraday credit.
    Settlement = 6,
    /// The central bank's own counter-account in IMTS: funding a settlement account debits it.
    CentralBank = 7,
    /// The technical account in IMTS that backs the positions of the instant rail: its balance is their sum, always.
    RailTechnical = 8,
    /// The technical account in IMTS of a clearing session: debits of participants first, then credits, so that it never goes
    /// below zero and is zero before and after every session.
    ClearingTechnical = 9,
    /// A participant's contribution to the guarantee fund.
    GuaranteeFund = 10,
    /// The technical account in IMTS of card sessions: what debtors have paid until creditors are paid.
    CardTechnical = 20,
    /// The operator's own account in IMTS: the fees of the card rail that have been settled.
    OperatorSettlement = 21,
}

/// Owner, book and asset name an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountKey {
    /// Whose account it is; [`ParticipantId::SWITCH`] for the central bank.
    pub owner: ParticipantId,
    /// What the account is for.
    pub book: Book,
    /// What its amounts are of.
    pub asset: Asset,
}

/// The sums of an account, in minor units of its asset. Posted sums only grow; pending sums are what is held now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    pub(crate) key: AccountKey,
    pub(crate) debits_posted: u128,
    pub(crate) credits_posted: u128,
    pub(crate) debits_pending: u64,
    pub(crate) credits_pending: u64,
    pub(crate) credit_line: u64,
}

impl Book {
    /// Every book, in the order of their numbers.
    pub const ALL: [Book; 12] = [
        Book::InstantPosition,
        Book::CentralBankMirror,
        Book::Card,
        Book::CardFees,
        Book::CardSettlement,
        Book::Settlement,
        Book::CentralBank,
        Book::RailTechnical,
        Book::ClearingTechnical,
        Book::GuaranteeFund,
        Book::CardTechnical,
        Book::OperatorSettlement,
    ];

    /// The stored number.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The book of a stored number.
    pub fn from_number(number: u16) -> Option<Book> {
        Book::ALL.into_iter().find(|book| book.number() == number)
    }

    /// Whether accounts of this book keep `posted − held + credit line ≥ 0`.
    pub const fn is_constrained(self) -> bool {
        match self {
            Book::InstantPosition
            | Book::Settlement
            | Book::ClearingTechnical
            | Book::GuaranteeFund
            | Book::CardTechnical => true,
            // Positions may sum to less than zero while an operator takes money out within a net debit cap.
            Book::CentralBankMirror
            | Book::Card
            | Book::CardFees
            | Book::CardSettlement
            | Book::CentralBank
            | Book::RailTechnical
            // More fees may have been given back than were taken.
            | Book::OperatorSettlement => false,
        }
    }
}

impl Account {
    pub(crate) const fn new(key: AccountKey) -> Account {
        Account {
            key,
            debits_posted: 0,
            credits_posted: 0,
            debits_pending: 0,
            credits_pending: 0,
            credit_line: 0,
        }
    }

    /// Owner, book and asset.
    pub const fn key(&self) -> AccountKey {
        self.key
    }

    /// Sum of all posted debits.
    pub const fn debits_posted(&self) -> u128 {
        self.debits_posted
    }

    /// Sum of all posted credits.
    pub const fn credits_posted(&self) -> u128 {
        self.credits_posted
    }

    /// What is held on this account: reserved, not yet posted or voided.
    pub const fn debits_pending(&self) -> u64 {
        self.debits_pending
    }

    /// What is reserved on other accounts in favour of this one.
    pub const fn credits_pending(&self) -> u64 {
        self.credits_pending
    }

    /// How far below zero the account may go; 0 on a prefunded rail.
    pub const fn credit_line(&self) -> u64 {
        self.credit_line
    }

    /// Posted credits less posted debits.
    pub const fn balance(&self) -> i128 {
        // Neither sum passes i128::MAX (see `Ledger`), so the difference cannot leave i128.
        (self.credits_posted as i128).saturating_sub(self.debits_posted as i128)
    }

    /// What may still be debited: balance less what is held, plus the credit line. Never below zero on a constrained
    /// account. What is pending in favour of the account does not count before it is posted.
    pub const fn available(&self) -> i128 {
        self.balance()
            .saturating_sub(self.debits_pending as i128)
            .saturating_add(self.credit_line as i128)
    }
}
