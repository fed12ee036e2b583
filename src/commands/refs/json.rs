//! The list for programs: one object of `kind: ReferenceList`. Fields may be added; what is here keeps its meaning as
//! long as `apiVersion` stays. What is not known is `null`.
//!
//! `decision` is `allowed`, `denied` (a rule denies it), `refused` (no rule allows it) or `unchecked` (no policy was
//! asked); `rule` is the one that allows or denies. `line` and `column` count from 1 and are those of the item's value.

use serde::Serialize;

use super::{Environment, Listed, Report, Verdict};
use crate::model::API_VERSION;
use crate::pipeline::ReferenceUse;

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
    references: Vec<JsonReference<'a>>,
}

#[derive(Serialize)]
struct JsonReference<'a> {
    reference: String,
    provider: &'a str,
    path: &'a str,
    key: Option<&'a str>,
    version: Option<&'a str>,
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
}

#[derive(Serialize)]
struct JsonSecret<'a> {
    namespace: Option<&'a str>,
    name: &'a str,
}

pub(super) fn write(report: &Report) -> Vec<u8> {
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

fn environment(environment: &Environment) -> JsonEnvironment<'_> {
    JsonEnvironment {
        name: &environment.name,
        references: environment.references.iter().map(reference).collect(),
    }
}

fn reference(listed: &Listed) -> JsonReference<'_> {
    let (decision, rule) = match &listed.verdict {
        Verdict::Allowed(rule) => ("allowed", Some(rule.as_str())),
        Verdict::Denied(rule) => ("denied", Some(rule.as_str())),
        Verdict::NotAsked => ("unchecked", None),
        Verdict::Refused => ("refused", None),
    };
    let reference = &listed.reference;
    JsonReference {
        reference: reference.to_string(),
        provider: &reference.provider,
        path: &reference.path,
        key: reference.key.as_deref(),
        version: reference.version.as_deref(),
        decision,
        rule,
        uses: listed.uses.iter().map(used).collect(),
    }
}

fn used(used: &ReferenceUse) -> JsonUse<'_> {
    let number = |number: u32| Some(number).filter(|number| *number > 0);
    JsonUse {
        path: &used.place.path,
        line: number(used.place.line),
        column: number(used.place.column),
        secret: JsonSecret { namespace: known(&used.secret.namespace), name: &used.secret.name },
        item: &used.item,
    }
}

fn known(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
