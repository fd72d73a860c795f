//! What the switch says on its own: notices, cut-over, the totals of a closed session.

use torap_domain::{Date, Money};
use torap_engine::cards::{Message as Outgoing, Notice, Side, Trace};

use super::answer::Sums;
use super::edits::{Edits, digits};
use super::request::mti_of;
use super::switch_data::{SwitchData, settlement_day};
use super::{Context, RenderError, Scratch};
use crate::card::network::{purpose, reason_text};

/// DE24: text for the operator.
const TEXT: &[u8] = b"650";
/// DE24: final totals of a session.
const FINAL_TOTALS: &[u8] = b"500";
const TENGE: &[u8] = b"398";

impl Context<'_> {
    pub(super) fn write_notice(
        &self,
        notice: &Notice,
        trace: Trace,
        repeat: u16,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<(), RenderError> {
        let code = |participant| {
            let member = self.network.member(participant);
            member.map_or_else(String::new, |member| member.code.as_str().to_string())
        };
        let mut data = SwitchData::begin(&mut scratch.switch);
        data.reference(self.effect.cause);
        let text = match notice {
            Notice::NetDebit {
                participant,
                net_debit,
                cap,
            } => format!(
                "NET DEBIT {} OF CAP {} {}",
                decimal(*net_debit),
                decimal(*cap),
                code(*participant)
            ),
            Notice::OutOfBalance {
                participant,
                session,
                side,
            } => {
                data.session(*session);
                let side = match side {
                    Side::Acquirer => "ACQUIRER",
                    Side::Issuer => "ISSUER",
                };
                format!("SESSION OUT OF BALANCE {side} {}", code(*participant))
            }
        };
        let text = reason_text(&text);
        let transmitted = digits::<10>(u64::from(trace.transmitted.value()));
        let stan = digits::<6>(u64::from(trace.stan.value()));
        let switch = self.network.switch.to_string();
        let security = self.security(None);
        let mut edits = Edits::new();
        edits
            .set(7, &transmitted)
            .set(11, &stan)
            .set(24, TEXT)
            .set(33, switch.as_bytes())
            .set(44, text.as_bytes())
            .set_if(53, security.as_ref().map(|field| field.as_slice()))
            .set(63, data.end());
        edits.write(mti_of(620 + repeat)?, self.mac.is_some(), out)?;
        Ok(())
    }

    pub(super) fn write_cut_over(
        &self,
        session: Date,
        trace: Trace,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<(), RenderError> {
        let transmitted = digits::<10>(u64::from(trace.transmitted.value()));
        let stan = digits::<6>(u64::from(trace.stan.value()));
        let day = settlement_day(session);
        let switch = self.network.switch.to_string();
        let security = self.security(None);
        let mut data = SwitchData::begin(&mut scratch.switch);
        data.session(session);
        let mut edits = Edits::new();
        edits
            .set(7, &transmitted)
            .set(11, &stan)
            .set(15, &day)
            .set(33, switch.as_bytes())
            .set_if(53, security.as_ref().map(|field| field.as_slice()))
            .set(63, data.end())
            .set(70, purpose::CUT_OVER);
        edits.write(mti_of(800)?, self.mac.is_some(), out)?;
        Ok(())
    }

    pub(super) fn write_closing_totals(
        &self,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<(), RenderError> {
        let Outgoing::ClosingTotals {
            participant,
            session,
            side,
            totals,
            trace,
            repeat,
        } = &self.effect.message
        else {
            return Err(RenderError::Mismatch);
        };
        let transmitted = digits::<10>(u64::from(trace.transmitted.value()));
        let stan = digits::<6>(u64::from(trace.stan.value()));
        let day = settlement_day(*session);
        let switch = self.network.switch.to_string();
        let security = self.security(None);
        // Of a bank at a processing centre the host is told whose totals they are.
        let member = self.network.member(*participant);
        let whose = member
            .filter(|_| *participant != self.effect.to)
            .and_then(|member| member.profile.institutions.first())
            .map(|institution| institution.to_string());
        let mut data = SwitchData::begin(&mut scratch.switch);
        data.session(*session);
        if let Some(member) = member {
            data.side(*side, member.code.as_str());
        }
        let sums = Sums::of(*side, totals);
        let mut edits = Edits::new();
        edits
            .set(7, &transmitted)
            .set(11, &stan)
            .set(15, &day)
            .set(24, FINAL_TOTALS)
            .set(33, switch.as_bytes())
            .set(50, TENGE)
            .set_if(53, security.as_ref().map(|field| field.as_slice()))
            .set(63, data.end());
        sums.edit(&mut edits);
        edits.set_if(99, whose.as_ref().map(|whose| whose.as_bytes()));
        let mti = mti_of(520 + u16::from(*repeat))?;
        edits.write(mti, self.mac.is_some(), out)?;
        Ok(())
    }
}

/// Tenge with two decimals.
fn decimal(amount: Money) -> String {
    let mut text = Vec::new();
    amount.write_decimal(&mut text);
    String::from_utf8(text).unwrap_or_default()
}
