//! End to end: the real program, as separate processes over loopback TCP, with ports of the system's choice and temporary folders.

mod approval;
mod cards;
mod certify;
mod clearing;
mod client;
mod command_line;
mod crash;
mod day;
mod delivery;
mod disk;
mod disputes;
mod flood;
mod history;
mod hostile;
mod hsm;
mod ics_door;
mod imts_door;
mod kill;
mod load;
mod mass;
mod order;
mod program;
mod rows;
mod rtgs;
mod schedule;
mod tariffs;
