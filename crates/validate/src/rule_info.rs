//! The identity and the traits of a rule.
//!
//! Whether a finding may be suppressed, and whether a source line may be shown for it, follows from the [`RuleKind`], which each
//! rule must choose. Nothing follows from a rule's id.

use sealwave_core::diagnostic::Severity;

/// The objects that the API server refuses where a rule reports an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiRefusal {
    /// Objects of Kubernetes' own kinds. It accepts a custom resource, and what its controller makes of it is refused later.
    BuiltInKinds,
    /// Objects of every kind.
    EveryKind,
    /// No objects.
    Never,
}

/// The subject of a rule, which decides what settings may change and what an excerpt may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// An app that a stage cannot process.
    App,
    /// The text of a document, whose object may be unknown.
    Document,
    /// Objects of a known kind.
    Object,
    /// Objects and the schemas of their kinds, which depend on the Kubernetes versions of the run.
    Schema,
    /// Credentials and Secrets.
    Secret,
    /// Suppressions themselves.
    Suppression,
    /// A document that cannot be parsed.
    Syntax,
}

/// The excerpts that may be shown for a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExcerptPolicy {
    /// Lines of a text that holds no Secret, judging by the text alone.
    HarmlessText,
    /// Lines of an object that is known and does not hold secrets.
    KnownObject,
    /// No lines.
    Never,
    /// Lines of an object that does not hold secrets, or without an object.
    NoSecretObject,
}

impl RuleKind {
    /// Returns the excerpts that may be shown for a finding of the kind.
    #[must_use]
    pub const fn excerpts(self) -> ExcerptPolicy {
        match self {
            // Without an object, the text may be in a Secret that could not be parsed.
            Self::Document => ExcerptPolicy::KnownObject,
            Self::App | Self::Syntax => ExcerptPolicy::HarmlessText,
            Self::Secret => ExcerptPolicy::Never,
            Self::Object | Self::Schema | Self::Suppression => ExcerptPolicy::NoSecretObject,
        }
    }
}

/// A part of the input that some runs lack, without which a rule does not find all violations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleInput {
    /// The app at an earlier revision.
    EarlierRevision,
    /// The objects, which each run has.
    Objects,
    /// The kinds that the caller rejects, including those that are not checked otherwise.
    RejectedKinds,
    /// The sealing certificates of the clusters.
    SealingCertificates,
}

/// The findings of other rules that make those of a rule redundant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleOverlap {
    /// No findings.
    None,
    /// Errors that the API server refuses, in the same places. They get the hint of the redundant finding.
    RejectedPlace,
    /// A schema violation that reports the same missing field.
    SchemaViolation,
}

/// The topic of a rule's findings, as far as it matters for more than one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleTopic {
    /// An object that the input lacks, or that nothing uses. A finding is held back if the object may be one that does not
    /// render.
    Absence,
    /// Another topic.
    Other,
    /// Weakened security, besides the rules of [`RuleKind::Secret`].
    Security,
}

/// A rule and the texts of its page.
#[derive(Debug, PartialEq, Eq)]
pub struct RuleInfo {
    /// For example `secret/bad-base64`.
    pub id: &'static str,
    /// The subject of the rule.
    pub kind: RuleKind,
    /// The default severity of its findings.
    pub severity: Severity,
    /// Whether it is enabled by default.
    pub enabled: bool,
    /// The objects with an error of the rule that the API server refuses, and `generate --validate` with it.
    pub refusal: ApiRefusal,
    /// The input that it depends on.
    pub input: RuleInput,
    /// The findings that make its own redundant.
    pub overlap: RuleOverlap,
    /// Whether `--lenient` lowers its errors to warnings.
    pub is_lenient: bool,
    /// The topic of its findings.
    pub topic: RuleTopic,
    /// One line: what it finds.
    pub summary: &'static str,
    /// The Markdown page beside the rule: a title with the id, the explanation, `## Example` and `## What to do`.
    pub page: &'static str,
}

/// The id, the default severity and the texts of a rule.
pub(crate) struct RulePage {
    /// For example `secret/bad-base64`.
    pub(crate) id: &'static str,
    /// The default severity of its findings.
    pub(crate) severity: Severity,
    /// One line: what it finds.
    pub(crate) summary: &'static str,
    /// The Markdown page beside the rule.
    pub(crate) text: &'static str,
}

