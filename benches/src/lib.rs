//! Criterion suites, one bench per promise
