//! A seed is tried on an engine of its own before a journal has any of it: what the engine refuses is told by row, key and rule, and
//! nothing is left out.

use torap_domain::{Position, Time};
use torap_engine::{
    Command, Engine, Outcome, Output, Stamp,
    participants::{self, CODES_MAX, Profile, View},
};

use super::Placed;

/// Applies the commands to an empty engine.
///
/// # Errors
/// The first that is refused, with its place and the rule.
pub(super) fn run(placed: &[Placed]) -> Result<(), String> {
    let (mut engine, mut output) = (Engine::new(), Output::new());
    for (number, Placed { place, command }) in (1..).zip(placed) {
        let stamp = Stamp {
            position: Position::new(number),
            time: Time::from_nanos(number),
        };
        engine.apply(stamp, command, &mut output);
        let Outcome::Refused(reason) = output.outcome else {
            continue;
        };
        let rule = match command {
            Command::Participants(participants::Command::Add { profile, .. }) => {
                fault(profile, &engine)
            }
            Command::Participants(participants::Command::Fund { .. }) => {
                Some("only who has no sponsor has a position to fund".into())
            }
            _ => None,
        };
        let rule = rule.unwrap_or_else(|| format!("{} ({})", reason.text(), reason.name()));
        return Err(format!("{place}: {rule}"));
    }
    Ok(())
}

/// Which key of a refused profile is wrong, and why; none if it is something else.
fn fault(profile: &Profile, engine: &Engine) -> Option<String> {
    let lists = [
        ("bics", profile.bics.len()),
        ("bank_codes", profile.bank_codes.len()),
        ("services", profile.services.len()),
    ];
    if let Some((key, _)) = lists.into_iter().find(|(_, length)| *length > CODES_MAX) {
        return Some(format!("{key}: at most {CODES_MAX}"));
    }
    if profile.bics.is_empty() {
        return Some("bics: a participant has at least one".into());
    }
    if let (Some(floor), Some(ceiling)) = (profile.floor, profile.ceiling)
        && floor >= ceiling
    {
        return Some("ceiling: must be above the floor".into());
    }
    let switch = engine.settings().switch_bic;
    if let Some(bic) = profile
        .bics
        .iter()
        .find(|bic| bic.same_institution(&switch))
    {
        return Some(format!("bics: `{bic}` is the switch's own institution"));
    }
    let others: Vec<View> = engine.participant_views().collect();
    for other in &others {
        let theirs = |bic: &&torap_domain::Bic| {
            let mut theirs = other.bics.iter();
            theirs.any(|their| their.same_institution(bic))
        };
        if let Some(bic) = profile.bics.iter().find(theirs) {
            let code = other.code;
            return Some(format!("bics: `{bic}` is the institution of {code} above"));
        }
        let mut codes = profile.bank_codes.iter();
        if let Some(code) = codes.find(|code| other.bank_codes.contains(code)) {
            return Some(format!(
                "bank_codes: `{code}` is that of {} above",
                other.code
            ));
        }
    }
    let sponsor = profile.sponsor?;
    let sponsor = others.iter().find(|other| other.id == sponsor)?;
    sponsor.sponsor.map(|_| {
        let code = sponsor.code;
        format!("sponsor: `{code}` has a sponsor itself, so it cannot be one")
    })
}
