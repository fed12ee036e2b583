//! Messages for kinds without a schema.

use crate::facts::checked_object::CheckedObject;
use sealwave_kube::schema::KindLookup;

/// The message for a kind without a schema.
pub(super) struct UnknownKind {
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// Whether the kind certainly does not exist; otherwise it is an unknown custom resource.
    pub(super) is_certain: bool,
}

impl UnknownKind {
    /// Returns the message for a lookup result; `None` for known and removed kinds, which other rules report. `similar`
    /// returns `apiVersion` and kind of a similar name.
    pub(super) fn from_lookup(
        object: &CheckedObject<'_>,
        known: KindLookup,
        similar: impl FnOnce() -> Option<(String, String)>,
    ) -> Option<Self> {
        Some(match known {
            KindLookup::Removed { .. } | KindLookup::Yes => return None,
            KindLookup::NotYet { introduced } => Self {
                message: format!(
                    "`{}` of this version does not exist before Kubernetes {introduced}",
                    object.kind
                ),
                hint: None,
                is_certain: true,
            },
            KindLookup::OtherVersions(versions) => {
                let versions: Vec<String> = versions.iter().map(|version| format!("`{version}`")).collect();
                let hint = if versions.is_empty() {
                    "its definition serves no version".to_owned()
                } else {
                    format!("it exists as {}", versions.join(", "))
                };
                let message = format!("kind `{}` does not exist in this `apiVersion`", object.kind);
                Self { message, hint: Some(hint), is_certain: true }
            }
            KindLookup::No { meant } => {
                // Groups that end in `sigs.k8s.io` belong to separate projects.
                let built_in = !object.group.contains('.')
                    || object.group.ends_with(".k8s.io")
                        && !object.group.ends_with(".sigs.k8s.io")
                        && meant.is_some();
                let message = if built_in {
                    format!("kind `{}` does not exist", object.kind)
                } else {
                    format!("kind `{}` has no schema; fields of its objects were not checked", object.kind)
                };
                // A similarly named kind in the repository does not prove that this one does not exist.
                let meant = meant.or_else(similar);
                let hint =
                    meant.map(|(api_version, kind)| format!("did you mean `{kind}` of `{api_version}`?"));
                Self { message, hint, is_certain: built_in }
            }
        })
    }
}
