//! Commands that show the cause of a fault. Names come from a repository or a cluster, and people copy the commands into a shell.

use sealwave_core::text::shell_quoted;

/// Returns a command of kubectl in a namespace, such as `describe pod`, with a name as its last argument.
pub(super) fn kubectl(namespace: &str, action: &str, name: &str) -> String {
    format!("kubectl -n {} {action} {}", shell_quoted(namespace), shell_quoted(name))
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
