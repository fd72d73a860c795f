//! What a bank was told of its messages to IMTS and the clearing system, read from the messages themselves.

use std::collections::BTreeMap;

/// Counts of final and other answers to one message or item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answers {
    pub(crate) settled: u32,
    pub(crate) rejected: u32,
    pub(crate) pending: u32,
}

/// Everything that one bank heard.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// pacs.002 of IMTS, by the identifier of the message that they answer.
    pub(crate) imts: BTreeMap<String, Answers>,
    /// Payments of IMTS that came in, by UETR; returns by their own identifier.
    pub(crate) received: BTreeMap<String, u32>,
    /// camt.025, by the identifier of the message that they answer.
    pub(crate) receipts: BTreeMap<String, Answers>,
    /// camt.029, by the identifier of the cancellation.
    pub(crate) withdrawals: BTreeMap<String, Answers>,
    /// pacs.002 of the clearing system, by the UETR of the item.
    pub(crate) items: BTreeMap<String, Answers>,
    /// Items that came in, by UETR.
    pub(crate) items_received: BTreeMap<String, u32>,
}

impl Answers {
    /// Counts an answer by its code.
    pub(crate) fn count(&mut self, code: &str) {
        match code {
            "ACSC" | "CNCL" => self.settled += 1,
            "RJCT" | "RJCR" => self.rejected += 1,
            _ => self.pending += 1,
        }
    }
}

impl Heard {
    /// Takes a message, if it is one of the two systems.
    pub(crate) fn take(&mut self, body: &[u8]) {
        let Ok(text) = std::str::from_utf8(body) else {
            return;
        };
        match between(text, "<BizSvc>", "</BizSvc>") {
            Some("torap.imts.1") => self.take_imts(text),
            Some("torap.ics.1") => self.take_item(text),
            _ => {}
        }
    }

    fn take_imts(&mut self, text: &str) {
        let status = |code: &str| between(text, &format!("<{code}>"), "<").map(str::to_string);
        if text.contains("<FIToFIPmtStsRpt>") {
            if let Some((id, status)) = status("OrgnlMsgId").zip(status("TxSts")) {
                self.imts.entry(id).or_default().count(&status);
            }
        } else if text.contains("<Rct>") {
            let original = between(text, "<OrgnlMsgId><MsgId>", "<");
            if let Some((id, status)) = original.zip(status("StsCd")) {
                self.receipts.entry(id.into()).or_default().count(&status);
            }
        } else if text.contains("<RsltnOfInvstgtn>") {
            self.take_withdrawal(text);
        } else if text.contains("<PmtRtr>") {
            if let Some(id) = status("RtrId") {
                *self.received.entry(id).or_default() += 1;
            }
        } else if text.contains("<CdtTrfTxInf>")
            && let Some(uetr) = status("UETR")
        {
            *self.received.entry(uetr).or_default() += 1;
        }
    }

    fn take_withdrawal(&mut self, text: &str) {
        let id = between(text, "<CxlStsId>", "<");
        let status = between(text, "<Conf>", "<");
        if let Some((id, status)) = id.zip(status) {
            self.withdrawals.entry(id.into()).or_default().count(status);
        }
    }

    fn take_item(&mut self, text: &str) {
        if text.contains("<RsltnOfInvstgtn>") {
            self.take_withdrawal(text);
        } else if text.contains("<FIToFIPmtStsRpt>") {
            for part in text.split("<TxInfAndSts>").skip(1) {
                let uetr = between(part, "<OrgnlUETR>", "<");
                if let Some((uetr, status)) = uetr.zip(between(part, "<TxSts>", "<")) {
                    self.items.entry(uetr.into()).or_default().count(status);
                }
            }
        } else {
            for part in text.split("<CdtTrfTxInf>").skip(1) {
                if let Some(uetr) = between(part, "<UETR>", "<") {
                    *self.items_received.entry(uetr.into()).or_default() += 1;
                }
            }
        }
    }
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(from)?;
    rest.split_once(to).map(|(found, _)| found)
}
