//! `secret/in-config-map`.

use super::items::entries;
use super::show;
use crate::diagnostic::{RuleInfo, Severity};
use crate::lints::credential;
use crate::lints::{Check, Object, Reporter, Rule, Scene};
use crate::model::item_called;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "secret/in-config-map",
        severity: Severity::Warning,
        enabled: true,
        summary: "a ConfigMap holds a credential",
        explanation: "A ConfigMap is readable by everybody who may look at the namespace: roles such as `view` allow \
                      ConfigMaps and refuse Secrets, Argo CD shows its values and masks only those of Secrets, and \
                      it is in the repository in any case. Tokens, private keys and URIs with a password are errors; \
                      a value that only the name of its key calls a credential is a warning.",
        example: "kind: ConfigMap\ndata:\n  DATABASE_URL: postgres://app:Tr0ub4dor-3@db/app\n",
        remedy: "Move the item into a Secret with a placeholder, and refer to that:\n\n\
                 ```yaml\nkind: Secret\nstringData:\n  DATABASE_URL: postgres://app:<vault:shop/db#password | urlencode>@db/app\n```\n\n\
                 Of a configuration file, keep the file in the ConfigMap and let the program read the password from its \
                 environment or from a file of its own.",
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, scene: &Scene<'_>, reporter: &mut Reporter) {
    if !object.is("", "ConfigMap") {
        return;
    }
    for entry in entries(object.manifest.root(), "data") {
        let Some(text) = entry.value.as_str() else { continue };
        let place = item_called(&entry.key);
        if text.trim_end().contains('\n') {
            if let Some(found) = credential::detect_in_lines(text) {
                reporter.report(show::draft_in_file(&RULE, found, entry, &place, scene.texts));
            }
        } else if let Some(kind) = credential::detect(Some(&entry.key), text) {
            reporter.report(show::draft(&RULE, kind, entry.value.origin, &place));
        }
    }
}
