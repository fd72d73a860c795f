//! Rules of head.001.

use crate::profile::generated::header as field;
use crate::profile::{Breach, Facts};

pub(crate) fn definition_of_document(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    let same = facts.plain(field::DEFINITION) == Some(facts.document.as_str());
    if same {
        Ok(())
    } else {
        Err(facts.wrong(field::DEFINITION))
    }
}

pub(crate) fn identifier_of_document(facts: &Facts<'_, '_, '_>) -> Result<(), Breach> {
    let Some(identifier) = facts.document_id else {
        return Ok(());
    };
    let same = facts.plain(field::MESSAGE_ID) == Some(identifier);
    if same {
        Ok(())
    } else {
        Err(facts.wrong(field::MESSAGE_ID))
    }
}
