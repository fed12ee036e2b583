//! `secret/in-file`.

use crate::facts::credential::files;
use crate::facts::scene::CheckedApp;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Origin;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Secret,
    RulePage {
        id: "secret/in-file",
        severity: Severity::Warning,
        summary: "a file in the directory of an app contains a credential and is not in `.gitignore`",
        text: include_str!("in_file.md"),
    },
    RuleCheck::App(check),
);

fn check(app: &CheckedApp<'_>, reporter: &mut Reporter) {
    for file in app.files {
        let found = if file.is_own_key {
            Some(files::CredentialInFile { line: 1, noun: "a key of sealwave", is_certain: true })
        } else {
            files::find(file.form, &file.content, file.source)
        };
        let Some(found) = found else { continue };
        let at = Origin::point(file.source, found.line, 0);
        let severity = if found.is_certain { Severity::Error } else { Severity::Warning };
        let hint = if file.is_own_key {
            "move it out of the repository, create a new key, and see docs/operating/keys.md on replacing it"
        } else {
            "remove the file from Git, name it in `.gitignore`, and change what it holds"
        };
        let message = format!("file holds {}, and no `.gitignore` names it", found.noun);
        reporter.report(FindingDraft::new(&RULE, at, message).severity(severity).hint(hint).confidential());
    }
}
