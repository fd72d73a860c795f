//! The business calendar: which dates (UTC+5) the settlement rails work.
//!
//! Instant payments and cards never close; clearing and RTGS follow this calendar. It is data: yearly holidays by
//! month and day, and single dates that a government decree closes (such as the first day of Kurban Ait, which
//! follows the moon) or opens (a working Saturday).

use crate::time::{Date, Weekday};
use std::collections::BTreeMap;

/// A holiday on the same date every year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FixedHoliday {
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// Whether the next working day is off when the holiday falls on a weekend.
    pub carries_over: bool,
}

/// What a decree makes of a single date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayOverride {
    /// A working day is off.
    Closed,
    /// A weekend or holiday is a working day.
    Working,
}

/// Holidays and single dates of one calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    fixed: Vec<FixedHoliday>,
    overrides: BTreeMap<Date, DayOverride>,
}

/// Public holidays of Kazakhstan on fixed dates (Law on Holidays, articles 2 to 4). A national or state holiday on a
/// weekend makes the next working day a day off (Labour Code, article 85); Orthodox Christmas does not.
pub const KAZAKHSTAN_HOLIDAYS: [FixedHoliday; 14] = [
    holiday(1, 1, true),   // New Year
    holiday(1, 2, true),   // New Year
    holiday(1, 7, false),  // Orthodox Christmas
    holiday(3, 8, true),   // International Women's Day
    holiday(3, 21, true),  // Nauryz
    holiday(3, 22, true),  // Nauryz
    holiday(3, 23, true),  // Nauryz
    holiday(5, 1, true),   // Unity Day
    holiday(5, 7, true),   // Defender of the Fatherland Day
    holiday(5, 9, true),   // Victory Day
    holiday(7, 6, true),   // Capital Day
    holiday(8, 30, true),  // Constitution Day
    holiday(10, 25, true), // Republic Day
    holiday(12, 16, true), // Independence Day
];

/// Days walked back to find holidays that still carry over: more than any run of holidays and weekends lasts.
const CARRY_OVER_DAYS: i32 = 21;

impl Calendar {
    /// A calendar of yearly holidays, without single dates.
    pub fn new(fixed: Vec<FixedHoliday>) -> Calendar {
        Calendar {
            fixed,
            overrides: BTreeMap::new(),
        }
    }

    /// Kazakhstan's fixed holidays; dates that follow the moon or a decree are added with [`Calendar::set`].
    pub fn kazakhstan() -> Calendar {
        Calendar::new(KAZAKHSTAN_HOLIDAYS.to_vec())
    }

    /// Closes or opens one date, or with none gives it back to the rules.
    pub fn set(&mut self, date: Date, what: Option<DayOverride>) {
        match what {
            Some(what) => self.overrides.insert(date, what),
            None => self.overrides.remove(&date),
        };
    }

    /// The yearly holidays.
    pub fn fixed(&self) -> &[FixedHoliday] {
        &self.fixed
    }

    /// The single dates that differ from the rules, in order.
    pub fn overrides(&self) -> impl Iterator<Item = (Date, DayOverride)> + '_ {
        self.overrides.iter().map(|(date, what)| (*date, *what))
    }

    /// Whether the settlement rails work on `date`.
    pub fn is_business_day(&self, date: Date) -> bool {
        // Forward from well before the date, counting the holidays that fell on a weekend and are not yet made up for.
        let mut owed: u32 = 0;
        let mut day = date.add_days(CARRY_OVER_DAYS.saturating_neg());
        loop {
            let business = self.is_business_given(day, &mut owed);
            if day >= date {
                return business;
            }
            day = day.add_days(1);
        }
    }

    /// The first business day after `date`.
    pub fn next_business_day(&self, date: Date) -> Date {
        let mut day = date.add_days(1);
        // The last date that can be held ends the search even if it is closed.
        while !self.is_business_day(day) && day < Date::from_days(i32::MAX) {
            day = day.add_days(1);
        }
        day
    }

    /// The `count`-th business day after `date`; `date` itself if `count` is 0.
    pub fn add_business_days(&self, date: Date, count: u32) -> Date {
        (0..count).fold(date, |day, _| self.next_business_day(day))
    }

    fn is_business_given(&self, day: Date, owed: &mut u32) -> bool {
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        let holiday = self.fixed_on(day);
        if weekend && holiday.is_some_and(|holiday| holiday.carries_over) {
            *owed = owed.saturating_add(1);
        }
        match self.overrides.get(&day) {
            Some(DayOverride::Working) => true,
            Some(DayOverride::Closed) => false,
            None if weekend || holiday.is_some() => false,
            None if *owed > 0 => {
                *owed = owed.saturating_sub(1);
                false
            }
            None => true,
        }
    }

    fn fixed_on(&self, day: Date) -> Option<&FixedHoliday> {
        let (_, month, day) = day.ymd();
        self.fixed
            .iter()
            .find(|holiday| holiday.month == month && holiday.day == day)
    }
}

impl Default for Calendar {
    /// [`Calendar::kazakhstan`].
    fn default() -> Calendar {
        Calendar::kazakhstan()
    }
}

const fn holiday(month: u8, day: u8, carries_over: bool) -> FixedHoliday {
    FixedHoliday {
        month,
        day,
        carries_over,
    }
}

#[cfg(test)]
mod tests;
