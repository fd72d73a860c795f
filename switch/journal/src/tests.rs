//! Tests of the journal as a whole, over the disk in memory and the real one.

mod archive;
mod bed;
mod crash;
mod damage;
mod decoding;
mod flips;
mod golden;
mod limits;
mod reading;
mod threads;
mod tools;
mod trail;
mod watch;
