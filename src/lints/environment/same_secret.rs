//! `environment/same-secret`.

use std::collections::{BTreeMap, BTreeSet};

use super::words::Names;
use crate::diagnostic::{RuleInfo, Severity};
use crate::lints::{App, Check, Draft, Reporter, Rule, SecretUse};
use crate::model::{Reference, item_called};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "environment/same-secret",
        severity: Severity::Note,
        enabled: true,
        refused_by_api_server: false,
        summary: "production and another environment use the same secret",
        explanation: "Both environments refer to one entry of a secret store, so that they share its value: who learns it in a \
                      test environment, where more people and more tools may look, has production's. Where each environment \
                      has a store of its own under one name, they share nothing; then switch the rule off.\n\n\
                      Credentials for pulling images, and paths that say that they are shared (`shared`, `common`, `global`), \
                      are not reported.",
        example: "# base/db.yaml, in every environment\nkind: Secret\nstringData:\n  password: <vault:shop/db#password>\n",
        remedy: "Give each environment an entry of its own, and put the environment's name into the path:\n\n\
                 ```yaml\n# base/db.yaml.hbs\nstringData:\n  password: <vault:shop/{{env}}/db#password>\n```",
    },
    check: Check::App(check),
};

fn check(app: &App<'_>, reporter: &mut Reporter) {
    let Some(names) = Names::of(app) else { return };
    let (production, others): (Vec<usize>, Vec<usize>) =
        (0..app.environments.len()).partition(|number| names.is_prod(*number));
    let mut known: BTreeMap<&Reference, &SecretUse> = BTreeMap::new();
    for number in others {
        for used in uses(app, number) {
            known.entry(&used.reference).or_insert(used);
        }
    }
    for number in production {
        let mut said = BTreeSet::new();
        for used in uses(app, number) {
            let Some(other) = known.get(&used.reference) else { continue };
            if !said.insert(&used.reference) {
                continue;
            }
            let message = format!(
                "{} is the same secret as in an environment that is not production",
                item_called(&used.item)
            );
            reporter.report(
                Draft::new(&RULE, used.origin, message)
                    .about_in(number, used.object)
                    .related(other.origin, "it is used here too")
                    .hint("give each environment a secret of its own"),
            );
        }
    }
}

/// What an environment uses that should not be shared.
fn uses<'a>(app: &App<'a>, number: usize) -> impl Iterator<Item = &'a SecretUse> {
    let environment = app.environments.get(number);
    environment.into_iter().flat_map(|environment| {
        environment.secrets.iter().filter(|used| {
            let secret = environment.objects.get(used.object);
            let kind = secret.and_then(|secret| secret.manifest.root().get("type")?.as_str());
            let pulls = kind.is_some_and(|kind| kind.starts_with("kubernetes.io/docker"));
            !pulls && !says_shared(&used.reference.path)
        })
    })
}

fn says_shared(path: &str) -> bool {
    let mut words = path.split(|c: char| !c.is_alphanumeric());
    words.any(|word| ["common", "global", "shared"].iter().any(|known| word.eq_ignore_ascii_case(known)))
}
