//! Reconciliation of a day, on a thread of its own; a difference is told in the log and in the metrics as well.

use serde_json::Value;
use torap_domain::Date;

use crate::{
    control::Refusal,
    reconcile::Log,
    serve::{metrics, switch::Switch},
};

pub(super) async fn day(switch: &Switch, day: &str) -> Result<Value, Refusal> {
    let date = Date::parse(day).map_err(|error| Refusal::of_request("day", error.to_string()))?;
    let folder = switch.folder.clone();
    let archive = switch.config.journal.archive_dir.clone();
    let work = move || {
        let archive = archive.map(|path| folder.root().join(path));
        Log::open(&folder, archive)?.reconcile(date)
    };
    let failed = |text: String| Refusal {
        place: "log".into(),
        rule: "reconcile".into(),
        text,
        actor: "operator".into(),
    };
    let done = tokio::task::spawn_blocking(work).await;
    let value = done
        .map_err(|error| failed(error.to_string()))?
        .map_err(failed)?;
    let agrees = value["agrees"] == true;
    metrics::reconciled(agrees);
    if agrees {
        tracing::info!(%date, "the day reconciles");
    } else {
        tracing::error!(%date, items = %value["items"], "the day does not reconcile");
    }
    Ok(value)
}
