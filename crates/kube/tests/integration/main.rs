//! Tests of schemas, from outside of the crate, in one binary: a module per subject.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests stop at the first surprise")]

mod schema;
mod schema_differential;
mod schema_hostile;
