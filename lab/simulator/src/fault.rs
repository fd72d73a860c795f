//! Everything that goes wrong in a simulation, by name, and how often it did.

use std::collections::BTreeMap;

macro_rules! faults {
    ($($variant:ident = $name:literal,)*) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault {
            $($variant,)*
        }

        impl Fault {
    /// Whether it is what card hosts do, which is drawn with their load.
    pub(crate) fn is_of_cards(self) -> bool {
        matches!(
            self,
            Fault::SilentIssuer | Fault::SlowIssuer | Fault::SignOff
        )
    }

            /// Every kind, in a fixed order.
            pub const ALL: &[Fault] = &[$(Fault::$variant,)*];

            /// The name in reports and on the command line.
            pub fn name(self) -> &'static str {
                match self {
                    $(Fault::$variant => $name,)*
                }
            }
        }
    };
}

faults! {
    LinkReset = "link-reset",
    CutMidFrame = "cut-mid-frame",
    Loss = "loss",
    Delay = "delay",
    Reordering = "reordering",
    Duplication = "duplication",
    OneWayPartition = "one-way-partition",
    SlowBank = "slow-bank",
    StuckBank = "stuck-bank",
    Kill = "kill",
    PowerLoss = "power-loss",
    TornWrite = "torn-write",
    CrashInRecovery = "crash-in-recovery",
    CrashInSnapshot = "crash-in-snapshot",
    FailedSync = "failed-sync",
    FailedWrite = "failed-write",
    SlowSync = "slow-sync",
    FullDisk = "full-disk",
    SnapshotDamage = "snapshot-damage",
    IndexLoss = "index-loss",
    ClockJump = "clock-jump",
    BitFlip = "bit-flip",
    MisdirectedWrite = "misdirected-write",
    SilentIssuer = "silent-issuer",
    SlowIssuer = "slow-issuer",
    SignOff = "sign-off",
}

impl Fault {
    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Fault> {
        Fault::ALL
            .iter()
            .copied()
            .find(|fault| fault.name() == name)
    }
}

/// How often each kind happened; only those that did.
pub type Counts = BTreeMap<&'static str, u64>;
