//! Decides whether the source line of a finding may be shown; in doubt, it is not.

use std::collections::BTreeSet;

use super::PrintContext;
use crate::{ExcerptPolicy, Finding, RelatedPlace, Report, Span};
use sealwave_core::excerpts::{Excerpts, ShownLine};
use sealwave_secrets::settings::APP_FILE;

/// Kinds of objects whose lines are never shown, in lower case; the same holds for lists of them.
const SECRET_KINDS: &[&str] = &["", "secret"];

/// Returns only excerpts that do not hold secrets.
pub struct ExcerptGuard<'a> {
    excerpts: &'a Excerpts,
    confidential: BTreeSet<(&'a str, u32)>,
}

/// The source of a finding, as far as it is known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    /// An object that holds no secret.
    Harmless,
    /// A Secret, or something that is not known.
    Confidential,
    /// The text of a file that could not be read as objects: only its text can tell.
    Text,
}

impl<'a> ExcerptGuard<'a> {
    /// Collects every line that a finding marks as confidential, including findings that are not reported.
    #[must_use]
    pub fn new(report: &'a Report, context: &PrintContext<'a>) -> Self {
        let excerpts = context.excerpts;
        let reported = report.findings.iter().flat_map(|finding| {
            let is_text = subject(finding) == Subject::Text;
            finding.confidential_lines().filter(move |(path, _)| !(is_text && excerpts.is_harmless(path)))
        });
        let silenced = report.withheld.iter().map(|(path, line)| (path.as_str(), *line));
        Self { excerpts, confidential: reported.chain(silenced).collect() }
    }

    /// Returns the line of a finding, if it may be shown.
    #[must_use]
    pub fn excerpt(&self, finding: &Finding) -> Option<ShownLine> {
        let span = self.unmarked(finding.span.as_ref()?)?;
        if finding.object.is_some() && is_app_file(span) {
            return None;
        }
        match subject(finding) {
            Subject::Confidential => None,
            Subject::Harmless => self.excerpts.line_of_object(&span.place.path, span.place.line),
            Subject::Text => self.excerpts.line_of_text(&span.place.path, span.place.line),
        }
    }

    /// Returns the line of a related place, if it may be shown.
    #[must_use]
    pub fn related_excerpt(&self, finding: &Finding, related: &RelatedPlace) -> Option<ShownLine> {
        if subject(finding) != Subject::Harmless || related.confidential {
            return None;
        }
        let span = self.unmarked(&related.span)?;
        if finding.object.is_some() && is_app_file(span) {
            return None;
        }
        self.excerpts.line_of_object(&span.place.path, span.place.line)
    }

    /// Returns a place, unless a finding marks it as confidential.
    fn unmarked<'b>(&self, span: &'b Span) -> Option<&'b Span> {
        let place = &span.place;
        // A finding about a whole file may be about any line of it.
        let is_marked =
            [place.line, 0].iter().any(|line| self.confidential.contains(&(place.path.as_str(), *line)));
        (!is_marked).then_some(span)
    }
}

/// Reports whether a place is in an app file. An object that is made there may be beside the literals of a Secret.
fn is_app_file(span: &Span) -> bool {
    span.place.path.rsplit('/').next() == Some(APP_FILE)
}

/// Judges by the finding whether its source may hold a secret.
fn subject(finding: &Finding) -> Subject {
    let policy = finding.rule.kind.excerpts();
    let object = finding.object.as_ref().map(|object| object.kind.to_lowercase());
    match (policy, object) {
        (ExcerptPolicy::Never, _) => Subject::Confidential,
        (ExcerptPolicy::HarmlessText, None) => Subject::Text,
        _ if finding.confidential => Subject::Confidential,
        (_, Some(kind)) if SECRET_KINDS.contains(&kind.strip_suffix("list").unwrap_or(&kind)) => {
            Subject::Confidential
        }
        (_, Some(_)) | (ExcerptPolicy::NoSecretObject, None) => Subject::Harmless,
        (ExcerptPolicy::KnownObject, None) => Subject::Confidential,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{APP_RULE, REF_RULE, SECRET_RULE, YAML_RULE, finding, object};
    use sealwave_core::excerpts::SecretSigns;

    /// Returns the excerpts that the guard allows for the first finding and its first related place.
    fn excerpts_for(findings: Vec<Finding>) -> (Option<String>, Option<String>) {
        excerpts_in(&Report { findings, ..Report::default() })
    }

    fn excerpts_in(report: &Report) -> (Option<String>, Option<String>) {
        excerpts_of(report, "one: 1\ntwo: 2\npassword: x\nkind: Secret\n")
    }

    fn excerpts_of(report: &Report, text: &str) -> (Option<String>, Option<String>) {
        let signs = SecretSigns {
            in_line: |lines, at| lines[at].contains("password"),
            in_text: |text| text.contains("kind: Secret"),
        };
        let mut excerpts = Excerpts::new(signs, |_| None);
        excerpts.preload("a.yaml", text);
        let context =
            PrintContext { version: "0", fail_on: None, excerpts: &excerpts, width: None, quiet: false };
        let guard = ExcerptGuard::new(report, &context);
        let first = &report.findings[0];
        let text = |line: Option<ShownLine>| line.map(|line| line.text().to_owned());
        (
            text(guard.excerpt(first)),
            text(first.related.first().and_then(|related| guard.related_excerpt(first, related))),
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

    #[test]
    fn a_text_that_cannot_be_read_is_shown_only_if_it_holds_no_secret() {
        let broken = |line| Finding { rule: &APP_RULE, object: None, confidential: true, ..at(line) };
        let shown = |findings: Vec<Finding>, text: &str| {
            excerpts_of(&Report { findings, ..Report::default() }, text).0
        };
        assert_eq!(shown(vec![broken(1)], "one: 1\n").as_deref(), Some("one: 1"));
        assert_eq!(shown(vec![broken(2)], "one: 1\npassword: x\n"), None);
        assert_eq!(shown(vec![broken(1)], "one: 1\nkind: Secret\n"), None);
        assert_eq!(shown(vec![at(1), broken(1)], "one: 1\nkind: Secret\n"), None, "it marks its line");
        assert_eq!(shown(vec![at(1), broken(1)], "one: 1\n").as_deref(), Some("one: 1"));
        let secret = Finding { rule: &SECRET_RULE, ..broken(1) };
        assert_eq!(shown(vec![broken(1), secret], "one: 1\n"), None, "another finding marks it");
    }
}
