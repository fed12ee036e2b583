//! `config/unused-file`.

use crate::facts::scene::CheckedApp;
use crate::facts::unread_names::UnreadKind;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Origin;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "config/unused-file",
        severity: Severity::Warning,
        summary: "a file or directory of an app looks like input, but is not read",
        text: include_str!("unused_file.md"),
    },
    RuleCheck::App(check),
);

fn check(app: &CheckedApp<'_>, reporter: &mut Reporter) {
    for (source, unread) in app.unread {
        let (noun, severity) = match unread.kind {
            UnreadKind::Directory => ("directory", Severity::Warning),
            UnreadKind::File => ("file", Severity::Warning),
            UnreadKind::ForeignFile => ("file", Severity::Note),
        };
        let message = format!("{noun} `{}` is not read", unread.path);
        let draft = FindingDraft::new(&RULE, Origin::whole(*source), message);
        reporter.report(draft.severity(severity).hint(&unread.remedy));
    }
}
