//! Whether a line of a source may be shown: where anything speaks against it, it is not.

use std::collections::BTreeSet;

use super::PrintContext;
use crate::{Finding, Related, Report, Span};

/// Kinds of objects whose lines are never shown, in lower case; a list of them is no better.
const SECRET_KINDS: &[&str] = &["", "secret"];
/// Without an object, a finding of these may stand in a Secret that was not understood.
const UNSURE_GROUPS: &[&str] = &["app/", "yaml/"];
/// What these find is a secret.
const SECRET_GROUP: &str = "secret/";

/// Lets excerpts through that hold no secret.
pub struct ExcerptGuard<'a> {
    context: &'a PrintContext<'a>,
    confidential: BTreeSet<(&'a str, u32)>,
}

impl<'a> ExcerptGuard<'a> {
    /// Knows every line that some finding calls confidential, be it silenced.
    #[must_use]
    pub fn new(report: &'a Report, context: &'a PrintContext<'a>) -> Self {
        let said = report.findings.iter().flat_map(Finding::confidential_lines);
        let silenced = report.withheld.iter().map(|(path, line)| (path.as_str(), *line));
        Self { context, confidential: said.chain(silenced).collect() }
    }

    /// The line that a finding stands on, where it may be shown.
    #[must_use]
    pub fn excerpt(&self, finding: &Finding) -> Option<String> {
        if !is_harmless(finding) {
            return None;
        }
        self.line(finding.span.as_ref()?)
    }

    /// The line of a place that has to do with a finding, where it may be shown.
    #[must_use]
    pub fn related_excerpt(&self, finding: &Finding, related: &Related) -> Option<String> {
        if !is_harmless(finding) || related.confidential {
            return None;
        }
        self.line(&related.span)
    }

    fn line(&self, span: &Span) -> Option<String> {
        let place = &span.place;
        // A finding about a whole file may be about any line of it.
        if [place.line, 0].iter().any(|line| self.confidential.contains(&(place.path.as_str(), *line))) {
            return None;
        }
        let (mut lines, at) = self.context.excerpts.around(&place.path, place.line)?;
        let hides = (self.context.looks_like_credential)(&lines, at);
        (!hides && at < lines.len()).then(|| lines.swap_remove(at))
    }
}

/// Whether what a finding is about holds no secret by what the finding says.
fn is_harmless(finding: &Finding) -> bool {
    if finding.confidential || finding.rule.id.starts_with(SECRET_GROUP) {
        return false;
    }
    match &finding.object {
        Some(object) => {
            let kind = object.kind.to_lowercase();
            !SECRET_KINDS.contains(&kind.strip_suffix("list").unwrap_or(&kind))
        }
        None => !UNSURE_GROUPS.iter().any(|group| finding.rule.id.starts_with(group)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Excerpts;
    use crate::report::samples::{APP_RULE, REF_RULE, SECRET_RULE, YAML_RULE, finding, object};

    /// What the guard shows of the first finding of several on line 1, and of its first related place.
    fn shown(findings: Vec<Finding>) -> (Option<String>, Option<String>) {
        shown_of(&Report { findings, ..Report::default() })
    }

    fn shown_of(report: &Report) -> (Option<String>, Option<String>) {
        let mut excerpts = Excerpts::new(|_| None);
        excerpts.preload("a.yaml", "one: 1\ntwo: 2\npassword: x\n");
        let context = PrintContext {
            version: "0",
            fail_on: None,
            excerpts: &excerpts,
            looks_like_credential: &|lines, at| lines[at].contains("password"),
            width: None,
        };
        let guard = ExcerptGuard::new(report, &context);
        let first = &report.findings[0];
        (
            guard.excerpt(first),
            first.related.first().and_then(|related| guard.related_excerpt(first, related)),
        )
    }

    fn at(line: u32) -> Finding {
        Finding { object: Some(object("Deployment")), ..finding(&REF_RULE, "a.yaml", line, 1, 3) }
    }

    fn with_related(line: u32, confidential: bool) -> Finding {
        let span = finding(&REF_RULE, "a.yaml", line, 1, 3).span.unwrap();
        let related = vec![Related { label: "it is here".to_owned(), span, confidential }];
        Finding { related, ..at(1) }
    }

    #[test]
    fn a_harmless_line_is_shown() {
        assert_eq!(shown(vec![at(1)]).0.as_deref(), Some("one: 1"));
        let without = Finding { object: None, ..at(1) };
        assert_eq!(shown(vec![without]).0.as_deref(), Some("one: 1"));
    }

    #[test]
    fn what_is_confidential_is_not_nor_is_anything_else_on_its_line() {
        let confidential = |line| Finding { confidential: true, ..at(line) };
        assert_eq!(shown(vec![confidential(1)]).0, None);
        assert_eq!(shown(vec![at(1), confidential(1)]).0, None);
        assert_eq!(shown(vec![at(1), confidential(0)]).0, None, "the whole file");
        assert_eq!(shown(vec![at(1), confidential(2)]).0.as_deref(), Some("one: 1"));
        let mut silenced = Report { findings: vec![at(1)], ..Report::default() };
        silenced.withhold(&confidential(1));
        assert_eq!(shown_of(&silenced).0, None);
    }

    #[test]
    fn no_line_of_a_secret_is_shown() {
        for kind in ["Secret", "secret", "SECRET", "SecretList", "List", ""] {
            let finding = Finding { object: Some(object(kind)), ..at(1) };
            assert_eq!(shown(vec![finding]).0, None, "{kind}");
        }
        for kind in ["SealedSecret", "ExternalSecret", "SecretStore"] {
            let finding = Finding { object: Some(object(kind)), ..at(1) };
            assert_eq!(shown(vec![finding]).0.as_deref(), Some("one: 1"), "{kind}");
        }
    }

    #[test]
    fn what_was_not_understood_is_not_shown() {
        for rule in [&APP_RULE, &YAML_RULE] {
            assert_eq!(shown(vec![Finding { rule, object: None, ..at(1) }]).0, None, "{}", rule.id);
            assert_eq!(shown(vec![Finding { rule, ..at(1) }]).0.as_deref(), Some("one: 1"), "{}", rule.id);
        }
        assert_eq!(shown(vec![Finding { rule: &SECRET_RULE, ..at(1) }]).0, None);
    }

    #[test]
    fn a_line_with_a_credential_is_not_shown() {
        assert_eq!(shown(vec![at(3)]).0, None);
        assert_eq!(shown(vec![with_related(3, false)]).1, None);
    }

    #[test]
    fn a_related_place_has_a_say_of_its_own() {
        assert_eq!(shown(vec![with_related(2, false)]).1.as_deref(), Some("two: 2"));
        let (own, related) = shown(vec![with_related(2, true)]);
        assert_eq!((own.as_deref(), related), (Some("one: 1"), None));
        assert_eq!(shown(vec![Finding { confidential: true, ..with_related(2, false) }]), (None, None));
        let elsewhere = Finding { confidential: true, ..with_related(2, false) };
        assert_eq!(shown(vec![at(2), elsewhere]).0, None, "a confidential finding's related place");
    }
}
