//! The name of a Secret in messages.

use sealwave_core::document::Node;

/// Returns the name of a Secret for messages.
pub(super) fn secret_name(root: &Node) -> String {
    let text = |field| root.at(&["metadata", field]).and_then(Node::as_str).unwrap_or_default();
    let (namespace, name) = (text("namespace"), text("name"));
    let name = if name.is_empty() { text("generateName") } else { name };
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") }
}
