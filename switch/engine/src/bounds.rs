//! How much the engine remembers. Every bound decides something (what is a duplicate, what is refused as full), so they are
//! state, changed by a command; the defaults hold without one. Memory grows with use, never ahead of it.

/// The engine's bounds, each a number of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Finished payments and returns whose identifiers are remembered; older ones come as facts from the index.
    pub duplicate_window_entries: u32,
    /// Payments under way at once; more are refused with `InFlightFull`.
    pub in_flight_max: u32,
    /// Payers counted per day, each once per service and bank; more are refused with `CustomerTableFull`.
    pub customers_per_day_max: u32,
    /// Recalls that wait for an answer.
    pub open_recalls_max: u32,
    /// Dynamic QR codes that have not expired.
    pub open_qr_codes_max: u32,
    /// Directory changes remembered to tell a stale look-up.
    pub recent_alias_changes_max: u32,
}

impl Bounds {
    /// What holds as long as no command says otherwise.
    pub const DEFAULT: Bounds = Bounds {
        duplicate_window_entries: 16_777_216,
        in_flight_max: 65_536,
        customers_per_day_max: 4_194_304,
        open_recalls_max: 100_000,
        open_qr_codes_max: 1_000_000,
        recent_alias_changes_max: 65_536,
    };

    /// The largest that may be set: tables grow in pieces, and above these one piece would take too long.
    pub const MAX: Bounds = Bounds {
        duplicate_window_entries: 33_554_432,
        in_flight_max: 1_048_576,
        customers_per_day_max: 67_108_864,
        open_recalls_max: 1_048_576,
        open_qr_codes_max: 16_777_216,
        recent_alias_changes_max: 1_048_576,
    };

    /// Whether every bound is at least one and none is above [`Bounds::MAX`].
    pub fn are_sound(&self) -> bool {
        let pairs = [
            (
                self.duplicate_window_entries,
                Self::MAX.duplicate_window_entries,
            ),
            (self.in_flight_max, Self::MAX.in_flight_max),
            (self.customers_per_day_max, Self::MAX.customers_per_day_max),
            (self.open_recalls_max, Self::MAX.open_recalls_max),
            (self.open_qr_codes_max, Self::MAX.open_qr_codes_max),
            (
                self.recent_alias_changes_max,
                Self::MAX.recent_alias_changes_max,
            ),
        ];
        pairs
            .into_iter()
            .all(|(bound, most)| (1..=most).contains(&bound))
    }
}
