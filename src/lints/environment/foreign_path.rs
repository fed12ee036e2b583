//! `environment/foreign-path`.

use super::addresses;
use super::words::{Names, Reading};
use crate::diagnostic::{RuleInfo, Severity};
use crate::lints::{App, Check, Draft, Object, Reporter, Rule};
use crate::model::catalogue::{ESO, STORE_CSI};
use crate::model::{Node, Origin};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "environment/foreign-path",
        severity: Severity::Warning,
        enabled: true,
        summary: "an environment refers to something of another environment",
        explanation: "A path in a secret store, or an address, that has the name of another environment in it was usually copied \
                      from there. The environment then runs with the other's credentials, or writes into the other's database, \
                      and nothing fails that would show it. For a production environment that takes a secret of another one, \
                      this is an error: whoever may change the other environment's secrets changes production's.\n\n\
                      Names count as whole words between `/`, `.`, `-`, `_` and `:`; `production` counts as `prod` in paths of \
                      secrets. A path that has the environment's own name too is not reported, nor is an address that a \
                      production environment shares with all others.",
        example: "# envs/prod/db.yaml\nkind: Secret\nstringData:\n  password: <vault:shop/dev/db#password>\n",
        remedy: "Write the path of the environment itself. In a shared template, let the environment's name come from sealwave:\n\n\
                 ```yaml\n# base/db.yaml.hbs\nstringData:\n  password: <vault:shop/{{env}}/db#password>\n```",
    },
    check: Check::App(check),
};

fn check(app: &App<'_>, reporter: &mut Reporter) {
    if app.environments.len() < 2 {
        return;
    }
    let names = Names::new(app);
    for (number, environment) in app.environments.iter().enumerate() {
        let mut search = Search { app, names: &names, number, object: 0, reporter };
        for used in environment.secrets {
            search.object = used.object;
            search.secret(&used.reference.path, used.origin, &format!("item `{}`", used.item));
        }
        for (object, view) in environment.objects.iter().enumerate() {
            search.object = object;
            search.object(view);
            search.addresses(view);
        }
    }
}

struct Search<'a, 'r> {
    app: &'a App<'a>,
    names: &'a Names,
    /// Number of the environment.
    number: usize,
    /// Number of the object at hand.
    object: usize,
    reporter: &'r mut Reporter,
}

impl Search<'_, '_> {
    /// A path in a secret store.
    fn secret(&mut self, path: &str, at: Origin, who: &str) {
        let Some(other) = self.names.foreign(self.number, path, Reading::WithAliases) else { return };
        let grave = self.names.is_prod(self.number) && !self.names.is_prod(other);
        let severity = if grave { Severity::Error } else { Severity::Warning };
        self.report(other, at, &format!("{who} refers to a secret of environment"), severity);
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

    /// Addresses in configuration.
    fn addresses(&mut self, object: &Object<'_>) {
        if object.is("", "ConfigMap") {
            let data = object.manifest.root().get("data").and_then(Node::as_mapping);
            for entry in data.map_or(&[][..], |data| data.entries()) {
                self.address(&entry.key, &entry.value);
            }
        }
        let Some(pod) = &object.pod else { return };
        for list in ["initContainers", "containers"] {
            for container in pod.spec.get(list).map_or(&[][..], Node::items) {
                for variable in container.get("env").map_or(&[][..], Node::items) {
                    let name = variable.get("name").and_then(Node::as_str).unwrap_or_default();
                    if let Some(value) = variable.get("value") {
                        self.address(name, value);
                    }
                }
            }
        }
    }

    fn address(&mut self, key: &str, value: &Node) {
        let Some(text) = value.as_str() else { return };
        let foreign = |address: &str| self.names.foreign(self.number, address, Reading::Exact);
        let Some(other) = addresses::of(key, text).find_map(|address| foreign(&address)) else { return };
        // What runs in production may well serve the others too.
        let shared = self.names.is_prod(other) && !self.names.is_prod(self.number);
        let severity = if shared { Severity::Note } else { Severity::Warning };
        self.report(other, value.origin, &format!("`{key}` has an address of environment"), severity);
    }
}
