//! The kinds of commands: the one table of their numbers, names and layout versions.

use crate::{
    Command, ancillary, approval, cards, clearing, directory, disputes, instant, links, mass,
    participants, qr, reports, schedule, settlement, tariffs,
};

macro_rules! kinds {
    ($($(#[$meta:meta])* $variant:ident = $number:literal, $name:literal, $version:literal;)+) => {
        /// Kind of a command in the journal. Numbers below 0x10 belong to the journal itself; a number is never reused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Kind {
            $($(#[$meta])* $variant = $number,)+
        }

        impl Kind {
            /// Every kind, in the order of the numbers.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant,)+];

            /// The kind of a stored number.
            pub const fn from_number(number: u16) -> Option<Kind> {
                match number {
                    $($number => Some(Kind::$variant),)+
                    _ => None,
                }
            }

            /// Kebab-case name; stable, meant for machines.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Kind::$variant => $name,)+
                }
            }

            /// The version of the layout that is written: its first byte.
            pub const fn version(self) -> u8 {
                match self {
                    $(Kind::$variant => $version,)+
                }
            }
        }
    };
}

kinds! {
    /// pacs.008
    CreditTransfer = 0x10, "credit-transfer", 1;
    /// pacs.002 of the payee's bank
    Answer = 0x11, "answer", 1;
    /// acmt.024 of the payee's bank
    ConfirmAnswer = 0x12, "confirm-answer", 1;
    /// pacs.004
    Return = 0x13, "return", 1;
    /// camt.056
    Recall = 0x14, "recall", 1;
    /// camt.029
    Resolution = 0x15, "resolution", 1;
    /// pacs.028
    StatusRequest = 0x16, "status-request", 1;
    /// Clocks of the instant rail
    SetSettings = 0x17, "set-settings", 1;
    /// Limits of a service
    SetLimits = 0x18, "set-limits", 1;
    /// What may be recalled for a reason
    SetRecallRule = 0x19, "set-recall-rule", 1;
    /// A change of a directory entry
    DirectoryChange = 0x20, "directory-change", 1;
    /// acmt.023
    DirectoryLookUp = 0x21, "directory-look-up", 1;
    /// A piece of a bulk import
    DirectoryImport = 0x22, "directory-import", 1;
    /// A dynamic QR code
    QrRegister = 0x30, "qr-register", 1;
    /// Its withdrawal
    QrCancel = 0x31, "qr-cancel", 1;
    /// A participant signed on
    LinkUp = 0x40, "link-up", 1;
    /// A participant's link ended
    LinkDown = 0x41, "link-down", 1;
    /// A message that was not understood
    LinkRefused = 0x42, "link-refused", 1;
    /// A message that asks nothing
    LinkNoted = 0x43, "link-noted", 1;
    /// A new participant
    ParticipantAdd = 0x50, "participant-add", 1;
    /// Its profile
    ParticipantUpdate = 0x51, "participant-update", 1;
    /// Its state
    ParticipantState = 0x52, "participant-state", 1;
    /// Prefunded, or a net debit cap
    ParticipantPositionMode = 0x53, "participant-position-mode", 1;
    /// After a merger
    ParticipantSuccessor = 0x54, "participant-successor", 1;
    /// Funding and defunding
    ParticipantFund = 0x55, "participant-fund", 1;
    /// A change with an effective time
    ScheduleOrder = 0x58, "schedule-order", 1;
    /// Its withdrawal
    ScheduleWithdraw = 0x59, "schedule-withdraw", 1;
    /// Time has passed
    Tick = 0x60, "tick", 1;
    /// A process opened the log
    Start = 0x61, "start", 1;
    /// The rules version
    Rules = 0x62, "rules", 1;
    /// The running digest
    Mark = 0x63, "mark", 1;
    /// How much the engine remembers
    Bounds = 0x64, "bounds", 1;
    /// 0100, 0200
    CardRequest = 0x70, "card-request", 1;
    /// 0120, 0220 of an acquirer
    CardAdvice = 0x71, "card-advice", 1;
    /// 0400, 0420
    CardReversal = 0x72, "card-reversal", 1;
    /// 0110, 0210 of an issuer
    CardAnswer = 0x73, "card-answer", 1;
    /// The answer of a foreign scheme
    CardSchemeAnswer = 0x74, "card-scheme-answer", 1;
    /// An answer to a letter of the queue
    CardAcknowledged = 0x75, "card-acknowledged", 1;
    /// 0302
    CardFileUpdate = 0x76, "card-file-update", 1;
    /// 0500, 0520
    CardReconciliation = 0x77, "card-reconciliation", 1;
    /// 0600, 0620
    CardAdministrative = 0x78, "card-administrative", 1;
    /// 0800
    CardNetwork = 0x79, "card-network", 1;
    /// A card message that was not understood
    CardMalformed = 0x7a, "card-malformed", 1;
    /// A connection of a member is there
    CardLinkUp = 0x7b, "card-link-up", 1;
    /// It ended
    CardLinkDown = 0x7c, "card-link-down", 1;
    /// Clocks and bounds of the card rail
    CardSetSettings = 0x80, "card-set-settings", 1;
    /// The BIN table
    CardSetBins = 0x81, "card-set-bins", 1;
    /// The fee table
    CardSetFees = 0x82, "card-set-fees", 1;
    /// How long authorisations live
    CardSetLifetimes = 0x83, "card-set-lifetimes", 1;
    /// A stand-in rule
    CardSetStandIn = 0x84, "card-set-stand-in", 1;
    /// A foreign scheme
    CardSetScheme = 0x85, "card-set-scheme", 1;
    /// The card profile of a participant
    CardSetMember = 0x86, "card-set-member", 1;
    /// The operator's change of the stop list
    CardStopList = 0x87, "card-stop-list", 1;
    /// The session ends now
    CardCutOver = 0x88, "card-cut-over", 1;
    /// A session is settled elsewhere
    CardSettleSession = 0x89, "card-settle-session", 1;
    /// A change of zone keys
    CardKeyOrder = 0x8a, "card-key-order", 1;
    /// An HSM has made them
    CardKeysMade = 0x8b, "card-keys-made", 1;
    /// An answer to a letter about keys
    CardKeyAnswer = 0x8c, "card-key-answer", 1;
    /// The change is taken back
    CardKeyCancel = 0x8d, "card-key-cancel", 1;
    /// Card tables that are set together
    CardSetTables = 0x8e, "card-set-tables", 1;
    /// Money between the central bank and a settlement account
    SettlementFund = 0x90, "settlement-fund", 1;
    /// A liquidity transfer
    SettlementTransfer = 0x91, "settlement-transfer", 1;
    /// An RTGS payment
    SettlementPay = 0x92, "settlement-pay", 1;
    /// A change of a queued payment
    SettlementChange = 0x93, "settlement-change", 1;
    /// An intraday credit line
    SettlementCreditLine = 0x94, "settlement-credit-line", 1;
    /// A limit of IMTS
    SettlementLimit = 0x95, "settlement-limit", 1;
    /// A reservation
    SettlementReserve = 0x96, "settlement-reserve", 1;
    /// Payments that settle all at once
    SettlementResolve = 0x97, "settlement-resolve", 1;
    /// A business day of IMTS begins
    SettlementOpen = 0x98, "settlement-open", 1;
    /// It ends
    SettlementClose = 0x99, "settlement-close", 1;
    /// The hours of business days
    SettlementHours = 0x9a, "settlement-hours", 1;
    /// A single date of the calendar
    SettlementDay = 0x9b, "settlement-day", 1;
    /// pacs.009 or pacs.008 of IMTS
    SettlementInstruct = 0x9c, "settlement-instruct", 1;
    /// camt.056 of IMTS
    SettlementCancel = 0x9d, "settlement-cancel", 1;
    /// pacs.004 of IMTS
    SettlementReturn = 0x9e, "settlement-return", 1;
    /// camt.050
    SettlementLiquidity = 0x9f, "settlement-liquidity", 1;
    /// Items to be cleared: a pacs.008, or a piece of a file
    ClearingSubmit = 0xa0, "clearing-submit", 1;
    /// An item is taken back
    ClearingWithdraw = 0xa1, "clearing-withdraw", 1;
    /// The open session closes now
    ClearingClose = 0xa2, "clearing-close", 1;
    /// Rules and timetable of the clearing system
    ClearingSetSettings = 0xa3, "clearing-set-settings", 1;
    /// Whether liquidity transfers wait for the next business day
    SettlementKeepLiquidity = 0xa4, "settlement-keep-liquidity", 1;
    /// camt.056 of the clearing system
    ClearingCancel = 0xa5, "clearing-cancel", 1;
    /// How card sessions settle in IMTS
    AncillarySetSettings = 0xa8, "ancillary-set-settings", 1;
    /// A card session is settled in IMTS
    AncillarySettleCards = 0xa9, "ancillary-settle-cards", 1;
    /// A movement of the guarantee fund
    GuaranteeFund = 0xaa, "guarantee-fund", 1;
    /// What a participant has to have in it
    GuaranteeRequire = 0xab, "guarantee-require", 1;
    /// What is missing in it is taken
    GuaranteeCall = 0xac, "guarantee-call", 1;
    /// When a position is topped up and swept
    LiquidityRule = 0xad, "liquidity-rule", 1;
    /// The money side of a delivery against payment
    Deliver = 0xae, "deliver", 1;
    /// The depository is done with it
    DeliveryClose = 0xaf, "delivery-close", 1;
    /// A tariff table
    TariffSet = 0xb0, "tariff-set", 1;
    /// A service to be charged
    TariffNote = 0xb1, "tariff-note", 1;
    /// A piece of a file of instant payments
    MassSubmit = 0xb2, "mass-submit", 1;
    /// A case about a payment
    DisputeOpen = 0xb3, "dispute-open", 1;
    /// A step of a case
    DisputeAct = 0xb4, "dispute-act", 1;
    /// A document of a case
    DisputeAttach = 0xb5, "dispute-attach", 1;
    /// camt.060, camt.003
    ReportRequest = 0xb8, "report-request", 1;
    /// What the read side found
    ReportAnswer = 0xb9, "report-answer", 1;
    /// What a participant is sent without asking
    ReportWants = 0xba, "report-wants", 1;
    /// A piece of a presentment file
    CardPresent = 0xbc, "card-present", 1;
    /// A case about a card transaction
    DisputeOpenCard = 0xbd, "dispute-open-card", 1;
    /// What needs a second operator
    ApprovalSetSettings = 0xc8, "approval-set-settings", 1;
    /// A command that waits for one
    ApprovalPropose = 0xc9, "approval-propose", 1;
    /// It is approved or rejected
    ApprovalDecide = 0xca, "approval-decide", 1;
    /// Where payments of which purposes must go
    ClearingSetPurposes = 0xcb, "clearing-set-purposes", 1;
    /// camt.007
    SettlementModify = 0xd0, "settlement-modify", 1;
    /// Items to be cleared of a message of which some break the usage table
    ClearingSubmitPart = 0xd1, "clearing-submit-part", 1;
    /// Where payments of which purposes must go, and which have lists of beneficiaries
    ClearingSetLists = 0xd2, "clearing-set-lists", 1;
    /// A pacs.008 with many instant payments, a piece of a file
    MassTake = 0xd4, "mass-take", 1;
    /// A line of it that could not be handed in
    MassMiss = 0xd5, "mass-miss", 1;
}

impl Kind {
    /// The stored number.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The kind of a command.
    pub fn of(command: &Command) -> Kind {
        match command {
            Command::Instant(command) => match command {
                instant::Command::CreditTransfer(_) => Kind::CreditTransfer,
                instant::Command::Answer(_) => Kind::Answer,
                instant::Command::ConfirmAnswer(_) => Kind::ConfirmAnswer,
                instant::Command::Return(_) => Kind::Return,
                instant::Command::Recall(_) => Kind::Recall,
                instant::Command::Resolution(_) => Kind::Resolution,
                instant::Command::StatusRequest(_) => Kind::StatusRequest,
                instant::Command::SetSettings { .. } => Kind::SetSettings,
                instant::Command::SetLimits { .. } => Kind::SetLimits,
                instant::Command::SetRecallRule { .. } => Kind::SetRecallRule,
            },
            Command::Directory(command) => match command {
                directory::Command::Change(_) => Kind::DirectoryChange,
                directory::Command::LookUp(_) => Kind::DirectoryLookUp,
                directory::Command::Import { .. } => Kind::DirectoryImport,
            },
            Command::Qr(command) => match command {
                qr::Command::Register(_) => Kind::QrRegister,
                qr::Command::Cancel { .. } => Kind::QrCancel,
            },
            Command::Links(command) => match command {
                links::Command::Up { .. } => Kind::LinkUp,
                links::Command::Down { .. } => Kind::LinkDown,
                links::Command::Refused { .. } => Kind::LinkRefused,
                links::Command::Noted { .. } => Kind::LinkNoted,
            },
            Command::Participants(command) => match command {
                participants::Command::Add { .. } => Kind::ParticipantAdd,
                participants::Command::Update { .. } => Kind::ParticipantUpdate,
                participants::Command::SetState { .. } => Kind::ParticipantState,
                participants::Command::SetPositionMode { .. } => Kind::ParticipantPositionMode,
                participants::Command::SetSuccessor { .. } => Kind::ParticipantSuccessor,
                participants::Command::Fund { .. } => Kind::ParticipantFund,
            },
            Command::Schedule(command) => match command {
                schedule::Command::Order { .. } => Kind::ScheduleOrder,
                schedule::Command::Withdraw { .. } => Kind::ScheduleWithdraw,
            },
            Command::Cards(command) => Kind::of_cards(command),
            Command::Settlement(command) => Kind::of_settlement(command),
            Command::Clearing(command) => match command {
                clearing::Command::Submit(submit) if !submit.refused.is_empty() => {
                    Kind::ClearingSubmitPart
                }
                clearing::Command::Submit(_) => Kind::ClearingSubmit,
                clearing::Command::Withdraw { .. } => Kind::ClearingWithdraw,
                clearing::Command::Close { .. } => Kind::ClearingClose,
                clearing::Command::SetSettings { .. } => Kind::ClearingSetSettings,
                clearing::Command::Cancel(_) => Kind::ClearingCancel,
                clearing::Command::SetPurposes { rows, .. } if clearing::has_lists(rows) => {
                    Kind::ClearingSetLists
                }
                clearing::Command::SetPurposes { .. } => Kind::ClearingSetPurposes,
            },
            Command::Ancillary(command) => match command {
                ancillary::Command::SetSettings { .. } => Kind::AncillarySetSettings,
                ancillary::Command::SettleCards { .. } => Kind::AncillarySettleCards,
                ancillary::Command::Fund { .. } => Kind::GuaranteeFund,
                ancillary::Command::Require { .. } => Kind::GuaranteeRequire,
                ancillary::Command::Call { .. } => Kind::GuaranteeCall,
                ancillary::Command::SetLiquidity { .. } => Kind::LiquidityRule,
                ancillary::Command::Deliver { .. } => Kind::Deliver,
                ancillary::Command::CloseDelivery { .. } => Kind::DeliveryClose,
            },
            Command::Tariffs(command) => match command {
                tariffs::Command::Set { .. } => Kind::TariffSet,
                tariffs::Command::Note { .. } => Kind::TariffNote,
            },
            Command::Mass(command) => match command {
                mass::Command::Submit(_) => Kind::MassSubmit,
                mass::Command::Take(_) => Kind::MassTake,
                mass::Command::Miss(_) => Kind::MassMiss,
            },
            Command::Disputes(command) => match command {
                disputes::Command::Open { .. } => Kind::DisputeOpen,
                disputes::Command::OpenCard { .. } => Kind::DisputeOpenCard,
                disputes::Command::Act { .. } => Kind::DisputeAct,
                disputes::Command::Attach { .. } => Kind::DisputeAttach,
            },
            Command::Reports(command) => match command {
                reports::Command::Request(_) => Kind::ReportRequest,
                reports::Command::Answer(_) => Kind::ReportAnswer,
                reports::Command::SetWants { .. } => Kind::ReportWants,
            },
            Command::Approval(command) => match command {
                approval::Command::SetSettings { .. } => Kind::ApprovalSetSettings,
                approval::Command::Propose { .. } => Kind::ApprovalPropose,
                approval::Command::Decide { .. } => Kind::ApprovalDecide,
            },
            Command::Tick => Kind::Tick,
            Command::Start { .. } => Kind::Start,
            Command::Rules { .. } => Kind::Rules,
            Command::Mark { .. } => Kind::Mark,
            Command::Bounds { .. } => Kind::Bounds,
        }
    }

    const fn of_cards(command: &cards::Command) -> Kind {
        match command {
            cards::Command::Request(_) => Kind::CardRequest,
            cards::Command::Advice(_) => Kind::CardAdvice,
            cards::Command::Reversal(_) => Kind::CardReversal,
            cards::Command::Answer(_) => Kind::CardAnswer,
            cards::Command::SchemeAnswer(_) => Kind::CardSchemeAnswer,
            cards::Command::Acknowledged(_) => Kind::CardAcknowledged,
            cards::Command::FileUpdate(_) => Kind::CardFileUpdate,
            cards::Command::Reconciliation(_) => Kind::CardReconciliation,
            cards::Command::Administrative(_) => Kind::CardAdministrative,
            cards::Command::Network(_) => Kind::CardNetwork,
            cards::Command::Keys(command) => match command {
                cards::KeyCommand::Order { .. } => Kind::CardKeyOrder,
                cards::KeyCommand::Made { .. } => Kind::CardKeysMade,
                cards::KeyCommand::Answer(_) => Kind::CardKeyAnswer,
                cards::KeyCommand::Cancel { .. } => Kind::CardKeyCancel,
            },
            cards::Command::Malformed(_) => Kind::CardMalformed,
            cards::Command::LinkUp { .. } => Kind::CardLinkUp,
            cards::Command::LinkDown { .. } => Kind::CardLinkDown,
            cards::Command::SetSettings { .. } => Kind::CardSetSettings,
            cards::Command::SetBins { .. } => Kind::CardSetBins,
            cards::Command::SetFees { .. } => Kind::CardSetFees,
            cards::Command::SetLifetimes { .. } => Kind::CardSetLifetimes,
            cards::Command::SetStandIn { .. } => Kind::CardSetStandIn,
            cards::Command::SetScheme { .. } => Kind::CardSetScheme,
            cards::Command::SetMember { .. } => Kind::CardSetMember,
            cards::Command::StopList { .. } => Kind::CardStopList,
            cards::Command::CutOver { .. } => Kind::CardCutOver,
            cards::Command::SettleSession { .. } => Kind::CardSettleSession,
            cards::Command::Present(_) => Kind::CardPresent,
            cards::Command::SetTables { .. } => Kind::CardSetTables,
        }
    }

    const fn of_settlement(command: &settlement::Command) -> Kind {
        match command {
            settlement::Command::Fund { .. } => Kind::SettlementFund,
            settlement::Command::Transfer { .. } => Kind::SettlementTransfer,
            settlement::Command::Pay { .. } => Kind::SettlementPay,
            settlement::Command::Change { .. } => Kind::SettlementChange,
            settlement::Command::SetCreditLine { .. } => Kind::SettlementCreditLine,
            settlement::Command::SetLimit { .. } => Kind::SettlementLimit,
            settlement::Command::Reserve { .. } => Kind::SettlementReserve,
            settlement::Command::Resolve { .. } => Kind::SettlementResolve,
            settlement::Command::Open { .. } => Kind::SettlementOpen,
            settlement::Command::Close { .. } => Kind::SettlementClose,
            settlement::Command::SetHours { .. } => Kind::SettlementHours,
            settlement::Command::SetDay { .. } => Kind::SettlementDay,
            settlement::Command::Instruct(_) => Kind::SettlementInstruct,
            settlement::Command::Cancel(_) => Kind::SettlementCancel,
            settlement::Command::Return(_) => Kind::SettlementReturn,
            settlement::Command::MoveLiquidity(_) => Kind::SettlementLiquidity,
            settlement::Command::KeepLiquidity { .. } => Kind::SettlementKeepLiquidity,
            settlement::Command::Modify(_) => Kind::SettlementModify,
        }
    }
}
