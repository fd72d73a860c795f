//! Keys to log positions, and the alias directory
