//! What the card transactions of a period came to by the fee tables that were in force, and would have by another.

use serde_json::json;
use torap_follower::{CardCosts, compare_card_fees};

use super::{
    PeriodArguments,
    period::{Period, before, codes, compared, open, signed},
};
use crate::{
    cli::{Ending, Failure, replay},
    folder::Folder,
    serve::CardTables,
};

pub(super) fn attempt(
    folder: &Folder,
    arguments: &PeriodArguments,
    tried: &CardTables,
    as_json: bool,
) -> Result<Ending, Failure> {
    let rows = tried.only_fees().map_err(Failure::Usage)?;
    let period = Period::of(arguments)?;
    let log = open(folder, arguments)?;
    let start = before(&log, &period)?;
    let found = compare_card_fees(
        &log.reader,
        start,
        period.until,
        &rows,
        &mut replay::progress(),
    );
    let found = found.map_err(|error| log.failed(&error))?;
    let unsound = || Failure::Usage("card.fee: a row's range, rate or time is not sound".into());
    let (measured, costs) = found.ok_or_else(unsound)?;
    let mut rows = Vec::new();
    let total = |costs: &CardCosts| costs.interchange + costs.switch;
    for (id, code) in codes(&measured.engine) {
        let Some([now, then]) = costs.get(&id) else {
            continue;
        };
        rows.push(json!({
            "participant": code,
            "interchange_in_force": signed(now.interchange),
            "interchange_tried": signed(then.interchange),
            "switch_in_force": signed(now.switch),
            "switch_tried": signed(then.switch),
            "difference": signed(total(then) - total(now)),
        }));
    }
    let value = json!({
        "period": period.name,
        "complete": measured.complete,
        "records": measured.records,
        "participants": rows,
    });
    compared(&value, as_json)
}