/// The directory of the pages of rules, relative to the root of sealwave's repository.
pub(crate) const RULE_PAGES: &str = "docs/rules";

/// The lines of a page between its explanation and its example.
const EXAMPLE: &str = "\n\n## Example\n\n```yaml\n";
/// The lines of a page between its example and its remedy.
const REMEDY: &str = "\n```\n\n## What to do\n\n";

impl RuleInfo {
    /// Creates a rule that is enabled, depends on the objects alone, and overlaps with no other rule.
    #[expect(clippy::needless_pass_by_value, reason = "the page becomes the rule")]
    pub(crate) const fn new(kind: RuleKind, page: RulePage) -> Self {
        let RulePage { id, severity, summary, text } = page;
        Self {
            id,
            kind,
            severity,
            enabled: true,
            refusal: ApiRefusal::Never,
            input: RuleInput::Objects,
            overlap: RuleOverlap::None,
            is_lenient: false,
            topic: RuleTopic::Other,
            summary,
            page: text,
        }
    }

    /// Returns the sections of the page; a section that the page lacks is empty.
    fn sections(&self) -> (&'static str, &'static str, &'static str) {
        let body = self.page.split_once("\n\n").map_or("", |(_title, body)| body);
        let (explanation, rest) = body.split_once(EXAMPLE).unwrap_or((body, ""));
        let (example, remedy) = rest.split_once(REMEDY).unwrap_or((rest, ""));
        (explanation, example, remedy.trim_end())
    }

    /// Returns the title of the page, which is the rule's id.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.page.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default()
    }

    /// Returns the group of the rule: the part of its id before `/`.
    #[must_use]
    pub fn group(&self) -> &'static str {
        self.id.split('/').next().unwrap_or_default()
    }

    /// Returns the link from the index of rules to the rule. In an anchor, `/` is omitted.
    #[must_use]
    pub fn page_link(&self) -> String {
        format!("{}.md#{}", self.group(), self.id.replace('/', ""))
    }

    /// Returns the path and anchor of the rule's documentation, relative to the root of sealwave's repository.
    #[must_use]
    pub fn page_path(&self) -> String {
        format!("{RULE_PAGES}/{}", self.page_link())
    }

    /// Returns why the rule matters: what a cluster or Argo CD does with such an object.
    #[must_use]
    pub fn explanation(&self) -> &'static str {
        self.sections().0
    }

    /// Returns YAML that breaks the rule.
    #[must_use]
    pub fn example(&self) -> &'static str {
        self.sections().1
    }

    /// Returns what to do, with YAML where it helps.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        self.sections().2
    }

    /// Returns whether the API server refuses an object with an error of this rule, possibly except custom resources.
    #[must_use]
    pub const fn is_refused(&self) -> bool {
        !matches!(self.refusal, ApiRefusal::Never)
    }

    /// Reports whether code scanning shows findings of the rule as security alerts.
    #[must_use]
    pub const fn is_security(&self) -> bool {
        matches!(self.topic, RuleTopic::Security) || matches!(self.kind, RuleKind::Secret)
    }

    /// Reports whether its findings are about objects that the input lacks, or that nothing uses.
    #[must_use]
    pub const fn reports_absence(&self) -> bool {
        matches!(self.topic, RuleTopic::Absence)
    }

    /// Reports whether findings of the rule may be suppressed; those about apps that do not render and about
    /// suppressions may not.
    #[must_use]
    pub const fn is_suppressible(&self) -> bool {
        match self.kind {
            RuleKind::App | RuleKind::Suppression | RuleKind::Syntax => false,
            RuleKind::Document | RuleKind::Object | RuleKind::Schema | RuleKind::Secret => true,
        }
    }

    /// Reports whether settings may suppress findings of the rule in files that they name, although nothing else may.
    #[must_use]
    pub const fn is_suppressible_by_file(&self) -> bool {
        matches!(self.kind, RuleKind::Syntax)
    }

    /// Reports whether settings may change the severity or disable the rule; not for rules about unreadable apps or
    /// documents.
    #[must_use]
    pub const fn is_adjustable(&self) -> bool {
        match self.kind {
            RuleKind::App | RuleKind::Syntax => false,
            RuleKind::Document
            | RuleKind::Object
            | RuleKind::Schema
            | RuleKind::Secret
            | RuleKind::Suppression => true,
        }
    }
}
