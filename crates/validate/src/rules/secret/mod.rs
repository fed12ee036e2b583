//! Rules about credentials outside of Secrets, and about Secrets whose content is not as their author expects.

pub(super) mod bad_base64;
mod credential_drafts;
pub(super) mod double_base64;
pub(super) mod encrypted_leftover;
pub(super) mod env_instead_of_file;
pub(super) mod in_annotation;
pub(super) mod in_args;
pub(super) mod in_config_map;
pub(super) mod in_env;
pub(super) mod in_field;
pub(super) mod in_file;
pub(super) mod in_values;
pub(super) mod invalid_key;
mod items;
pub(super) mod plaintext_in_git;
pub(super) mod shadowed_key;
pub(super) mod tls_pair;
pub(super) mod too_large;
pub(super) mod trailing_newline;
pub(super) mod type_keys;

use sealwave_core::document::Node;

/// Iterates over the command lines of a container, its probes and its hooks, each with the name of its field.
fn command_lines(container: &Node) -> impl Iterator<Item = (&'static str, &Node)> {
    const PATHS: &[&[&str]] = &[
        &["args"],
        &["command"],
        &["lifecycle", "postStart", "exec", "command"],
        &["lifecycle", "preStop", "exec", "command"],
        &["livenessProbe", "exec", "command"],
        &["readinessProbe", "exec", "command"],
        &["startupProbe", "exec", "command"],
    ];
    PATHS.iter().filter_map(|path| Some((*path.last()?, container.at(path)?)))
}
