//! `secret/in-annotation`.

use super::show;
use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::credential;
use crate::lints::metadata::each_metadata;
use crate::lints::{Check, Object, Reporter, Rule, Scene};
use crate::model::{Mapping, Node};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "secret/in-annotation",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "an annotation or a label holds a credential",
        explanation: "Annotations and labels are shown to everybody who may list the object, by `kubectl describe`, \
                      by dashboards, in events and metrics; those of a Secret as well. Nothing ever masks them. \
                      Tokens, private keys and URIs with a password are errors; a value that only the name of the \
                      annotation calls a credential is a warning.",
        example: "metadata:\n  annotations:\n    example.org/webhook: https://user:Tr0ub4dor-3@hooks.internal/\n",
        remedy: "Put the value into a Secret, and its name into the annotation. Where a controller reads credentials from annotations \
                 alone, choose its way to refer to a Secret, or another controller.",
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    each_metadata(object, |metadata| check_metadata(metadata, reporter));
}

fn check_metadata(metadata: &Mapping, reporter: &mut Reporter) {
    for (field, noun) in [("annotations", "annotation"), ("labels", "label")] {
        let Some(mapping) = metadata.get(field).and_then(Node::as_mapping) else { continue };
        for entry in mapping.entries() {
            let Some(text) = entry.value.as_str().filter(|text| !credential::is_too_short(text)) else {
                continue;
            };
            // A digest, for example in `checksum/secret`.
            let is_digest = text.len() >= 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            let slash = entry.key.bytes().rposition(|byte| byte == b'/');
            let name =
                slash.map_or(Some(entry.key.as_str()), |at| entry.key.get(at + 1..)).filter(|_| !is_digest);
            if let Some(kind) = credential::detect(name, text) {
                reporter.report(show::draft(
                    &RULE,
                    kind,
                    entry.value.origin,
                    &format!("{noun} `{}`", entry.key),
                ));
            }
        }
    }
}
