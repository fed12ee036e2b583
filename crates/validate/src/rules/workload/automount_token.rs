//! `workload/automount-token`.

use std::collections::BTreeSet;

use crate::facts::checked_object::CheckedObject;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, NodeValue};
use sealwave_kube::catalog::RBAC_GROUP;
use sealwave_kube::pods::ReferencedKind;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "workload/automount-token",
        severity: Severity::Note,
        summary: "a pod gets an API token although its service account has no permissions",
        text: include_str!("automount_token.md"),
    },
    RuleCheck::Environment(check),
)
.about(RuleTopic::Security)
.off_by_default();

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let mut bound = None;
    for (number, object) in environment.indexed_objects() {
        if object.pod.as_ref().is_none_or(|pod| has_automount_disabled(pod.spec) || projects_token(pod.spec))
        {
            continue;
        }
        let references = object.references();
        let Some(account) =
            references.iter().find(|located| located.reference.kind == ReferencedKind::ServiceAccount)
        else {
            continue;
        };
        let name = account.reference.name;
        let found = environment.catalog.find("", "ServiceAccount", object.namespace, name);
        let found = found.and_then(|number| environment.catalog.object(number));
        let unknown = found.is_none() && name != "default";
        if unknown || found.is_some_and(|account| has_automount_disabled(account.manifest.root())) {
            continue;
        }
        let bound = bound.get_or_insert_with(|| BoundAccounts::new(&environment.objects));
        if !bound.has(object.namespace, name) {
            let message = "the pods get an API token although nothing is bound to their service account";
            reporter.report(
                FindingDraft::new(&RULE, account.origin, message)
                    .about_object(number)
                    .hint("set `automountServiceAccountToken: false` in the pod `spec`"),
            );
        }
    }
}

fn has_automount_disabled(node: &Node) -> bool {
    matches!(node.get("automountServiceAccountToken").map(|flag| &flag.value), Some(NodeValue::Bool(false)))
}

/// Returns whether a volume contains an explicitly requested token.
fn projects_token(spec: &Node) -> bool {
    let volumes = spec.items_at(&["volumes"]).iter();
    let mut sources = volumes.flat_map(|volume| volume.items_at(&["projected", "sources"]));
    sources.any(|source| source.get("serviceAccountToken").is_some())
}

/// Service accounts with role bindings.
#[derive(Default)]
struct BoundAccounts<'a> {
    accounts: BTreeSet<(&'a str, &'a str)>,
    names: BTreeSet<&'a str>,
    /// True if a role is bound to a group that may include accounts.
    groups: bool,
}

impl<'a> BoundAccounts<'a> {
    fn new(objects: &[CheckedObject<'a>]) -> Self {
        let mut bound = Self::default();
        let bindings = objects
            .iter()
            .filter(|object| object.group == RBAC_GROUP && object.kind.ends_with("RoleBinding"));
        for binding in bindings {
            for subject in binding.manifest.root().items_at(&["subjects"]) {
                let field = |field: &str| subject.get(field).and_then(Node::as_str).unwrap_or_default();
                match field("kind") {
                    "Group" => bound.groups |= field("name").starts_with("system:"),
                    "ServiceAccount" => {
                        bound.accounts.insert((field("namespace"), field("name")));
                        bound.names.insert(field("name"));
                    }
                    _ => {}
                }
            }
        }
        bound
    }

    fn has(&self, namespace: &str, name: &str) -> bool {
        self.groups
            || self.accounts.contains(&(namespace, name))
            || self.accounts.contains(&("", name))
            || (namespace.is_empty() && self.names.contains(name))
    }
}
