//! Tests of the stages, from outside of the crate, in one binary: a module per subject.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests stop at the first surprise")]

mod from_helm;
mod generated;
mod render;
mod syntax;
