//! Cards in the simulated world: card hosts and their links on one side, the switch's card links on the other, and the same core,
//! journal and engine between them as for instant payments.
//!
//! Hosts, link state machines, translation and rendering are the real ones. What a task of the program awaits is a state here. There is
//! neither PIN nor MAC: an HSM is not simulated.

mod check;
mod desk;
mod gate;
mod load;
mod plan;
mod seed;
mod side;
mod traffic;

pub(crate) use check::Outcomes;
pub(crate) use desk::Desk;
pub(crate) use plan::CardPlan;
pub(crate) use seed::{ABOVE_PERCENT, seed};
pub(crate) use side::CardSide;
pub(crate) use traffic::CardWorld;
