//! Command lines of containers.

use sealwave_core::document::Node;

/// Iterates over the command lines of a container, its probes and its hooks, each with the name of its field.
pub(super) fn command_lines(container: &Node) -> impl Iterator<Item = (&'static str, &Node)> {
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
