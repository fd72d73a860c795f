mod damage;
mod fields;
mod link;
mod payment;
mod round;
mod samples;
