//! Tests of the program from outside, in one binary: a module per subject.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests stop at the first surprise")]

mod all_keys;
mod api_refusals;
mod api_verdicts;
mod architecture;
mod avp;
#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "aws")]
mod aws_moto;
#[cfg(feature = "aws")]
mod aws_moto_operations;
mod backend_release;
mod backends;
#[cfg(target_os = "linux")]
mod bombs;
mod bounds;
mod caller;
mod canary;
#[cfg(all(feature = "aws", feature = "k8s", feature = "sops", unix))]
mod canary_operations;
#[cfg(all(feature = "aws", feature = "k8s", feature = "vault"))]
mod canary_remote;
mod canary_sources;
mod canary_validate;
#[cfg(unix)]
mod check_operator;
#[cfg(unix)]
mod checkout;
mod cli;
#[cfg(all(feature = "k8s", unix))]
mod cluster_commands;
mod copy;
mod credentials;
mod derivation;
mod derive;
mod destination;
mod determinism;
mod docs;
mod editor_schemas;
mod gate;
mod generated;
#[cfg(unix)]
mod init;
mod install;
#[cfg(unix)]
mod linked_output;
mod lints;
mod manifests;
mod misplaced;
mod moving;
mod newcomer;
#[cfg(feature = "vault")]
mod openbao;
#[cfg(all(feature = "aws", feature = "k8s", feature = "sops", unix))]
mod operation_output;
mod packed_definitions;
mod pages;
mod patches;
mod pipelines;
mod pipes;
mod placeholders;
mod policy;
#[cfg(all(feature = "aws", feature = "k8s", feature = "vault"))]
mod policy_remote;
mod positions;
#[cfg(all(feature = "aws", feature = "vault"))]
mod put;
mod references;
#[cfg(all(feature = "k8s", feature = "vault"))]
mod remote;
#[cfg(target_os = "linux")]
mod remote_charts;
mod requires;
#[cfg(unix)]
mod reseal;
#[cfg(unix)]
mod reseal_killed;
#[cfg(feature = "aws")]
mod rotate_aws;
#[cfg(all(feature = "aws", feature = "k8s", unix))]
mod scenario_checklist;
mod scenario_policies;
#[cfg(feature = "k8s")]
mod schemas;
mod seal;
mod secret_types;
#[cfg(feature = "sops")]
mod sops;
mod source_lines;
mod sources;
#[cfg(unix)]
mod sources_alone;
#[cfg(unix)]
mod sources_hostile;
#[cfg(target_os = "linux")]
mod status;
mod supervise;
mod support;
mod switch;
mod switch_plain;
mod templates;
#[cfg(all(feature = "aws", feature = "k8s", feature = "vault"))]
mod tls;
mod unseal;
mod unstable_sources;
mod unused_files;
mod validate;
mod validate_apps;
mod validate_cel;
mod validate_ci;
mod validate_foreign;
mod validate_hostile;
#[cfg(unix)]
mod validate_links;
mod validate_operator;
#[cfg(unix)]
mod validate_real_world;
mod validate_report;
mod validate_repository;
#[cfg(unix)]
mod validate_scope;
mod validate_sets;
mod validate_stream;
mod validate_timeout;
