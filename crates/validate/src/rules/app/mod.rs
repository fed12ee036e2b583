//! Rules under which the pipeline reports an app that does not render, or not as its author expects.

use crate::RuleKind;
use crate::rule::Rule;
use sealwave_core::diagnostic::Severity;

rules! {
    static ANNOTATE,
    static BACKEND,
    static LOAD,
    static PLACEHOLDER,
    static RENDER,
    static UNSTABLE_SOURCE,
}

/// Problems with waves and checksums.
pub(crate) static ANNOTATE: Rule = Rule::stage(
    RuleKind::App,
    "app/annotate",
    Severity::Error,
    "waves or checksums cannot be set, or do not have the intended effect",
    include_str!("annotate.md"),
);

/// A Secret that the backend cannot convert.
pub(crate) static BACKEND: Rule = Rule::stage(
    RuleKind::App,
    "app/backend",
    Severity::Error,
    "a Secret cannot be converted for the backend of the environment",
    include_str!("backend.md"),
);

/// An app file that cannot be read.
pub(crate) static LOAD: Rule = Rule::stage(
    RuleKind::App,
    "app/load",
    Severity::Error,
    "a file of the app cannot be read",
    include_str!("load.md"),
);

/// A malformed or misplaced placeholder.
pub(crate) static PLACEHOLDER: Rule = Rule::stage(
    RuleKind::App,
    "app/placeholder",
    Severity::Error,
    "a placeholder is malformed or in a place where it is not allowed",
    include_str!("placeholder.md"),
);

/// A template, document or patch that does not yield an object.
pub(crate) static RENDER: Rule = Rule::stage(
    RuleKind::App,
    "app/render",
    Severity::Error,
    "a template, a document or a patch does not result in an object",
    include_str!("render.md"),
);

/// A field of a source that differs each time that the source is rendered.
pub(crate) static UNSTABLE_SOURCE: Rule = Rule::stage(
    // A suppression may accept such a field, and the line may be in a Secret.
    RuleKind::Document,
    "app/unstable-source",
    Severity::Error,
    "a chart prints something else each time: a random password, a new certificate, the time",
    include_str!("unstable_source.md"),
);
