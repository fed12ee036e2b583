//! What is said of a kind that has no schema.

use crate::rules::Object;
use sealwave_kube::schema::Known;

/// What is said of it.
pub(super) struct Unknown {
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// Whether it surely does not exist; else it is a custom resource of which nothing is known.
    pub(super) certain: bool,
}

impl Unknown {
    /// `None` where nothing is, as removals and deprecations have rules of their own. `similar` looks for a kind of another
    /// name, as `apiVersion` and kind.
    pub fn of(
        object: &Object<'_>,
        known: Known,
        similar: impl FnOnce() -> Option<(String, String)>,
    ) -> Option<Self> {
        Some(match known {
            Known::Removed { .. } | Known::Yes => return None,
            Known::NotYet { introduced } => Self {
                message: format!(
                    "`{}` of this version does not exist before Kubernetes {introduced}",
                    object.kind
                ),
                hint: None,
                certain: true,
            },
            Known::OtherVersions(versions) => {
                let versions: Vec<String> = versions.iter().map(|version| format!("`{version}`")).collect();
                let hint = if versions.is_empty() {
                    "its definition serves no version".to_owned()
                } else {
                    format!("it exists as {}", versions.join(", "))
                };
                let message = format!("kind `{}` does not exist in this `apiVersion`", object.kind);
                Self { message, hint: Some(hint), certain: true }
            }
            Known::No { meant } => {
                // What ends in `sigs.k8s.io` is defined by projects of their own.
                let built_in = !object.group.contains('.')
                    || object.group.ends_with(".k8s.io")
                        && !object.group.ends_with(".sigs.k8s.io")
                        && meant.is_some();
                let message = if built_in {
                    format!("kind `{}` does not exist", object.kind)
                } else {
                    format!(
                        "there is no schema for kind `{}`; fields of its objects were not checked",
                        object.kind
                    )
                };
                // That a similar kind lies about does not tell that this one does not exist.
                let meant = meant.or_else(similar);
                let hint =
                    meant.map(|(api_version, kind)| format!("did you mean `{kind}` of `{api_version}`?"));
                Self { message, hint, certain: built_in }
            }
        })
    }
}
