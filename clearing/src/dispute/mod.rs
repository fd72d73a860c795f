//! Dispute cases: a claim about a transaction, from the first question to its end. docs/disputes.md has the table.
//!
//! ```text
//!   retrieval ──► answered ──┐
//!      │ silence             │
//!      └─────────────────────┴─► chargeback ──► represented ──► pre-arbitration ──► arbitration ──► ruled
//!                                 │ accept, silence │ silence        │ accept, silence
//!                                 └─► closed        └─► closed       └─► closed
//! ```
//!
//! A case knows how much of the disputed money **stands** with the claimant. Every step says how much is to stand afterwards, and what
//! moves is the difference: so whatever the sequence, what has moved sums to what stands, and nothing moves twice.
//!
//! Who the parties are, accounts and time are the engine's. Pure: a step gives a new case or a refusal and changes nothing.

use torap_domain::{Calendar, Date, Time};

/// One side of a case, or the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The payer's bank, or the issuer.
    Claimant,
    /// The payee's bank, or the acquirer.
    Respondent,
    /// Rules, when the two do not agree.
    Operator,
}

/// Where a case is. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Stage {
    /// The respondent is asked for documents.
    Retrieval = 1,
    /// It gave them; the claimant may claim.
    Answered = 2,
    /// The claim stands with the claimant; the respondent may contest it.
    Chargeback = 3,
    /// The respondent took back what it contests; the claimant may claim once more.
    Represented = 4,
    /// The claimant claims once more; the respondent may accept or decline.
    PreArbitration = 5,
    /// The operator rules.
    Arbitration = 6,
    /// It is over.
    Closed = 7,
}

/// How a case ended. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum End {
    /// The respondent accepted.
    Accepted = 1,
    /// Whoever should have acted did not in time.
    Silence = 2,
    /// The claimant took its claim back.
    Withdrawn = 3,
    /// The operator ruled.
    Ruled = 4,
}

/// What somebody does. Amounts in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The respondent has given the documents asked for.
    Answer,
    /// The claimant claims after a retrieval; above zero, at most what is disputable.
    Claim { amount: u64 },
    /// The respondent accepts the claim as it stands.
    Accept,
    /// The respondent contests a part of the claim, or all of it.
    Represent { contested: u64 },
    /// The claimant claims a part of what was contested once more.
    Escalate { amount: u64 },
    /// The respondent does not accept that.
    Decline,
    /// The claimant takes its claim back.
    Withdraw,
    /// The operator rules how much is the claimant's, of all that was claimed.
    Rule { awarded: u64 },
}

/// Business days that each stage gives to whoever has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    pub retrieval: u8,
    pub answered: u8,
    pub chargeback: u8,
    pub represented: u8,
    pub pre_arbitration: u8,
    pub arbitration: u8,
}

/// A case. Amounts in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    pub stage: Stage,
    /// The most that may be claimed.
    pub disputable: u64,
    /// The first claim; zero before it.
    pub claimed: u64,
    /// What the respondent contested of it.
    pub contested: u64,
    /// What the claimant claims of that once more.
    pub escalated: u64,
    /// What stands with the claimant.
    pub stands: u64,
    /// When whoever has to act must have; none when it is over.
    pub deadline: Option<Time>,
    pub end: Option<End>,
}

/// What moves with a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    Nothing,
    /// From the respondent to the claimant.
    ToClaimant(u64),
    /// From the claimant to the respondent.
    ToRespondent(u64),
}

/// Why a step cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is not for this role to do.
    NotYours,
    /// The case is not where this can be done.
    NotNow,
    /// Zero, or more than may be claimed, contested or awarded.
    Amount,
    /// The time for it is over; the next Tick says so.
    Late,
}

impl Stage {
    pub const ALL: [Stage; 7] = [
        Stage::Retrieval,
        Stage::Answered,
        Stage::Chargeback,
        Stage::Represented,
        Stage::PreArbitration,
        Stage::Arbitration,
        Stage::Closed,
    ];

    /// Kebab-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Retrieval => "retrieval",
            Stage::Answered => "answered",
            Stage::Chargeback => "chargeback",
            Stage::Represented => "represented",
            Stage::PreArbitration => "pre-arbitration",
            Stage::Arbitration => "arbitration",
            Stage::Closed => "closed",
        }
    }

    /// The stage of a stored number.
    pub fn from_number(number: u8) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| *stage as u8 == number)
    }

    /// Who has to act; nobody when it is over.
    pub const fn waits_for(self) -> Option<Role> {
        match self {
            Stage::Retrieval | Stage::Chargeback | Stage::PreArbitration => Some(Role::Respondent),
            Stage::Answered | Stage::Represented => Some(Role::Claimant),
            Stage::Arbitration => Some(Role::Operator),
            Stage::Closed => None,
        }
    }
}

impl End {
    pub const ALL: [End; 4] = [End::Accepted, End::Silence, End::Withdrawn, End::Ruled];

    /// Kebab-case name.
    pub const fn name(self) -> &'static str {
        match self {
            End::Accepted => "accepted",
            End::Silence => "silence",
            End::Withdrawn => "withdrawn",
            End::Ruled => "ruled",
        }
    }

    /// The end of a stored number.
    pub fn from_number(number: u8) -> Option<End> {
        End::ALL.into_iter().find(|end| *end as u8 == number)
    }
}

impl Action {
    /// Whose it is to do.
    pub const fn role(self) -> Role {
        match self {
            Action::Claim { .. } | Action::Escalate { .. } | Action::Withdraw => Role::Claimant,
            Action::Answer | Action::Accept | Action::Represent { .. } | Action::Decline => {
                Role::Respondent
            }
            Action::Rule { .. } => Role::Operator,
        }
    }
}

