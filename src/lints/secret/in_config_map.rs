//! `secret/in-config-map`.

use super::items::{decode, entries};
use super::show;
use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::credential::{self, Kind};
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::model::{Entry, Texts, item_called};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "secret/in-config-map",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a ConfigMap holds a credential",
        explanation: "A ConfigMap is readable by everybody who may look at the namespace: roles such as `view` allow \
                      ConfigMaps and refuse Secrets, Argo CD shows its values and masks only those of Secrets, and \
                      it is in the repository in any case. Tokens, private keys and URIs with a password are errors; \
                      a value that only the name of its key calls a credential is a warning, in files too if chance seems to have \
                      made it. `binaryData` is decoded and looked at where it is text.",
        example: "kind: ConfigMap\ndata:\n  DATABASE_URL: postgres://app:Tr0ub4dor-3@db/app\n",
        remedy: "Move the item into a Secret with a placeholder, and refer to that:\n\n\
                 ```yaml\nkind: Secret\nstringData:\n  DATABASE_URL: postgres://app:<vault:shop/db#password | urlencode>@db/app\n```\n\n\
                 Of a configuration file, keep the file in the ConfigMap and let the program read the password from its \
                 environment or from a file of its own.",
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, context: &Scene<'_>, reporter: &mut Reporter) {
    if !object.is("", "ConfigMap") {
        return;
    }
    let root = object.manifest.root();
    let texts = entries(root, "data").iter().filter_map(|entry| check_text(entry, context.texts));
    let binary = entries(root, "binaryData").iter().filter_map(check_binary);
    for draft in texts.chain(binary) {
        reporter.report(draft);
    }
}

fn check_text(entry: &Entry, texts: &Texts) -> Option<Draft> {
    let text = entry.value.as_str()?;
    let label = || item_called(&entry.key);
    if text.trim_end().contains('\n') {
        let found = credential::detect_in_lines(text)?;
        return Some(show::draft_in_file(&RULE, found, entry, &label(), texts));
    }
    if let Some(kind) = credential::detect(Some(&entry.key), text) {
        return Some(show::draft(&RULE, kind, entry.value.origin, &label()));
    }
    if !credential::is_given_in(text) {
        return None;
    }
    Some(if text.contains('\n') {
        show::draft_in_file(&RULE, (0, Kind::Keyed), entry, &label(), texts)
    } else {
        show::draft(&RULE, Kind::Keyed, entry.value.origin, &label())
    })
}

/// Checks text in base64. Keystores are not decoded.
fn check_binary(entry: &Entry) -> Option<Draft> {
    let text = String::from_utf8(decode(entry.value.as_str()?)?).ok()?;
    let (_, kind) = credential::detect_in_lines(&text)?;
    Some(show::draft(&RULE, kind, entry.value.origin, &item_called(&entry.key)))
}
