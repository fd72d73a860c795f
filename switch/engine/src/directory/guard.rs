//! The guard against trying out numbers: a bucket of tokens per participant.
//!
//! A look-up that finds somebody costs little, one that finds nobody costs more; a participant whose bucket holds less than the
//! dearer price is not answered at all. It is asked before the look-up's result is used, so that a refusal tells nothing.
//!
//! All in integers: levels count nanotokens, and a refill of `r` tokens a second adds exactly `r` of them each nanosecond.

use std::collections::BTreeMap;

use torap_domain::{ParticipantId, Time};

use crate::{
    codec::{FactsError, LayoutRule, Reader, Writer},
    instant::Settings,
};

const NANOTOKENS: u64 = 1_000_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bucket {
    /// Nanotokens at `at`.
    level: u64,
    at: Time,
}

/// Buckets of those who ever looked up; everybody else's is full.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Guard {
    buckets: BTreeMap<ParticipantId, Bucket>,
}

impl Guard {
    pub(super) fn new() -> Guard {
        Guard::default()
    }

    /// Charges a look-up of `participant`; false if its bucket does not hold the dearer price, and then nothing is charged.
    pub(super) fn charge(
        &mut self,
        participant: ParticipantId,
        hit: bool,
        settings: &Settings,
        now: Time,
    ) -> bool {
        let price = if hit {
            settings.lookup_hit_cost
        } else {
            settings.lookup_miss_cost
        };
        let Some(bucket) = self.filled(participant, settings, now) else {
            return false;
        };
        bucket.level = bucket.level.saturating_sub(tokens(price));
        true
    }

    /// Whether a look-up of `participant` would be answered.
    pub(super) fn answers(
        &mut self,
        participant: ParticipantId,
        settings: &Settings,
        now: Time,
    ) -> bool {
        self.filled(participant, settings, now).is_some()
    }

    /// The bucket as it is now, if it holds the dearer price.
    fn filled(
        &mut self,
        participant: ParticipantId,
        settings: &Settings,
        now: Time,
    ) -> Option<&mut Bucket> {
        let capacity = tokens(settings.lookup_capacity);
        let bucket = self.buckets.entry(participant).or_insert(Bucket {
            level: capacity,
            at: now,
        });
        let elapsed = now.saturating_since(bucket.at).nanos();
        let refill = elapsed.saturating_mul(u64::from(settings.lookup_refill_per_s));
        bucket.level = bucket.level.saturating_add(refill).min(capacity);
        bucket.at = now;
        let hit_price = tokens(settings.lookup_hit_cost);
        let miss_price = tokens(settings.lookup_miss_cost);
        (bucket.level >= hit_price.max(miss_price)).then_some(bucket)
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.count(self.buckets.len());
        for (participant, bucket) in &self.buckets {
            writer.put(participant);
            writer.put(&bucket.level);
            writer.put(&bucket.at);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Guard, FactsError> {
        let mut guard = Guard::new();
        for _ in 0..reader.count("look-up buckets")? {
            let offset = reader.offset();
            let participant = reader.field("bucket participant")?;
            let in_order = guard
                .buckets
                .last_key_value()
                .is_none_or(|(before, _)| *before < participant);
            if !in_order {
                return Err(reader.error("bucket participant", offset, LayoutRule::Value));
            }
            let bucket = Bucket {
                level: reader.field("bucket level")?,
                at: reader.field("bucket at")?,
            };
            guard.buckets.insert(participant, bucket);
        }
        Ok(guard)
    }
}

fn tokens(count: u32) -> u64 {
    u64::from(count).saturating_mul(NANOTOKENS)
}

#[cfg(test)]
mod tests;
