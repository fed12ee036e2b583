//! Secrets, and how they are handed to programs.

pub(super) mod env_instead_of_file;
