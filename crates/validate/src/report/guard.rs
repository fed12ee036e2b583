//! Decides whether a source line may be shown; in doubt, it is not.

use std::collections::BTreeSet;

use super::PrintContext;
use crate::{ExcerptPolicy, Finding, RelatedPlace, Report, Span};

/// Kinds of objects whose lines are never shown, in lower case; the same holds for lists of them.
const SECRET_KINDS: &[&str] = &["", "secret"];

/// Returns only excerpts that do not hold secrets.
pub struct ExcerptGuard<'a> {
    context: &'a PrintContext<'a>,
    confidential: BTreeSet<(&'a str, u32)>,
}

impl<'a> ExcerptGuard<'a> {
    /// Collects every line that a finding marks as confidential, including findings that are not reported.
    #[must_use]
    pub fn new(report: &'a Report, context: &'a PrintContext<'a>) -> Self {
        let reported = report.findings.iter().flat_map(Finding::confidential_lines);
        let silenced = report.withheld.iter().map(|(path, line)| (path.as_str(), *line));
        Self { context, confidential: reported.chain(silenced).collect() }
    }

    /// Returns the line of a finding, if it may be shown.
    #[must_use]
    pub fn excerpt(&self, finding: &Finding) -> Option<String> {
        if !is_harmless(finding) {
            return None;
        }
        self.line(finding.span.as_ref()?)
    }

    /// Returns the line of a related place, if it may be shown.
    #[must_use]
    pub fn related_excerpt(&self, finding: &Finding, related: &RelatedPlace) -> Option<String> {
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
        let is_credential = (self.context.looks_like_credential)(&lines, at);
        (!is_credential && at < lines.len()).then(|| lines.swap_remove(at))
    }
}

/// Reports whether, judging by the finding, its object does not hold secrets.
fn is_harmless(finding: &Finding) -> bool {
    let policy = finding.rule.kind.excerpts();
    if finding.confidential || policy == ExcerptPolicy::Never {
        return false;
    }
    match &finding.object {
        Some(object) => {
            let kind = object.kind.to_lowercase();
            !SECRET_KINDS.contains(&kind.strip_suffix("list").unwrap_or(&kind))
        }
        None => policy == ExcerptPolicy::NoSecretObject,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Excerpts;
    use crate::report::samples::{APP_RULE, REF_RULE, SECRET_RULE, YAML_RULE, finding, object};

    /// Returns the excerpts that the guard allows for the first finding and its first related place.
    fn excerpts_for(findings: Vec<Finding>) -> (Option<String>, Option<String>) {
        excerpts_in(&Report { findings, ..Report::default() })
    }

    fn excerpts_in(report: &Report) -> (Option<String>, Option<String>) {
        let mut excerpts = Excerpts::new(|_| None);
        excerpts.preload("a.yaml", "one: 1\ntwo: 2\npassword: x\n");
        let context = PrintContext {
            version: "0",
            fail_on: None,
            excerpts: &excerpts,
            looks_like_credential: &|lines, at| lines[at].contains("password"),
            width: None,
            quiet: false,
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
        let related = vec![RelatedPlace {
            label: crate::RelatedLabel::Text("it is here".to_owned()),
            span,
            confidential,
        }];
        Finding { related, ..at(1) }
    }

    #[test]
    fn a_harmless_line_is_shown() {
        assert_eq!(excerpts_for(vec![at(1)]).0.as_deref(), Some("one: 1"));
        let without = Finding { object: None, ..at(1) };
        assert_eq!(excerpts_for(vec![without]).0.as_deref(), Some("one: 1"));
    }

    #[test]
    fn a_line_with_a_confidential_finding_is_never_shown() {
        let confidential = |line| Finding { confidential: true, ..at(line) };
        assert_eq!(excerpts_for(vec![confidential(1)]).0, None);
        assert_eq!(excerpts_for(vec![at(1), confidential(1)]).0, None);
        assert_eq!(excerpts_for(vec![at(1), confidential(0)]).0, None, "the whole file");
        assert_eq!(excerpts_for(vec![at(1), confidential(2)]).0.as_deref(), Some("one: 1"));
        let mut silenced = Report { findings: vec![at(1)], ..Report::default() };
        silenced.withhold(&confidential(1));
        assert_eq!(excerpts_in(&silenced).0, None);
    }

    #[test]
    fn lines_of_secrets_are_not_shown() {
        for kind in ["Secret", "secret", "SECRET", "SecretList", "List", ""] {
            let finding = Finding { object: Some(object(kind)), ..at(1) };
            assert_eq!(excerpts_for(vec![finding]).0, None, "{kind}");
        }
        for kind in ["SealedSecret", "ExternalSecret", "SecretStore"] {
            let finding = Finding { object: Some(object(kind)), ..at(1) };
            assert_eq!(excerpts_for(vec![finding]).0.as_deref(), Some("one: 1"), "{kind}");
        }
    }

    #[test]
    fn lines_without_a_known_object_are_not_shown_for_parse_errors() {
        for rule in [&APP_RULE, &YAML_RULE] {
            assert_eq!(excerpts_for(vec![Finding { rule, object: None, ..at(1) }]).0, None, "{}", rule.id);
            assert_eq!(
                excerpts_for(vec![Finding { rule, ..at(1) }]).0.as_deref(),
                Some("one: 1"),
                "{}",
                rule.id
            );
        }
        assert_eq!(excerpts_for(vec![Finding { rule: &SECRET_RULE, ..at(1) }]).0, None);
    }

    #[test]
    fn a_line_with_a_credential_is_not_shown() {
        assert_eq!(excerpts_for(vec![at(3)]).0, None);
        assert_eq!(excerpts_for(vec![with_related(3, false)]).1, None);
    }

    #[test]
    fn related_places_are_guarded_separately() {
        assert_eq!(excerpts_for(vec![with_related(2, false)]).1.as_deref(), Some("two: 2"));
        let (own, related) = excerpts_for(vec![with_related(2, true)]);
        assert_eq!((own.as_deref(), related), (Some("one: 1"), None));
        assert_eq!(
            excerpts_for(vec![Finding { confidential: true, ..with_related(2, false) }]),
            (None, None)
        );
        let elsewhere = Finding { confidential: true, ..with_related(2, false) };
        assert_eq!(excerpts_for(vec![at(2), elsewhere]).0, None, "a confidential finding's related place");
    }
}
