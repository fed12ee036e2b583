//! Findings as rules report them.

use std::borrow::Cow;

use crate::RuleInfo;
use crate::index::EnvironmentIndex;
use crate::located::{FindingPlace, ObjectLocation, ObjectPath};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Origin, SourceLocation};
use sealwave_kube::catalog::ObjectIndex;

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
    /// The subject, as the reporter determines it.
    pub(crate) subject: FindingSubject,
    pub(crate) chosen: Option<ChosenSubject>,
    pub(crate) confidential: bool,
    /// The field that the object lacks, if a later build may set it.
    pub(crate) missing_field: Option<&'static str>,
    /// The spelling of the value that its type needs.
    pub(crate) spelling: Option<ValueSpelling>,
    /// The environments of the finding, if it is reported once for several; otherwise that of the subject.
    pub(crate) environments: Vec<EnvironmentIndex>,
    /// Whether the absent object may be one that does not render.
    pub(crate) held_back: bool,
}

/// The way in which a value must be written to have the right type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueSpelling {
    /// In quotes.
    Quoted,
    /// Without quotes.
    Unquoted,
}

/// The subject of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum FindingSubject {
    /// The app or the manifests as a whole.
    Whole,
    /// An environment.
    Environment(EnvironmentIndex),
    /// An object of an environment.
    Object(EnvironmentIndex, ObjectIndex),
}

/// The subject that a rule chose for a finding.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ChosenSubject {
    /// The environment that is being checked.
    CurrentEnvironment,
    /// An object of the environment that is being checked.
    ObjectHere(ObjectIndex),
    /// Independent of what is being checked.
    Fixed(FindingSubject),
}

impl FindingSubject {
    /// Returns the environment of the subject.
    pub(crate) const fn environment(self) -> Option<EnvironmentIndex> {
        match self {
            Self::Whole => None,
            Self::Environment(environment) | Self::Object(environment, _) => Some(environment),
        }
    }

    /// Returns the object, if the subject is one.
    pub(crate) const fn object(self) -> Option<ObjectIndex> {
        match self {
            Self::Whole | Self::Environment(_) => None,
            Self::Object(_, object) => Some(object),
        }
    }
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
            subject: FindingSubject::Whole,
            chosen: None,
            confidential: false,
            missing_field: None,
            spelling: None,
            environments: Vec::new(),
            held_back: false,
        }
    }

    /// Sets the spelling that the value needs; the hint follows if a template tag prints the value.
    pub(crate) fn spelling(self, spelling: ValueSpelling) -> Self {
        Self { spelling: Some(spelling), ..self }
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

    /// Sets the path in the object as a JSON pointer.
    pub(crate) fn pointer(self, pointer: String) -> Self {
        Self { location: ObjectLocation::Pointer(pointer), ..self }
    }

    /// Returns the path in the object as a JSON pointer, if the rule knows it.
    pub(crate) fn known_pointer(&self) -> Option<Cow<'_, str>> {
        match &self.location {
            ObjectLocation::Origin(_) => None,
            ObjectLocation::Path(path) => Some(path.pointer().into()),
            ObjectLocation::Pointer(pointer) => Some(pointer.into()),
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
    pub(crate) fn about_object(self, object: ObjectIndex) -> Self {
        self.about(ChosenSubject::ObjectHere(object))
    }

    /// Makes the finding one about the current environment as a whole.
    pub(crate) fn about_environment(self) -> Self {
        self.about(ChosenSubject::CurrentEnvironment)
    }

    /// Sets the object in another environment of the app.
    pub(crate) fn about_object_in(self, environment: usize, object: ObjectIndex) -> Self {
        let environment = EnvironmentIndex::new(environment);
        self.about(ChosenSubject::Fixed(FindingSubject::Object(environment, object)))
    }

    /// Makes the finding one about another environment of the app as a whole.
    pub(crate) fn about_environment_at(self, environment: usize) -> Self {
        let environment = EnvironmentIndex::new(environment);
        self.about(ChosenSubject::Fixed(FindingSubject::Environment(environment)))
    }

    fn about(self, chosen: ChosenSubject) -> Self {
        Self { chosen: Some(chosen), ..self }
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
    current: CheckedScope,
    drafts: Vec<FindingDraft>,
}

/// The part of the input that is being checked.
#[derive(Clone, Copy, Debug, Default)]
enum CheckedScope {
    /// The input as a whole.
    #[default]
    Whole,
    Environment(EnvironmentIndex),
    Object(EnvironmentIndex, ObjectIndex),
}

impl CheckedScope {
    /// Returns the environment that rules mean if they name none.
    const fn environment(self) -> EnvironmentIndex {
        match self {
            Self::Whole => EnvironmentIndex::FIRST,
            Self::Environment(environment) | Self::Object(environment, _) => environment,
        }
    }
}

impl Reporter {
    /// Starts the check of the input as a whole.
    pub(crate) fn start_input(&mut self) {
        self.current = CheckedScope::Whole;
    }

    /// Starts the check of an environment.
    pub(crate) fn start_environment(&mut self, environment: EnvironmentIndex) {
        self.current = CheckedScope::Environment(environment);
    }

    /// Starts the check of an object, which is the subject of the findings that follow.
    pub(crate) fn start_object(&mut self, environment: EnvironmentIndex, object: ObjectIndex) {
        self.current = CheckedScope::Object(environment, object);
    }

    /// Adds a finding.
    pub(crate) fn report(&mut self, mut draft: FindingDraft) {
        let environment = self.current.environment();
        draft.subject = match (draft.chosen, self.current) {
            (Some(ChosenSubject::CurrentEnvironment), _) => FindingSubject::Environment(environment),
            (Some(ChosenSubject::ObjectHere(object)), _) => FindingSubject::Object(environment, object),
            (Some(ChosenSubject::Fixed(subject)), _) => subject,
            (None, CheckedScope::Object(environment, object)) => FindingSubject::Object(environment, object),
            (None, CheckedScope::Whole | CheckedScope::Environment(_)) => FindingSubject::Whole,
        };
        self.drafts.push(draft);
    }

    /// Removes and returns all findings, in the order of reporting.
    pub(crate) fn take_findings(&mut self) -> Vec<FindingDraft> {
        std::mem::take(&mut self.drafts)
    }
}
