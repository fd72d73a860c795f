//! Both ends against each other, without sockets or clocks. `rig` is the wire between them.

mod abuse;
mod data;
mod example;
mod liveness;
mod resumption;
mod rig;
mod sign_on;
