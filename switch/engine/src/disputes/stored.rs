//! Snapshot: cases about payments and cases about card transactions are parts of their own, each in the order of their records.

use torap_domain::Position;

use super::{ATTACHMENTS_MAX, CASES_MAX, Dispute, State, Subject};
use crate::codec::{FactsError, LayoutRule, Reader, Writer};

impl State {
    /// Snapshot: the cases about payments.
    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        self.write_those(writer, |subject| matches!(subject, Subject::Payment(_)));
    }

    /// Snapshot: the cases about card transactions.
    pub(crate) fn write_cards(&self, writer: &mut Writer<'_>) {
        self.write_those(writer, |subject| matches!(subject, Subject::Card(_)));
    }

    fn write_those(&self, writer: &mut Writer<'_>, which: impl Fn(&Subject) -> bool) {
        let cases = self.cases.iter();
        let cases: Vec<_> = cases
            .filter(|(_, dispute)| which(&dispute.subject))
            .collect();
        writer.count(cases.len());
        for (id, dispute) in cases {
            writer.put(id);
            match &dispute.subject {
                Subject::Payment(uetr) => writer.put(uetr),
                Subject::Card(subject) => writer.put(subject),
            }
            dispute.write_rest(writer);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<State, FactsError> {
        let mut state = State::new();
        state.read_those(reader, |reader| reader.field("UETR").map(Subject::Payment))?;
        Ok(state)
    }

    /// Adds the cases about card transactions.
    pub(crate) fn read_cards(&mut self, reader: &mut Reader<'_>) -> Result<(), FactsError> {
        self.read_those(reader, |reader| reader.field("subject").map(Subject::Card))
    }

    fn read_those(
        &mut self,
        reader: &mut Reader<'_>,
        subject: impl Fn(&mut Reader<'_>) -> Result<Subject, FactsError>,
    ) -> Result<(), FactsError> {
        let mut last = None;
        for _ in 0..reader.count("disputes")? {
            let offset = reader.offset();
            let id: Position = reader.field("dispute")?;
            let subject = subject(reader)?;
            let dispute = Dispute::read_rest(subject, reader)?;
            let in_order = last.is_none_or(|last| last < id) && !self.cases.contains_key(&id);
            last = Some(id);
            let own = match &dispute.subject {
                Subject::Payment(uetr) => !self.by_uetr.contains_key(uetr),
                Subject::Card(subject) => !self.by_card.contains_key(&subject.key),
            };
            let within = dispute.attachments.len() <= ATTACHMENTS_MAX
                && self.cases.len() < CASES_MAX
                && !dispute.steps.is_empty();
            if !in_order || !own || !within || !dispute.case.is_sound() {
                return Err(reader.error("dispute", offset, LayoutRule::Value));
            }
            self.insert(id, dispute);
        }
        Ok(())
    }
}
