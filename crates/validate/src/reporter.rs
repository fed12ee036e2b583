//! Findings as rules report them.

use crate::RuleInfo;
use crate::located::{FindingPlace, ObjectLocation, ObjectPath};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Origin, SourceLocation};

/// A finding as reported by a rule: positions are not yet resolved, and the object is an index.
#[derive(Debug)]
pub(crate) struct FindingDraft {
    pub(crate) rule: &'static RuleInfo,
    pub(crate) severity: Severity,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// The position that is shown.
    pub(crate) at: Origin,
    /// The location in the object.
    pub(crate) location: ObjectLocation,
    pub(crate) related: Vec<(Origin, String)>,
    /// Related places in files that are not sources of the objects.
    pub(crate) related_files: Vec<(SourceLocation, String)>,
    pub(crate) subject: Option<FindingSubject>,
    pub(crate) confidential: bool,
    /// The field that the object lacks, if a later build may set it.
    pub(crate) missing_field: Option<&'static str>,
}

/// The object that a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct FindingSubject {
    /// Index of the environment in the app.
    pub(crate) environment: usize,
    /// Index of the object in the environment.
    pub(crate) object: usize,
}

impl FindingDraft {
    /// Creates a finding at the position of a node or of its key.
    ///
    /// The message must be the same in every environment, and must never quote a value.
    pub(crate) fn new(
        rule: impl Into<&'static RuleInfo>,
        at: impl Into<FindingPlace>,
        message: impl Into<String>,
    ) -> Self {
        let rule = rule.into();
        let FindingPlace { at, location } = at.into();
        Self {
            rule,
            severity: rule.severity,
            message: message.into(),
            hint: None,
            at,
            location,
            related: Vec::new(),
            related_files: Vec::new(),
            subject: None,
            confidential: false,
            missing_field: None,
        }
    }

    /// Sets the hint: what to do about the finding.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Sets the path in the object, for example to a missing field.
    pub(crate) fn path(self, path: ObjectPath) -> Self {
        Self { location: ObjectLocation::Path(path), ..self }
    }

    /// Sets the scalar that contains the position; the finding gets the path of the scalar.
    pub(crate) fn within(self, scalar: impl Into<FindingPlace>) -> Self {
        Self { location: scalar.into().location, ..self }
    }

    /// Returns the path in the object, if the rule knows it.
    pub(crate) fn known_path(&self) -> Option<&ObjectPath> {
        match &self.location {
            ObjectLocation::Origin(_) => None,
            ObjectLocation::Path(path) => Some(path),
        }
    }

    /// Adds a related position.
    pub(crate) fn related(mut self, at: Origin, label: impl Into<String>) -> Self {
        self.related.push((at, label.into()));
        self
    }

    /// Adds a related place in a file that is not a source of the objects.
    pub(crate) fn related_file(mut self, place: SourceLocation, label: impl Into<String>) -> Self {
        self.related_files.push((place, label.into()));
        self
    }

    /// Sets the object in the current environment. Rules that check one object need not set it.
    pub(crate) fn about_object(self, object: usize) -> Self {
        Self { subject: Some(FindingSubject { environment: usize::MAX, object }), ..self }
    }

    /// Makes the finding one about the current environment as a whole.
    pub(crate) fn about_environment(self) -> Self {
        self.about_object(usize::MAX)
    }

    /// Sets the object in another environment of the app.
    pub(crate) fn about_object_in(self, environment: usize, object: usize) -> Self {
        Self { subject: Some(FindingSubject { environment, object }), ..self }
    }

    /// Forbids an excerpt, because it may show a secret.
    pub(crate) fn confidential(self) -> Self {
        Self { confidential: true, ..self }
    }

    /// Names the field that the object lacks, which a later build may set.
    pub(crate) fn missing_field(self, field: &'static str) -> Self {
        Self { missing_field: Some(field), ..self }
    }

    /// Overrides the severity of the rule.
    pub(crate) fn severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }
}

/// A collector of findings.
#[derive(Debug, Default)]
pub(crate) struct Reporter {
    /// The object or environment that is being checked.
    current: Option<FindingSubject>,
    drafts: Vec<FindingDraft>,
}

impl Reporter {
    /// Sets the default subject of the findings that follow.
    pub(crate) fn set_subject(&mut self, environment: usize, object: Option<usize>) {
        self.current = Some(FindingSubject { environment, object: object.unwrap_or(usize::MAX) });
    }

    /// Adds a finding.
    pub(crate) fn report(&mut self, mut draft: FindingDraft) {
        let current = self.current;
        let environment = current.map_or(0, |current| current.environment);
        draft.subject = match draft.subject {
            Some(FindingSubject { environment: usize::MAX, object }) => {
                Some(FindingSubject { environment, object })
            }
            None => current.filter(|current| current.object != usize::MAX),
            other => other,
        };
        self.drafts.push(draft);
    }

    /// Removes and returns all findings, in the order of reporting.
    pub(crate) fn take_findings(&mut self) -> Vec<FindingDraft> {
        std::mem::take(&mut self.drafts)
    }
}
