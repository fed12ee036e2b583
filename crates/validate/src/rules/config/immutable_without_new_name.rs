//! `config/immutable-without-new-name`.

use crate::rules::rollout::is_versioned;
use crate::rules::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Value;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "config/immutable-without-new-name",
        severity: Severity::Note,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "an immutable ConfigMap or Secret has a name without a hash or version",
        explanation: "The API server refuses every change to the items of an immutable object (field is immutable when \
                      `immutable` is set): the next change in Git makes the sync fail until somebody deletes the object. \
                      Immutable objects are made for names that change with the contents.",
        example: "kind: ConfigMap\nmetadata: {name: settings}\nimmutable: true\n",
        remedy: "Put a version or a hash at the end of the name (`settings-v2`) and change it with each change of the \
                 contents, or leave out `immutable`.",
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    if !object.group.is_empty() || !matches!(object.kind, "ConfigMap" | "Secret") {
        return;
    }
    let Some(flag) = object.manifest.root().get("immutable") else { return };
    if matches!(flag.value, Value::Bool(true)) && !object.name.is_empty() && !is_versioned(object.name) {
        let message =
            format!("{} `{}` can never change, and its name has no version", object.kind, object.name);
        reporter.report(
            Draft::new(&RULE, flag.origin, message)
                .hint("put a version or a hash at the end of the name, or leave out `immutable`"),
        );
    }
}
