//! The operator's door: a Unix socket for root and the user the switch runs as, one JSON request a line.

mod ancillary;
mod approval;
mod card_history;
mod cards;
mod change;
mod clearing;
mod disputes;
mod history;
mod import;
mod keys;
mod mass;
mod presentments;
mod reconcile;
mod retention;
mod rtgs;
mod show;
mod tariff;

use std::{io, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Interest},
    net::{UnixListener, UnixStream, unix::OwnedWriteHalf},
    sync::watch,
};
use torap_engine::Outcome;

use super::{intake::Stopped, switch::Switch};
use crate::control::{Answer, By, LINE_BYTES_MAX, Refusal, Request};

pub(crate) use ancillary::report_row;
pub(super) use show::cpu_us;

/// How often it is looked whether the peer of a request that waits is still there.
const GONE_EVERY: Duration = Duration::from_millis(50);

/// Serves until it is aborted.
pub(super) async fn serve(
    switch: Arc<Switch>,
    listener: UnixListener,
    stop: Arc<watch::Sender<bool>>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let (switch, stop) = (Arc::clone(&switch), Arc::clone(&stop));
                tokio::spawn(async move {
                    if let Err(error) = converse(&switch, stream, &stop).await {
                        tracing::debug!(%error, "control connection ended");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a control connection");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

async fn converse(
    switch: &Switch,
    stream: UnixStream,
    stop: &watch::Sender<bool>,
) -> io::Result<()> {
    let peer = stream.peer_cred()?;
    let own = rustix::process::getuid().as_raw();
    let (read, mut write) = stream.into_split();
    if peer.uid() != 0 && peer.uid() != own {
        tracing::warn!(uid = peer.uid(), "turned away at the control socket");
        let refusal = Refusal::of_request(
            "peer",
            "only root and the user that runs the switch may operate it",
        );
        return write.write_all(&line(&Answer::refused(refusal))).await;
    }
    let mut lines = BufReader::new(read);
    let mut text = String::new();
    loop {
        text.clear();
        let read = (&mut lines)
            .take(LINE_BYTES_MAX as u64)
            .read_line(&mut text)
            .await?;
        if read == 0 {
            return Ok(());
        }
        let answer = if text.ends_with('\n') {
            match serde_json::from_str::<Request>(&text) {
                Ok(Request::Stop) => {
                    stop.send_replace(true);
                    Answer::done(json!({ "stopping": true }))
                }
                // It may wait for minutes, and nobody is told of it then.
                Ok(request @ Request::MassSubmit { .. }) => {
                    let work = answer(switch, request, peer.uid());
                    match unless_gone(&write, work).await {
                        Some(answer) => answer,
                        None => return Ok(()),
                    }
                }
                Ok(request) => answer(switch, request, peer.uid()).await,
                Err(error) => Answer::refused(Refusal::of_request("request", error.to_string())),
            }
        } else {
            let refusal = Refusal::of_request(
                "request",
                format!("a line is at most {LINE_BYTES_MAX} bytes"),
            );
            write.write_all(&line(&Answer::refused(refusal))).await?;
            return Ok(());
        };
        write.write_all(&line(&answer)).await?;
    }
}

/// What comes of some work, unless the peer closes its side of the connection for good; one that only sends no more still listens.
async fn unless_gone<T>(write: &OwnedWriteHalf, work: impl Future<Output = T>) -> Option<T> {
    let gone = async {
        while let Ok(ready) = write.ready(Interest::WRITABLE).await
            && !ready.is_write_closed()
        {
            tokio::time::sleep(GONE_EVERY).await;
        }
    };
    tokio::select! {
        biased;
        done = work => Some(done),
        () = gone => None,
    }
}

fn line(answer: &Answer) -> Vec<u8> {
    // The answer holds strings, numbers and maps with string keys: it always has a JSON form.
    let mut line = serde_json::to_vec(answer).unwrap_or_default();
    line.push(b'\n');
    line
}

async fn answer(switch: &Switch, request: Request, uid: u32) -> Answer {
    if let Some(by) = by(&request) {
        tracing::info!(operator = %by.operator, reference = %by.reference, uid, "operator's change");
    }
    let result = match request {
        Request::Status => show::status(switch).await,
        Request::Positions => show::positions(switch).await,
        Request::Participants => show::participants(switch),
        Request::Limits => show::limits(switch).await,
        Request::Settings => show::settings(switch).await,
        Request::Payment { id } => history::payment(switch, &id).await,
        Request::Payments {
            code,
            from,
            until,
            after,
            max,
        } => {
            let range = (from.as_deref(), until.as_deref());
            history::payments(switch, &code, range, after.as_deref(), max)
        }
        Request::CardTransaction { id } => card_history::transaction(switch, &id),
        Request::JournalArchive => retention::archive(switch).await,
        Request::JournalExpire {
            without, dry_run, ..
        } => retention::expire(switch, &without, dry_run).await,
        Request::DirectoryShow { phone } => show::directory(switch, &phone),
        Request::Schedule => show::schedule(switch).await,
        Request::Proposals => approval::list(switch).await,
        Request::ApprovalSet {
            by,
            families,
            within_hours,
        } => approval::set(switch, &by, &families, within_hours).await,
        Request::Approve { by, id } => approval::decide(switch, &by, id, true).await,
        Request::Reject { by, id } => approval::decide(switch, &by, id, false).await,
        Request::Card { what } => cards::show(switch, what).await,
        Request::CardSet { by, tables } => cards::set(switch, &by, &tables).await,
        Request::Rtgs { what } => rtgs::show(switch, what).await,
        Request::RtgsResolve {
            by,
            rule,
            steps_max,
        } => rtgs::resolve(switch, &by, rule, steps_max).await,
        Request::Clearing { what } => clearing::show(switch, what).await,
        submission @ Request::ClearingSubmit { .. } => clearing::submit(switch, submission).await,
        Request::Reconcile { day } => reconcile::day(switch, &day).await,
        Request::Ancillary { what } => ancillary::show(switch, what).await,
        Request::Disputes { case, code, open } => {
            disputes::show(switch, case, code.as_deref(), open).await
        }
        Request::DisputeEvidence { case, number } => disputes::evidence(switch, case, number).await,
        step @ (Request::DisputeOpen { .. }
        | Request::DisputeOpenCard { .. }
        | Request::DisputeAct { .. }
        | Request::DisputeAttach { .. }) => disputes::change(switch, step).await,
        Request::MassShow { code, file, after } => mass::show(switch, &code, &file, after).await,
        submission @ Request::MassSubmit { .. } => mass::submit(switch, submission).await,
        Request::CardPresentments { code, file, after } => {
            presentments::show(switch, code.as_deref(), file.as_deref(), after).await
        }
        submission @ Request::CardPresent { .. } => presentments::submit(switch, submission).await,
        Request::CardPutOff { code, file, after } => {
            presentments::put_off(switch, &code, &file, after).await
        }
        Request::Tariff => tariff::show(switch).await,
        Request::TariffTry { tariff, usage } => {
            tariff::attempt(switch, tariff.as_ref(), &usage).await
        }
        Request::Report => show::report(switch).await,
        Request::Snapshot => show::snapshot(switch).await,
        Request::Stop => Ok(Value::Null),
        change => change::change(switch, change).await,
    };
    match result {
        Ok(result) => Answer::done(result),
        Err(refusal) => Answer::refused(refusal),
    }
}

fn by(request: &Request) -> Option<&By> {
    match request {
        Request::ParticipantAdd { by, .. }
        | Request::ParticipantUpdate { by, .. }
        | Request::ParticipantState { by, .. }
        | Request::ParticipantMode { by, .. }
        | Request::ParticipantSuccessor { by, .. }
        | Request::Fund { by, .. }
        | Request::SetLimits { by, .. }
        | Request::SetRecallRule { by, .. }
        | Request::Set { by, .. }
        | Request::Directory { by, .. }
        | Request::DirectoryImport { by, .. }
        | Request::Later { by, .. }
        | Request::Withdraw { by, .. }
        | Request::CardSet { by, .. }
        | Request::CardStop { by, .. }
        | Request::CardCutOver { by }
        | Request::CardKeyChange { by, .. }
        | Request::CardKeyCancel { by, .. }
        | Request::CardSettle { by, .. }
        | Request::RtgsChange { by, .. }
        | Request::RtgsResolve { by, .. }
        | Request::ClearingSubmit { by, .. }
        | Request::ClearingWithdraw { by, .. }
        | Request::ClearingClose { by }
        | Request::ClearingSet { by, .. }
        | Request::ClearingPurposes { by, .. }
        | Request::AncillaryChange { by, .. }
        | Request::DisputeOpen { by, .. }
        | Request::DisputeOpenCard { by, .. }
        | Request::DisputeAct { by, .. }
        | Request::DisputeAttach { by, .. }
        | Request::MassSubmit { by, .. }
        | Request::CardPresent { by, .. }
        | Request::TariffSet { by, .. }
        | Request::TariffNote { by, .. }
        | Request::ApprovalSet { by, .. }
        | Request::Approve { by, .. }
        | Request::Reject { by, .. }
        | Request::JournalExpire { by, .. } => Some(by),
        Request::Status
        | Request::Positions
        | Request::Participants
        | Request::Limits
        | Request::Settings
        | Request::Payment { .. }
        | Request::Payments { .. }
        | Request::CardTransaction { .. }
        | Request::DirectoryShow { .. }
        | Request::Schedule
        | Request::Proposals
        | Request::JournalArchive
        | Request::Card { .. }
        | Request::Rtgs { .. }
        | Request::Clearing { .. }
        | Request::Ancillary { .. }
        | Request::Reconcile { .. }
        | Request::Disputes { .. }
        | Request::DisputeEvidence { .. }
        | Request::MassShow { .. }
        | Request::CardPresentments { .. }
        | Request::CardPutOff { .. }
        | Request::Tariff
        | Request::TariffTry { .. }
        | Request::Report
        | Request::Snapshot
        | Request::Stop => None,
    }
}

/// Puts a command into the log, or its proposal if another operator has to approve it, and tells what became of it.
async fn decide(switch: &Switch, command: torap_engine::Command) -> Result<Value, Refusal> {
    let command = approval::proposed(switch, command).await?;
    let is_proposal = matches!(
        command,
        torap_engine::Command::Approval(torap_engine::approval::Command::Propose { .. })
    );
    let mut decided = put(switch, command).await?;
    if is_proposal {
        decided["proposal"] = decided["position"].clone();
        decided["waits_for"] = "the approval of another operator".into();
    }
    Ok(decided)
}

/// Puts a command into the log as it is.
async fn put(switch: &Switch, command: torap_engine::Command) -> Result<Value, Refusal> {
    match switch.intake.decide(command).await {
        Ok(decided) => match decided.outcome {
            Outcome::Accepted => Ok(json!({ "position": decided.position.value() })),
            Outcome::AlreadyApplied => {
                Ok(json!({ "position": decided.position.value(), "changed": false }))
            }
            Outcome::Refused(reason) => Err(Refusal {
                place: format!("log position {}", decided.position.value()),
                rule: reason.name().to_string(),
                text: reason.text().to_string(),
                actor: format!("{:?}", reason.actor()).to_lowercase(),
            }),
        },
        Err(Stopped) => Err(Refusal::of_request(
            "switch",
            "the switch is stopping; the change may or may not be in the log",
        )),
    }
}

#[cfg(test)]
mod tests;
