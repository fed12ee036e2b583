//! sealwave renders Kubernetes manifests without readable secrets.
//!
//! ```text
//!  app in Git ──► discover ► load ► render ► resolve ► seal ► annotate ► emit ──► manifests
//!                                              ▲        ▲        ▲
//!  operator file ── providers and policy ──────┘        │        │
//!                   seal key, certificates ─────────────┴────────┘
//! ```
//!
//! [`sealwave_pipeline`] contains the stages and is the place to start reading. This crate is the shell ([`cli`], [`config`],
//! [`commands`], [`shell`]): it determines once what a run does, and prints its result.

pub mod cli;
pub mod commands;
pub mod config;
pub mod deadline;
pub mod ops;
pub mod shell;
#[cfg(target_os = "linux")]
pub mod supervise;
