//! sealwave renders Kubernetes manifests in which no secret is readable.
//!
//! ```text
//!  app in Git ──► discover ► load ► render ► resolve ► seal ► annotate ► emit ──► manifests
//!                                              ▲        ▲        ▲
//!  operator file ── providers and policy ──────┘        │        │
//!                   seal key, certificates ─────────────┴────────┘
//! ```
//!
//! [`pipeline`] holds the verbs and is the place to start reading; [`model`] holds the nouns. The shell
//! ([`cli`], [`config`], [`commands`], [`shell`]) decides once what a run is to do and prints what came of it.

pub mod cli;
pub mod commands;
pub mod config;
pub mod deadline;
pub mod ops;
pub mod shell;
#[cfg(target_os = "linux")]
pub mod supervise;
