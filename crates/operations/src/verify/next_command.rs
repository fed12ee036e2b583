//! Commands that show the cause of a fault. Names come from a repository or a cluster, and people copy the commands into a shell.

use sealwave_core::text::shell_quoted;
use serde_json::Value as Json;

use super::live::{number, text};

/// Returns a command of kubectl in a namespace, such as `describe pod`, with a name as its last argument.
pub(super) fn kubectl(namespace: &str, action: &str, name: &str) -> String {
    format!("kubectl -n {} {action} {}", shell_quoted(namespace), shell_quoted(name))
}

/// Returns the next command for a rollout that is not complete.
pub(super) fn rollout_command(live: &Json, namespace: &str, name: &str) -> String {
    let kind = text(live, "/kind");
    let is_by_hand = text(live, "/spec/updateStrategy/type") == "OnDelete";
    let partition = number(live, "/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0);
    match kind {
        "Rollout" if text(live, "/status/phase") == "Paused" => format!(
            "look at its step, then: kubectl argo rollouts promote {} -n {}",
            shell_quoted(name),
            shell_quoted(namespace)
        ),
        "Rollout" => kubectl(namespace, "describe rollout", name),
        _ if is_by_hand => format!(
            "its update strategy is OnDelete, so delete its old pods one after the other: {}",
            kubectl(namespace, "get", "pods")
        ),
        _ if partition > 0 => {
            format!(
                "its update stops at partition {partition}; lower it: {}",
                kubectl(namespace, "edit statefulset", name)
            )
        }
        _ => kubectl(namespace, "rollout status", &format!("{}/{name}", kind.to_lowercase())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_add_commands() {
        assert_eq!(kubectl("shop", "describe pod", "db-0"), "kubectl -n shop describe pod db-0");
        assert_eq!(kubectl("a;id", "describe pod", "$(id)"), "kubectl -n 'a;id' describe pod '$(id)'");
    }
}
