//! Attacks of programs, each in a real run.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests stop at the first surprise")]

mod confinement;
mod descendants;
mod environment;
mod limits;
mod support;
mod tools;
