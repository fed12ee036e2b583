//! `config/env-from-invalid-key`.

use crate::diagnostic::{RuleInfo, Severity};
use crate::lints::inventory::kind;
use crate::lints::{Check, Draft, Environment, Reporter, Rule};
use crate::model::Node;
use crate::model::pods::What;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "config/env-from-invalid-key",
        severity: Severity::Note,
        enabled: true,
        summary: "`envFrom` takes keys that are no names of variables",
        explanation: "Every key becomes a variable of its name. The kubelet leaves out a key that starts with a digit (before \
                      Kubernetes 1.32), with no more than an event; and a key like `application.yaml` becomes a variable that \
                      no shell can read, with a whole file in it.",
        example: "envFrom:\n- configMapRef: {name: settings}   # with the key `application.yaml`\n",
        remedy: "Mount files as a volume, in an object of their own; give keys names of letters, digits and `_`, or a `prefix`.",
    },
    check: Check::Environment(check),
};

/// How a key ends that is the name of a file.
const FILES: &[&str] = &[
    ".cfg",
    ".conf",
    ".crt",
    ".ini",
    ".jks",
    ".json",
    ".key",
    ".p12",
    ".pem",
    ".properties",
    ".sh",
    ".sql",
    ".toml",
    ".txt",
    ".xml",
    ".yaml",
    ".yml",
];

/// How many keys a message names.
const NAMED: usize = 3;

fn check(environment: &Environment<'_>, reporter: &mut Reporter) {
    for (number, object) in environment.objects.iter().enumerate() {
        let Some(pod) = &object.pod else { continue };
        for list in ["initContainers", "containers", "ephemeralContainers"] {
            for container in pod.spec.get(list).map_or(&[][..], Node::items) {
                for source in container.get("envFrom").map_or(&[][..], Node::items) {
                    if let Some(draft) = source_of(environment, object.namespace, source) {
                        reporter.report(draft.about(number));
                    }
                }
            }
        }
    }
}

fn source_of(environment: &Environment<'_>, namespace: &str, source: &Node) -> Option<Draft> {
    let (what, reference) = [("configMapRef", What::ConfigMap), ("secretRef", What::Secret)]
        .into_iter()
        .find_map(|(field, what)| Some((what, source.get(field)?)))?;
    let name = reference.get("name")?;
    let text = name.as_str()?;
    let prefix = source.get("prefix").and_then(Node::as_str).unwrap_or_default();
    let supplies = environment.inventory.supplies(what, namespace, text);
    let made = supplies.first().filter(|made| supplies.len() == 1 && made.may_name_keys())?;
    let odd: Vec<&str> = made.contents.known().filter(|key| is_odd(prefix, key)).take(NAMED + 1).collect();
    let named: Vec<String> = odd.iter().take(NAMED).map(|key| format!("`{key}`")).collect();
    let more = if odd.len() > NAMED { " and others" } else { "" };
    if named.is_empty() {
        return None;
    }
    let kind = kind(what);
    let message = format!("keys of {kind} `{text}` are no names of variables: {}{more}", named.join(", "));
    let draft = Draft::new(&RULE, name.origin, message).related(made.at, format!("the {kind} is made here"));
    let draft = draft.hint("mount files as a volume; start names of variables with a letter");
    Some(if made.shares_lines() { draft.confidential() } else { draft })
}

fn is_odd(prefix: &str, key: &str) -> bool {
    let is_file = FILES.iter().any(|end| key.len() > end.len() && key.ends_with(end));
    is_file || (prefix.is_empty() && (key.starts_with(|c: char| c.is_ascii_digit()) || key.starts_with("..")))
}
