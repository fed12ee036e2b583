//! `environment/foreign-path`.

use std::cell::LazyCell;
use std::ops::Deref;

use super::addresses;
use super::hints::{self, EnvironmentHint, MatchMode};
use super::namespaces::{EnvironmentNamespaces, service_namespaces};
use super::shared::SharedLiterals;
use crate::facts::checked_object::CheckedObject;
use crate::facts::environment_names::{EnvironmentNames, NameMatching};
use crate::facts::scene::{CheckedApp, CheckedEnvironment};
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin};
use sealwave_core::names::item_label;
use sealwave_kube::catalog::{ESO_GROUP, ObjectIndex, STORE_CSI_GROUP};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "environment/foreign-path",
        severity: Severity::Warning,
        summary: "an environment refers to a secret, an address or a namespace of another environment",
        text: include_str!("foreign_path.md"),
    },
    RuleCheck::App(check),
)
.about(RuleTopic::Security);

fn check(app: &CheckedApp<'_>, reporter: &mut Reporter) {
    let Some(names) = EnvironmentNames::from_app(app) else { return };
    let namespaces = EnvironmentNamespaces::new(app, &names);
    let shared = LazyCell::new(|| SharedLiterals::new(app));
    for (number, environment) in app.environments.iter().enumerate() {
        let (names, namespaces, shared) = (&names, &namespaces, &shared);
        let mut search = ForeignPathSearch {
            app,
            environment,
            names,
            namespaces,
            shared,
            number,
            object: ObjectIndex::new(0),
            reporter,
        };
        for used in environment.secrets() {
            search.object = used.object;
            search.check_secret_path(&used.reference.path, used.origin, &item_label(&used.item));
        }
        for (object, view) in environment.indexed_objects() {
            search.object = object;
            search.check_object(view);
            for hint in hints::environment_hints(view) {
                search.check_hint(&hint);
            }
        }
    }
}

struct ForeignPathSearch<'s, 'a, 'r> {
    app: &'s CheckedApp<'a>,
    environment: &'s CheckedEnvironment<'a>,
    names: &'s EnvironmentNames,
    namespaces: &'s EnvironmentNamespaces<'a>,
    shared: &'s dyn Deref<Target = SharedLiterals<'a>>,
    /// The index of the environment.
    number: usize,
    /// The index of the current object.
    object: ObjectIndex,
    reporter: &'r mut Reporter,
}

