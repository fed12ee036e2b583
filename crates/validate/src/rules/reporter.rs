//! Where rules put what they find.

use crate::RuleInfo;
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Origin, Place};

/// A finding as a rule knows it: positions not yet named, the object by its number.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) rule: &'static RuleInfo,
    pub(crate) severity: Severity,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) at: Origin,
    pub(crate) related: Vec<(Origin, String)>,
    /// Places in files that are no source of the objects.
    pub(crate) elsewhere: Vec<(Place, String)>,
    pub(crate) subject: Option<Subject>,
    /// The scalar that its position is a part of; its own path is that of the scalar.
    pub(crate) within: Option<Origin>,
    /// Where its position cannot tell: of what is missing, where it would be.
    pub(crate) pointer: Option<String>,
    pub(crate) confidential: bool,
}

/// The object that a draft is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Subject {
    /// Number of the environment among those of the app.
    pub(crate) environment: usize,
    /// Number of the object in it.
    pub(crate) object: usize,
}

impl Draft {
    /// A finding at a position: the node's own, or its key's.
    ///
    /// The message is the same in every environment, so it names none, and it quotes no value.
    pub(crate) fn new(rule: &'static super::Rule, at: Origin, message: impl Into<String>) -> Self {
        Self {
            rule: &rule.info,
            severity: rule.info.severity,
            message: message.into(),
            hint: None,
            at,
            related: Vec::new(),
            elsewhere: Vec::new(),
            subject: None,
            within: None,
            pointer: None,
            confidential: false,
        }
    }

    /// What to do about it.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The way to it, where that cannot be told from its position.
    pub(crate) fn pointer(self, pointer: String) -> Self {
        Self { pointer: Some(pointer), ..self }
    }

    /// Says that its position is a part of the scalar at another one.
    pub(crate) fn within(self, scalar: Origin) -> Self {
        Self { within: Some(scalar), ..self }
    }

    /// Another place that has to do with it.
    pub(crate) fn related(mut self, at: Origin, label: impl Into<String>) -> Self {
        self.related.push((at, label.into()));
        self
    }

    /// A place in a file that is no source of the objects.
    pub(crate) fn elsewhere(mut self, place: Place, label: impl Into<String>) -> Self {
        self.elsewhere.push((place, label.into()));
        self
    }

    /// The object of the current environment that it is about; rules that look at one object need not say it.
    pub(crate) fn about(self, object: usize) -> Self {
        Self { subject: Some(Subject { environment: usize::MAX, object }), ..self }
    }

    /// It is about the current environment as a whole, and no object of it.
    pub(crate) fn about_environment(self) -> Self {
        self.about(usize::MAX)
    }

    /// The object of another environment of the app that it is about.
    pub(crate) fn about_in(self, environment: usize, object: usize) -> Self {
        Self { subject: Some(Subject { environment, object }), ..self }
    }

    /// No excerpt may be shown: what stands there may be a secret.
    pub(crate) fn confidential(self) -> Self {
        Self { confidential: true, ..self }
    }

    /// Another severity than the rule's own.
    pub(crate) fn severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }
}

/// Takes what rules find.
#[derive(Debug, Default)]
pub(crate) struct Reporter {
    /// What a rule that looks at one object, or at one environment, is about.
    current: Option<Subject>,
    drafts: Vec<Draft>,
}

impl Reporter {
    /// What is reported from now on is about this object unless it says otherwise.
    pub(crate) fn look_at(&mut self, environment: usize, object: Option<usize>) {
        self.current = Some(Subject { environment, object: object.unwrap_or(usize::MAX) });
    }

    /// Takes a finding.
    pub(crate) fn report(&mut self, mut draft: Draft) {
        let current = self.current;
        let environment = current.map_or(0, |current| current.environment);
        draft.subject = match draft.subject {
            Some(Subject { environment: usize::MAX, object }) => Some(Subject { environment, object }),
            None => current.filter(|current| current.object != usize::MAX),
            other => other,
        };
        self.drafts.push(draft);
    }

    /// What was found, in the order of finding.
    pub(crate) fn take(&mut self) -> Vec<Draft> {
        std::mem::take(&mut self.drafts)
    }
}
