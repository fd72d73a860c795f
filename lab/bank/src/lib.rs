//! A simulated participant