impl ForeignPathSearch<'_, '_, '_> {
    /// Checks a path in a secret store.
    fn check_secret_path(&mut self, path: &str, at: Origin, who: &str) {
        self.check_words(path, at, &format!("{who} refers to a secret of environment"));
    }

    /// Reports a text with the name of another environment as a word.
    fn check_words(&mut self, text: &str, at: Origin, what: &str) {
        let Some(other) = self.names.foreign_environment(self.number, text, NameMatching::WithAliases) else {
            return;
        };
        let severity = if self.affects_production(other) { Severity::Error } else { Severity::Warning };
        self.report(other, at, what, severity);
    }

    /// Reports whether production depends on a non-production environment.
    fn affects_production(&self, other: usize) -> bool {
        self.names.is_prod(self.number) && !self.names.is_prod(other)
    }

    /// Returns the severity for something that environments may share: others may well use a production service.
    fn severity(&self, other: usize, grave: Severity) -> Severity {
        if self.affects_production(other) {
            grave
        } else if self.names.is_prod(other) && !self.names.is_prod(self.number) {
            Severity::Note
        } else {
            Severity::Warning
        }
    }

    fn report(&mut self, other: usize, at: Origin, what: &str, severity: Severity) {
        let name = self.app.environments.get(other).and_then(CheckedEnvironment::name).unwrap_or_default();
        self.reporter.report(
            FindingDraft::new(&RULE, at, format!("{what} `{name}`"))
                .severity(severity)
                .about_object_in(self.number, self.object)
                .hint("use the path of this environment; in a shared template, `{{env}}` is its name"),
        );
    }

    /// Checks the paths of objects that refer to secret stores.
    fn check_object(&mut self, object: &CheckedObject<'_>) {
        let root = object.manifest.root();
        match (object.group, object.kind) {
            (ESO_GROUP, "ExternalSecret") => {
                if let Some(spec) = root.get("spec") {
                    self.check_external_secret(spec);
                }
            }
            (ESO_GROUP, "ClusterExternalSecret") => {
                if let Some(spec) = root.at(&["spec", "externalSecretSpec"]) {
                    self.check_external_secret(spec);
                }
            }
            (STORE_CSI_GROUP, "SecretProviderClass") => {
                let objects = root.at(&["spec", "parameters", "objects"]);
                if let Some((node, text)) = objects.and_then(|node| Some((node, node.as_str()?))) {
                    for line in text.lines() {
                        self.check_secret_path(line, node.origin, "the list of objects");
                    }
                }
            }
            _ => {}
        }
    }

    fn check_external_secret(&mut self, spec: &Node) {
        let items = |list| spec.items_at(&[list]);
        let keys = items("data").iter().filter_map(|item| item.at(&["remoteRef", "key"]));
        let extracts = items("dataFrom").iter().filter_map(|item| item.at(&["extract", "key"]));
        let finds = items("dataFrom").iter().filter_map(|item| item.at(&["find", "path"]));
        for node in keys.chain(extracts).chain(finds) {
            if let Some(path) = node.as_str() {
                self.check_secret_path(path, node.origin, "the remote key");
            }
        }
    }

    /// Checks a text other than the path of a secret.
    fn check_hint(&mut self, hint: &EnvironmentHint<'_>) {
        if self.check_namespace(hint) {
            return;
        }
        match hint.match_mode {
            MatchMode::Address => self.check_address(hint, Severity::Warning),
            MatchMode::Mode => self.check_mode(hint),
            MatchMode::Name => {
                let what = format!("`{}` refers to environment", hint.key);
                self.check_words(hint.text, hint.node.origin, &what);
            }
            MatchMode::Namespace => {}
            MatchMode::Store => self.check_address(hint, Severity::Error),
        }
    }

    /// Reports the namespace of another environment, which is known exactly; returns whether it did.
    fn check_namespace(&mut self, hint: &EnvironmentHint<'_>) -> bool {
        let foreign = |namespace: &str| self.namespaces.foreign(self.number, namespace);
        let whole = (hint.match_mode == MatchMode::Namespace).then_some(hint.text);
        let flag = hint.text.split_once('=').filter(|(flag, _)| flag.ends_with("namespace"));
        let named = whole.into_iter().chain(flag.map(|(_, value)| value));
        let Some(other) = named.chain(service_namespaces(hint.text)).find_map(foreign) else { return false };
        let severity = self.severity(other, Severity::Error);
        let what = format!("`{}` uses the namespace of environment", hint.key);
        self.report(other, hint.node.origin, &what, severity);
        true
    }

    fn check_address(&mut self, hint: &EnvironmentHint<'_>, grave: Severity) {
        let foreign = |address: String| {
            let other = self.names.foreign_environment(self.number, &address, NameMatching::Exact)?;
            Some((other, is_in_cluster(&address)))
        };
        let Some((other, in_cluster)) = addresses::find_addresses(hint.key, hint.text).find_map(foreign)
        else {
            return;
        };
        if !in_cluster && self.is_shared(hint) {
            return;
        }
        let severity = self.severity(other, grave);
        let what = format!("`{}` contains an address of environment", hint.key);
        self.report(other, hint.node.origin, &what, severity);
    }

    /// Reports production in the mode of another environment; other environments may use any mode.
    fn check_mode(&mut self, hint: &EnvironmentHint<'_>) {
        let other = self.names.foreign_environment(self.number, hint.text, NameMatching::WithAliases);
        let Some(other) = other.filter(|other| self.affects_production(*other)) else { return };
        if !self.is_shared(hint) {
            let what = format!("`{}` sets the mode of environment", hint.key);
            self.report(other, hint.node.origin, &what, Severity::Warning);
        }
    }

    fn is_shared(&self, hint: &EnvironmentHint<'_>) -> bool {
        self.shared.contains(self.names, self.number, self.environment, hint.node)
    }
}

/// Reports whether a host has no domain or the cluster's, so that it is in the cluster.
fn is_in_cluster(address: &str) -> bool {
    let host = address.split(['/', '?', '#']).next().unwrap_or(address);
    !host.contains('.') || service_namespaces(host).next().is_some()
}
