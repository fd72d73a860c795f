//! Load over the real wire
