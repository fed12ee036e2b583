//! What this stage has to say: its errors and its remarks, each with advice.

use sealwave_core::diagnostic::Explain;
use sealwave_core::document::ObjectId;
use sealwave_core::names;

/// Why the app file's settings cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadSetting {
    /// A kind of `waves.kinds` is not written as one.
    #[error("`waves.kinds` has `{0}`, which is not a kind")]
    Kind(String),
    /// A path of `workloads` is empty or has an empty part.
    #[error("the `podTemplate` of `{0}` is not a path")]
    Path(String),
}

impl Explain for BadSetting {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Kind(_) => "write `Kind`, or `group/Kind`, for example `Job` or `batch/Job`".into(),
            Self::Path(_) => "write keys with dots between them, for example `spec.template`".into(),
        })
    }
}

/// Something that the author should know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Remark {
    /// The place of an annotation is taken by something that is no mapping.
    #[error("{object} cannot be given `{annotation}`: its annotations are not an object")]
    AnnotationsMalformed {
        /// The object.
        object: ObjectId,
        /// The annotation.
        annotation: &'static str,
    },
    /// A Job's pod template cannot change.
    #[error("{0} gets no checksums: the pod template of a Job cannot change")]
    JobIsImmutable(ObjectId),
    /// Knative refuses a changed template under the same revision name.
    #[error("{0} gets no checksums: its pod template names its revision")]
    NamedRevision(ObjectId),
    /// A kind of the app file has no template where the file says.
    #[error("{object} has no pod template at `{path}`")]
    NoTemplate {
        /// The object.
        object: ObjectId,
        /// The path, as the app file has it.
        path: String,
    },
    /// An author's annotation gave way.
    #[error("{object} has `{annotation}` of its own, which is replaced")]
    Replaced {
        /// The object.
        object: ObjectId,
        /// The annotation.
        annotation: &'static str,
    },
    /// Sync options that are not a text.
    #[error(
        "{object} cannot be given `PruneLast=true`: its `{}` is not a string",
        names::ARGOCD_SYNC_OPTIONS
    )]
    UnreadableOptions {
        /// The object.
        object: ObjectId,
    },
    /// A wave that Argo CD cannot read.
    #[error("{object} has an `{annotation}` that is not an integer in a string")]
    UnreadableWave {
        /// The object.
        object: ObjectId,
        /// The annotation.
        annotation: &'static str,
    },
}

impl Explain for Remark {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::AnnotationsMalformed { .. } => "annotations are a mapping of strings".into(),
            Self::JobIsImmutable(_) => {
                "to run it again with changed configuration, make it a hook (`argocd.argoproj.io/hook: Sync`)"
                    .into()
            }
            Self::NamedRevision(_) => {
                "leave `spec.template.metadata.name` out, so that Knative names revisions itself".into()
            }
            Self::NoTemplate { .. } => "correct `podTemplate` under `workloads` in `sealwave.yaml`".into(),
            Self::Replaced { annotation, .. } => format!("remove `{annotation}`: sealwave computes it"),
            Self::UnreadableOptions { .. } => {
                "write options in quotes with commas between them, for example \"Prune=false,PruneLast=true\""
                    .into()
            }
            Self::UnreadableWave { .. } => {
                "write an integer in quotes, for example \"-1\"; Argo CD ignores anything else".into()
            }
        })
    }

    fn rule(&self) -> Option<&'static str> {
        matches!(self, Self::UnreadableWave { .. }).then_some("argocd/annotation")
    }
}
