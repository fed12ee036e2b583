//! Command lines of containers.

use sealwave_core::document::Node;

/// The paths to command lines in a container.
pub(super) const COMMAND_LINES: &[&[&str]] = &[
    &["args"],
    &["command"],
    &["lifecycle", "postStart", "exec", "command"],
    &["lifecycle", "preStop", "exec", "command"],
    &["livenessProbe", "exec", "command"],
    &["readinessProbe", "exec", "command"],
    &["startupProbe", "exec", "command"],
];

/// Iterates over the command lines of a container, its probes and its hooks, each with the name of its field.
pub(super) fn command_lines(container: &Node) -> impl Iterator<Item = (&'static str, &Node)> {
    COMMAND_LINES.iter().filter_map(|path| Some((*path.last()?, container.at(path)?)))
}
