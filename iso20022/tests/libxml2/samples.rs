//! The samples beside the repository: what their folder says of them, the parser says too.
