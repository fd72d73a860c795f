//! Tariffs as the operator sets, tries and sees them. What a period comes to is read from the log by `torap ctl` itself.

use serde_json::{Value, json};
use torap_domain::ParticipantId;
use torap_engine::{
    Command,
    tariffs::{self, Table},
};

use super::{change, show};
use crate::{
    control::{Refusal, Request, TariffForm, UsageForm, Wrong, item_of, tenge},
    serve::switch::{Switch, wall_clock},
};

/// The table in force, as a file would have it.
pub(super) async fn show(switch: &Switch) -> Result<Value, Refusal> {
    let (table, since) = in_force(switch).await?;
    let form = TariffForm::of(&table, &|id| code(switch, id));
    Ok(json!({ "set_at": since, "charge": form.charge, "minimum": form.minimum }))
}

/// What something would be charged, by a table that is not set, or by the one in force. Nothing is written.
pub(super) async fn attempt(
    switch: &Switch,
    form: Option<&TariffForm>,
    usage: &UsageForm,
) -> Result<Value, Refusal> {
    let id = |code: &str| id_of(switch, code);
    let table = match form {
        Some(form) => form.table(&id).map_err(refused)?,
        None => in_force(switch).await?.0,
    };
    let usage = usage.usage(wall_clock(), &id).map_err(refused)?;
    let charges = table.charges(&usage).map(|charge| {
        json!({
            "participant": code(switch, charge.participant),
            "pays": charge.side.name(),
            "row": charge.row,
            "fee": tenge(u128::from(charge.fee)),
        })
    });
    Ok(json!({
        "item": usage.item.name(),
        "minute_of_day": tariffs::minute_of_day(usage.at),
        "charges": charges.collect::<Vec<_>>(),
    }))
}

/// A change that is one command.
pub(super) fn command(switch: &Switch, request: Request) -> Result<Command, Refusal> {
    let command = match request {
        Request::TariffSet { by, tariff } => tariffs::Command::Set {
            source: change::source(&by)?,
            table: tariff.table(&|code| id_of(switch, code)).map_err(refused)?,
        },
        Request::TariffNote {
            by,
            code,
            item,
            count,
        } => tariffs::Command::Note {
            source: change::source(&by)?,
            participant: change::participant(switch, &code)?.id,
            item: item_of(&item).map_err(refused)?,
            count,
        },
        _ => return Err(Refusal::of_request("request", "it changes no tariff")),
    };
    Ok(Command::Tariffs(command))
}

async fn in_force(switch: &Switch) -> Result<(Table, u64), Refusal> {
    show::ask(switch, |engine| {
        let (table, since) = engine.tariff();
        (table.clone(), since.value())
    })
    .await
}

fn id_of(switch: &Switch, code: &str) -> Option<ParticipantId> {
    switch.network().by_code(code).map(|view| view.id)
}

fn code(switch: &Switch, id: ParticipantId) -> String {
    let network = switch.network();
    let view = network.by_id(id);
    view.map_or_else(|| id.value().to_string(), |view| view.code.to_string())
}

fn refused(wrong: Wrong) -> Refusal {
    Refusal::of_request(wrong.place, wrong.text)
}
