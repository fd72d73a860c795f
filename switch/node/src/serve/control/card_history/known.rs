//! A card transaction as facts of a command, looked up in the switch's own index and log ([`CardFacts`]).

use std::sync::Arc;

use torap_domain::{Position, Time};
use torap_engine::{
    Command,
    cards::{self, BinTable, Known, MemberView},
};
use torap_index::CardFacts;

use super::Wanted;
use crate::{
    control::Refusal,
    serve::{
        control::show::{self, unreadable},
        switch::Switch,
    },
};

/// What look-ups need of the engine: members and the BIN table, as of the last record.
pub(in crate::serve::control) struct Members {
    views: Vec<MemberView>,
    bins: Arc<BinTable>,
}

impl Members {
    /// Asks the engine, and waits until the index has everything up to there.
    pub(in crate::serve::control) async fn gather(switch: &Switch) -> Result<Members, Refusal> {
        let (views, bins, last) = show::ask(switch, |engine| {
            let views = engine.card_members().collect();
            (views, engine.card_bins(), engine.last().position)
        })
        .await?;
        // A read side that has ended ends the switch, which says so.
        let _ = switch.follower.ask(last, |_| ()).await;
        Ok(Members { views, bins })
    }

    /// Does something with what index and log know.
    pub(in crate::serve::control) fn look<T>(
        &self,
        switch: &Switch,
        look: impl FnOnce(&CardFacts<'_>) -> T,
    ) -> T {
        look(&CardFacts {
            index: switch.index.as_ref(),
            members: &self.views,
            bins: &self.bins,
            record: &|position| record(switch, position),
        })
    }
}

/// The transactions that go by an operator's identifier of one, or the line `POSITION/LINE` of a presentment file.
pub(in crate::serve::control) fn by_id(
    switch: &Switch,
    members: &Members,
    id: &str,
) -> Result<Vec<Known>, Refusal> {
    if let Some((position, number)) = id.split_once('/')
        && let (Ok(position), Ok(number)) = (position.parse(), number.parse::<u32>())
    {
        let known = members.look(switch, |facts| facts.presented(Position(position), number));
        let wrong = || Refusal::of_request("id", "no presentment was taken there");
        return Ok(vec![known.map_err(unreadable)?.ok_or_else(wrong)?]);
    }
    let found = match Wanted::parse(switch, id)? {
        Wanted::At(position) => members.look(switch, |facts| facts.at(position, |_| true)),
        Wanted::Retrieval(acquirer, retrieval) => {
            members.look(switch, |facts| facts.by_retrieval(acquirer, &retrieval))
        }
        wanted @ Wanted::Trace(..) => {
            let mut found = Vec::new();
            for position in super::keys(switch, &wanted)?.into_values() {
                let of_position = members.look(switch, |facts| facts.at(position, |_| true));
                found.extend(of_position.map_err(unreadable)?);
            }
            Ok(found)
        }
    };
    found.map_err(unreadable)
}

fn record(switch: &Switch, position: Position) -> Option<(cards::Command, Time)> {
    match switch.records().read(position) {
        Ok((Command::Cards(command), time, _)) => Some((command, Time::from_nanos(time))),
        _ => None,
    }
}
