//! Which participant a BIC or a bank code leads to: small tables, rebuilt when a participant changes, read three times a
//! payment.

use torap_domain::{BankCode, Bic, ParticipantId};

/// An institution (first eight characters of a BIC, as a number) and where it leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    institution: u64,
    participant: ParticipantId,
}

/// Open addressing, at most half full, by a fixed multiplication: the operator sets the codes, nobody else does.
#[derive(Clone, Debug)]
pub(super) struct Codes {
    rows: Vec<Option<Row>>,
    by_bank_code: Vec<Option<ParticipantId>>,
}

const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
const BANK_CODES: usize = 1000;

impl Codes {
    pub(super) fn new() -> Codes {
        Codes {
            rows: vec![None; 2],
            by_bank_code: vec![None; BANK_CODES],
        }
    }

    /// The tables of all participants' codes. Where two name one code, the first keeps it.
    pub(super) fn build<'a>(
        bics: impl Iterator<Item = (&'a Bic, ParticipantId)> + Clone,
        bank_codes: impl Iterator<Item = (BankCode, ParticipantId)>,
    ) -> Codes {
        let slots = bics.clone().count().saturating_add(1).saturating_mul(2);
        let mut codes = Codes {
            rows: vec![None; slots.next_power_of_two()],
            by_bank_code: vec![None; BANK_CODES],
        };
        for (bic, participant) in bics {
            codes.add(institution(bic), participant);
        }
        for (code, participant) in bank_codes {
            if let Some(slot) = codes.by_bank_code.get_mut(usize::from(code.value())) {
                slot.get_or_insert(participant);
            }
        }
        codes
    }

    pub(super) fn by_bic(&self, bic: &Bic) -> Option<ParticipantId> {
        let wanted = institution(bic);
        let mut slot = self.first_slot(wanted);
        // The table is at most half full, so an empty row comes before the walk is round.
        while let Some(Some(row)) = self.rows.get(slot) {
            if row.institution == wanted {
                return Some(row.participant);
            }
            slot = self.next_slot(slot);
        }
        None
    }

    pub(super) fn by_bank_code(&self, code: BankCode) -> Option<ParticipantId> {
        self.by_bank_code
            .get(usize::from(code.value()))
            .copied()
            .flatten()
    }

    fn add(&mut self, institution: u64, participant: ParticipantId) {
        let mut slot = self.first_slot(institution);
        while let Some(Some(row)) = self.rows.get(slot) {
            if row.institution == institution {
                return;
            }
            slot = self.next_slot(slot);
        }
        if let Some(row) = self.rows.get_mut(slot) {
            *row = Some(Row {
                institution,
                participant,
            });
        }
    }

    fn first_slot(&self, institution: u64) -> usize {
        let mixed = institution.wrapping_mul(MULTIPLIER) >> 32;
        mixed as usize & self.mask()
    }

    fn next_slot(&self, slot: usize) -> usize {
        slot.wrapping_add(1) & self.mask()
    }

    fn mask(&self) -> usize {
        self.rows.len().wrapping_sub(1)
    }
}

fn institution(bic: &Bic) -> u64 {
    let eight = bic.as_bytes().first_chunk::<8>();
    eight.map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
