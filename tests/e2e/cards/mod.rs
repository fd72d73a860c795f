//! Card traffic, end to end: the rows of docs/outcomes-cards.md by simulated hosts, what a crash leaves, who is not let in, and what is
//! never written anywhere.

mod artefacts;
mod dialects;
mod flags;
mod history;
mod hostile;
mod key_change;
mod lab;
mod nets;
mod presentments;
mod restart;
mod rows;
mod tables;
mod wrong_hsm;
