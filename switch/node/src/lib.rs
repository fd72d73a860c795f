//! The program torap: one switch, its tools and its laboratory