impl Days {
    /// The deadline of a stage that begins at `now`: the end of the last of its business days (UTC+5), today not counted.
    pub fn deadline(&self, stage: Stage, now: Time, calendar: &Calendar) -> Option<Time> {
        let days = match stage {
            Stage::Retrieval => self.retrieval,
            Stage::Answered => self.answered,
            Stage::Chargeback => self.chargeback,
            Stage::Represented => self.represented,
            Stage::PreArbitration => self.pre_arbitration,
            Stage::Arbitration => self.arbitration,
            Stage::Closed => return None,
        };
        let last = calendar.add_business_days(Date::from_time(now), u32::from(days));
        last.add_days(1).start()
    }
}

impl Case {
    /// A case that begins with a question, and has moved nothing.
    pub fn retrieval(disputable: u64, deadline: Option<Time>) -> Case {
        Case {
            stage: Stage::Retrieval,
            disputable,
            claimed: 0,
            contested: 0,
            escalated: 0,
            stands: 0,
            deadline,
            end: None,
        }
    }

    /// The case after `role` did `action`, and what moves. The deadline is that of the stage before; the engine sets the new one.
    pub fn step(&self, role: Role, action: Action, now: Time) -> Result<(Case, Move), Refusal> {
        if action.role() != role {
            return Err(Refusal::NotYours);
        }
        let closed = |end| Case {
            stage: Stage::Closed,
            deadline: None,
            end: Some(end),
            ..*self
        };
        let within = |amount: u64, most: u64| (1..=most).contains(&amount);
        let after = match (self.stage, action) {
            (Stage::Closed, _) => return Err(Refusal::NotNow),
            _ if self.deadline.is_some_and(|deadline| now >= deadline) => {
                return Err(Refusal::Late);
            }
            (Stage::Retrieval, Action::Answer) => Case {
                stage: Stage::Answered,
                ..*self
            },
            (Stage::Retrieval | Stage::Answered, Action::Claim { amount }) => {
                if !within(amount, self.disputable) {
                    return Err(Refusal::Amount);
                }
                Case {
                    stage: Stage::Chargeback,
                    claimed: amount,
                    stands: amount,
                    ..*self
                }
            }
            (Stage::Chargeback, Action::Accept) => closed(End::Accepted),
            (Stage::Chargeback, Action::Represent { contested }) => {
                if !within(contested, self.claimed) {
                    return Err(Refusal::Amount);
                }
                Case {
                    stage: Stage::Represented,
                    contested,
                    stands: self.claimed.saturating_sub(contested),
                    ..*self
                }
            }
            (Stage::Represented, Action::Escalate { amount }) => {
                if !within(amount, self.contested) {
                    return Err(Refusal::Amount);
                }
                Case {
                    stage: Stage::PreArbitration,
                    escalated: amount,
                    ..*self
                }
            }
            (Stage::PreArbitration, Action::Accept) => Case {
                stands: self.stands.saturating_add(self.escalated),
                ..closed(End::Accepted)
            },
            (Stage::PreArbitration, Action::Decline) => Case {
                stage: Stage::Arbitration,
                ..*self
            },
            (Stage::Arbitration, Action::Rule { awarded }) => {
                if awarded > self.claimed {
                    return Err(Refusal::Amount);
                }
                Case {
                    stands: awarded,
                    ..closed(End::Ruled)
                }
            }
            (_, Action::Withdraw) => Case {
                stands: 0,
                ..closed(End::Withdrawn)
            },
            _ => return Err(Refusal::NotNow),
        };
        Ok((after, self.moves(&after)))
    }

    /// The case after its deadline has passed without anybody acting, and what moves; none if it is over.
    pub fn expire(&self) -> Option<(Case, Move)> {
        let closed = Case {
            stage: Stage::Closed,
            deadline: None,
            end: Some(End::Silence),
            ..*self
        };
        let after = match self.stage {
            Stage::Closed => return None,
            // No documents: the claimant may claim as if they had been given.
            Stage::Retrieval => Case {
                stage: Stage::Answered,
                ..*self
            },
            Stage::Answered | Stage::Chargeback | Stage::Represented | Stage::Arbitration => closed,
            Stage::PreArbitration => Case {
                stands: self.stands.saturating_add(self.escalated),
                ..closed
            },
        };
        Some((after, self.moves(&after)))
    }

    /// Whether its amounts agree with its stage.
    pub fn is_sound(&self) -> bool {
        let claims = self.claimed <= self.disputable
            && self.contested <= self.claimed
            && self.escalated <= self.contested
            && self.stands <= self.claimed;
        let rest = self.claimed.saturating_sub(self.contested);
        let stands = match self.stage {
            Stage::Retrieval | Stage::Answered => self.claimed == 0,
            Stage::Chargeback => self.stands == self.claimed && self.contested == 0,
            Stage::Represented | Stage::PreArbitration | Stage::Arbitration => self.stands == rest,
            Stage::Closed => true,
        };
        let over = self.stage == Stage::Closed;
        claims && stands && over == self.end.is_some() && (self.deadline.is_none() || !over)
    }

    fn moves(&self, after: &Case) -> Move {
        match after.stands.cmp(&self.stands) {
            std::cmp::Ordering::Equal => Move::Nothing,
            std::cmp::Ordering::Greater => {
                Move::ToClaimant(after.stands.saturating_sub(self.stands))
            }
            std::cmp::Ordering::Less => {
                Move::ToRespondent(self.stands.saturating_sub(after.stands))
            }
        }
    }
}

#[cfg(test)]
mod tests;
