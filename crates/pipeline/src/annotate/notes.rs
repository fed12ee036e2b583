//! Errors and remarks of this stage, with hints.

use sealwave_core::diagnostic::{Explain, ProblemKind};
use sealwave_core::document::ObjectId;
use sealwave_core::names;

/// A setting of the app file that is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SettingProblem {
    /// A kind in `waves.kinds` is malformed.
    #[error("`{0}` in `waves.kinds` is not a valid kind")]
    Kind(String),
    /// A path in `workloads` is empty or has an empty part.
    #[error("`podTemplate` of `{0}` is not a valid path")]
    Path(String),
}

impl Explain for SettingProblem {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Kind(_) => "write `Kind`, or `group/Kind`, for example `Job` or `batch/Job`".into(),
            Self::Path(_) => "write keys with dots between them, for example `spec.template`".into(),
        })
    }
}

/// A remark for the author.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum AnnotateRemark {
    /// The annotations of an object are not a mapping.
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
    /// An entry of `keptChecksums` whose workload does not exist or reads something else by now.
    #[error("`{0}` in `keptChecksums` has no effect: the workload reads something else by now")]
    KeptChecksum(String),
    /// Knative refuses a changed template under the same revision name.
    #[error("{0} gets no checksums: its pod template names its revision")]
    NamedRevision(ObjectId),
    /// A kind of the app file has no pod template at the given path.
    #[error("{object} has no pod template at `{path}`")]
    NoTemplate {
        /// The object.
        object: ObjectId,
        /// The path from the app file.
        path: String,
    },
    /// An author's annotation was replaced.
    #[error("{object} already has `{annotation}`; sealwave replaces it")]
    Replaced {
        /// The object.
        object: ObjectId,
        /// The annotation.
        annotation: &'static str,
    },
    /// The sync options are not a string.
    #[error(
        "{object} cannot be given `PruneLast=true`: its `{}` is not a string",
        names::ARGOCD_SYNC_OPTIONS
    )]
    UnreadableOptions {
        /// The object.
        object: ObjectId,
    },
    /// Argo CD cannot read the wave.
    #[error("{object} has an `{annotation}` that is not an integer in a string")]
    UnreadableWave {
        /// The object.
        object: ObjectId,
        /// The annotation.
        annotation: &'static str,
    },
}

impl Explain for AnnotateRemark {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::AnnotationsMalformed { .. } => "annotations are a mapping of strings".into(),
            Self::JobIsImmutable(_) => {
                "to run it again with changed configuration, make it a hook (`argocd.argoproj.io/hook: Sync`)"
                    .into()
            }
            Self::KeptChecksum(_) => "remove the entry from `sealwave.yaml`".into(),
            Self::NamedRevision(_) => {
                "omit `spec.template.metadata.name`, so that Knative names revisions itself".into()
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

    fn problem_kind(&self) -> Option<ProblemKind> {
        matches!(self, Self::UnreadableWave { .. }).then_some(ProblemKind::ArgoCdAnnotation)
    }
}
