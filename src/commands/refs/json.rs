//! The list for programs: one object of `kind: ReferenceList`. Fields may be added; existing fields keep their meaning
//! for as long as `apiVersion` stays the same. Unknown values are `null`.
//!
//! Each use has a `destination` (`cluster`, `namespace` of the Secret, `scope`) and a `decision` on it: `allowed`,
//! `denied` (a rule denies it), `refused` (no rule allows it) or `unchecked` (no policy was evaluated); `rule` is the
//! rule that allows or denies. If a rule allows the reference only for other destinations, `missing` names that rule
//! and the `fields` that do not list the destination. The `decision` of a reference is the worst of those of its uses:
//! `denied`, then `refused`, then `allowed`. `line` and `column` start at 1 and refer to the item's value.

use serde::Serialize;

use super::{EnvironmentRefs, JudgedUse, ListedReference, PolicyVerdict, RefsReport};
use sealwave_secrets::settings::API_VERSION;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReferenceList<'a> {
    api_version: &'static str,
    kind: &'static str,
    project: Option<&'a str>,
    app: Option<&'a str>,
    namespace: Option<&'a str>,
    repository: Option<&'a str>,
    environments: Vec<JsonEnvironment<'a>>,
}

#[derive(Serialize)]
struct JsonEnvironment<'a> {
    name: &'a str,
    cluster: &'a str,
    references: Vec<JsonReference<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonReference<'a> {
    reference: String,
    provider: &'a str,
    path: &'a str,
    key: Option<&'a str>,
    version: Option<&'a str>,
    all_keys: bool,
    decision: &'static str,
    rule: Option<&'a str>,
    uses: Vec<JsonUse<'a>>,
}

#[derive(Serialize)]
struct JsonUse<'a> {
    path: &'a str,
    line: Option<u32>,
    column: Option<u32>,
    secret: JsonSecret<'a>,
    item: &'a str,
    destination: JsonDestination<'a>,
    decision: &'static str,
    rule: Option<&'a str>,
    missing: Option<JsonMissing<'a>>,
}

#[derive(Serialize)]
struct JsonDestination<'a> {
    cluster: &'a str,
    namespace: Option<&'a str>,
    scope: &'static str,
}

#[derive(Serialize)]
struct JsonMissing<'a> {
    rule: &'a str,
    fields: &'a [&'static str],
}

#[derive(Serialize)]
struct JsonSecret<'a> {
    namespace: Option<&'a str>,
    name: &'a str,
}

pub(super) fn write(report: &RefsReport) -> Vec<u8> {
    let list = ReferenceList {
        api_version: API_VERSION,
        kind: "ReferenceList",
        project: known(&report.subject.project),
        app: known(&report.subject.app),
        namespace: known(&report.subject.namespace),
        repository: known(&report.subject.repository),
        environments: report.environments.iter().map(environment).collect(),
    };
    let mut json = serde_json::to_vec_pretty(&list).expect("strings and numbers are always JSON");
    json.push(b'\n');
    json
}

fn environment(environment: &EnvironmentRefs) -> JsonEnvironment<'_> {
    JsonEnvironment {
        name: &environment.name,
        cluster: &environment.cluster,
        references: environment
            .references
            .iter()
            .map(|listed| reference(listed, &environment.cluster))
            .collect(),
    }
}

fn reference<'a>(listed: &'a ListedReference, cluster: &'a str) -> JsonReference<'a> {
    let (decision, rule) = decision(listed.verdict().0);
    let reference = &listed.reference;
    JsonReference {
        reference: reference.to_string(),
        provider: &reference.provider,
        path: &reference.path,
        key: reference.key.as_deref(),
        version: reference.version.as_deref(),
        all_keys: reference.all_keys,
        decision,
        rule,
        uses: listed.uses.iter().map(|one| used(one, cluster)).collect(),
    }
}

fn used<'a>(one: &'a JudgedUse, cluster: &'a str) -> JsonUse<'a> {
    let number = |number: u32| Some(number).filter(|number| *number > 0);
    let used = &one.used;
    let destination = used.destination(cluster);
    let (decision, rule) = decision(&one.verdict);
    JsonUse {
        path: &used.place.path,
        line: number(used.place.line),
        column: number(used.place.column),
        secret: JsonSecret { namespace: known(&used.secret.namespace), name: &used.secret.name },
        item: &used.item,
        destination: JsonDestination {
            cluster: destination.cluster,
            namespace: destination.namespace,
            scope: destination.scope.as_str(),
        },
        decision,
        rule,
        missing: match &one.verdict {
            PolicyVerdict::Elsewhere(rule, fields) => Some(JsonMissing { rule, fields }),
            _ => None,
        },
    }
}

/// Returns the name of a decision and the rule that made it.
fn decision(verdict: &PolicyVerdict) -> (&'static str, Option<&str>) {
    match verdict {
        PolicyVerdict::Allowed(rule) => ("allowed", Some(rule.as_str())),
        PolicyVerdict::Denied(rule) => ("denied", Some(rule.as_str())),
        PolicyVerdict::NotAsked => ("unchecked", None),
        PolicyVerdict::Elsewhere(..) | PolicyVerdict::Refused => ("refused", None),
    }
}

fn known(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
