//! `environment/foreign-path`.

use std::cell::LazyCell;
use std::ops::Deref;

use super::addresses;
use super::namespaces::{Namespaces, of_services};
use super::places::{self, How, Said};
use super::shared::Shared;
use super::words::{Names, Reading};
use crate::rules::{App, Check, Draft, Environment, Object, Reporter, Rule};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin};
use sealwave_core::names::item_called;
use sealwave_kube::catalogue::{ESO, STORE_CSI};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "environment/foreign-path",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "an environment refers to a secret, an address or a namespace of another environment",
        page: include_str!("foreign_path.md"),
    },
    check: Check::App(check),
};

fn check(app: &App<'_>, reporter: &mut Reporter) {
    let Some(names) = Names::of(app) else { return };
    let namespaces = Namespaces::new(app, &names);
    let shared = LazyCell::new(|| Shared::new(app));
    for (number, environment) in app.environments.iter().enumerate() {
        let (names, namespaces, shared) = (&names, &namespaces, &shared);
        let mut search = Search { app, environment, names, namespaces, shared, number, object: 0, reporter };
        for used in environment.secrets {
            search.object = used.object;
            search.secret(&used.reference.path, used.origin, &item_called(&used.item));
        }
        for (object, view) in environment.objects.iter().enumerate() {
            search.object = object;
            search.object(view);
            for said in places::of(view) {
                search.said(&said);
            }
        }
    }
}

struct Search<'s, 'a, 'r> {
    app: &'s App<'a>,
    environment: &'s Environment<'a>,
    names: &'s Names,
    namespaces: &'s Namespaces<'a>,
    shared: &'s dyn Deref<Target = Shared<'a>>,
    /// Number of the environment.
    number: usize,
    /// Number of the object at hand.
    object: usize,
    reporter: &'r mut Reporter,
}

impl Search<'_, '_, '_> {
    /// A path in a secret store.
    fn secret(&mut self, path: &str, at: Origin, who: &str) {
        self.words(path, at, &format!("{who} refers to a secret of environment"));
    }

    /// A text in which the name of another environment is a word.
    fn words(&mut self, text: &str, at: Origin, what: &str) {
        let Some(other) = self.names.foreign(self.number, text, Reading::WithAliases) else { return };
        let severity = if self.is_grave(other) { Severity::Error } else { Severity::Warning };
        self.report(other, at, what, severity);
    }

    /// Whether production depends on what is not production.
    fn is_grave(&self, other: usize) -> bool {
        self.names.is_prod(self.number) && !self.names.is_prod(other)
    }

    /// How much something matters that environments may share: what runs in production may well serve the others too.
    fn severity(&self, other: usize, grave: Severity) -> Severity {
        if self.is_grave(other) {
            grave
        } else if self.names.is_prod(other) && !self.names.is_prod(self.number) {
            Severity::Note
        } else {
            Severity::Warning
        }
    }

    fn report(&mut self, other: usize, at: Origin, what: &str, severity: Severity) {
        let name = self.app.environments.get(other).map_or("", |environment| environment.name);
        self.reporter.report(
            Draft::new(&RULE, at, format!("{what} `{name}`"))
                .severity(severity)
                .about_in(self.number, self.object)
                .hint("write the path of this environment; in a shared template, `{{env}}` is its name"),
        );
    }

    /// The paths of objects that refer to secret stores themselves.
    fn object(&mut self, object: &Object<'_>) {
        let root = object.manifest.root();
        match (object.group, object.kind) {
            (ESO, "ExternalSecret") => {
                if let Some(spec) = root.get("spec") {
                    self.external_secret(spec);
                }
            }
            (ESO, "ClusterExternalSecret") => {
                if let Some(spec) = root.at(&["spec", "externalSecretSpec"]) {
                    self.external_secret(spec);
                }
            }
            (STORE_CSI, "SecretProviderClass") => {
                let objects = root.at(&["spec", "parameters", "objects"]);
                if let Some((node, text)) = objects.and_then(|node| Some((node, node.as_str()?))) {
                    for line in text.lines() {
                        self.secret(line, node.origin, "the list of objects");
                    }
                }
            }
            _ => {}
        }
    }

    fn external_secret(&mut self, spec: &Node) {
        let items = |list| spec.get(list).map_or(&[][..], Node::items);
        let keys = items("data").iter().filter_map(|item| item.at(&["remoteRef", "key"]));
        let extracts = items("dataFrom").iter().filter_map(|item| item.at(&["extract", "key"]));
        let finds = items("dataFrom").iter().filter_map(|item| item.at(&["find", "path"]));
        for node in keys.chain(extracts).chain(finds) {
            if let Some(path) = node.as_str() {
                self.secret(path, node.origin, "the remote key");
            }
        }
    }

    /// What an object names beside the paths of secrets.
    fn said(&mut self, said: &Said<'_>) {
        if self.namespace(said) {
            return;
        }
        match said.how {
            How::Address => self.address(said, Severity::Warning),
            How::Mode => self.mode(said),
            How::Name => {
                let what = format!("`{}` names something of environment", said.key);
                self.words(said.text, said.node.origin, &what);
            }
            How::Namespace => {}
            How::Store => self.address(said, Severity::Error),
        }
    }

    /// The namespace of another environment is known exactly.
    fn namespace(&mut self, said: &Said<'_>) -> bool {
        let foreign = |namespace: &str| self.namespaces.foreign(self.number, namespace);
        let whole = (said.how == How::Namespace).then_some(said.text);
        let flag = said.text.split_once('=').filter(|(flag, _)| flag.ends_with("namespace"));
        let named = whole.into_iter().chain(flag.map(|(_, value)| value));
        let Some(other) = named.chain(of_services(said.text)).find_map(foreign) else { return false };
        let severity = self.severity(other, Severity::Error);
        let what = format!("`{}` names the namespace of environment", said.key);
        self.report(other, said.node.origin, &what, severity);
        true
    }

    fn address(&mut self, said: &Said<'_>, grave: Severity) {
        let foreign = |address: String| {
            let other = self.names.foreign(self.number, &address, Reading::Exact)?;
            Some((other, is_in_cluster(&address)))
        };
        let Some((other, in_cluster)) = addresses::of(said.key, said.text).find_map(foreign) else { return };
        if !in_cluster && self.is_shared(said) {
            return;
        }
        let severity = self.severity(other, grave);
        let what = format!("`{}` has an address of environment", said.key);
        self.report(other, said.node.origin, &what, severity);
    }

    /// Production in the mode of another environment; of others, each may run in whatever mode.
    fn mode(&mut self, said: &Said<'_>) {
        let other = self.names.foreign(self.number, said.text, Reading::WithAliases);
        let Some(other) = other.filter(|other| self.is_grave(*other)) else { return };
        if !self.is_shared(said) {
            let what = format!("`{}` is the mode of environment", said.key);
            self.report(other, said.node.origin, &what, Severity::Warning);
        }
    }

    fn is_shared(&self, said: &Said<'_>) -> bool {
        self.shared.has(self.names, self.number, self.environment, said.node)
    }
}

/// Whether a host has no domain, or the cluster's: nobody outside has such a name.
fn is_in_cluster(address: &str) -> bool {
    let host = address.split(['/', '?', '#']).next().unwrap_or(address);
    !host.contains('.') || of_services(host).next().is_some()
}
