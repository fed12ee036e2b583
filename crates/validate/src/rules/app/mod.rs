//! What the stages of a run say of an app: it would not render, or not as its author thinks.

use super::Rule;
use sealwave_core::diagnostic::Severity;

/// Waves and checksums.
pub(crate) static ANNOTATE: Rule = Rule::stage(
    "app/annotate",
    Severity::Error,
    "waves or checksums cannot be set, or do not have the intended effect",
    include_str!("annotate.md"),
);

/// What Secrets become.
pub(crate) static BACKEND: Rule = Rule::stage(
    "app/backend",
    Severity::Error,
    "a Secret cannot be converted for the backend of the environment",
    include_str!("backend.md"),
);

/// The app's files.
pub(crate) static LOAD: Rule =
    Rule::stage("app/load", Severity::Error, "a file of the app cannot be read", include_str!("load.md"));

/// Placeholders.
pub(crate) static PLACEHOLDER: Rule = Rule::stage(
    "app/placeholder",
    Severity::Error,
    "a placeholder is malformed or in a place where it is not allowed",
    include_str!("placeholder.md"),
);

/// Templates and documents.
pub(crate) static RENDER: Rule = Rule::stage(
    "app/render",
    Severity::Error,
    "a template, a document or a patch does not result in an object",
    include_str!("render.md"),
);
