mod messages;
mod pending;
mod refusals;
mod rig;
