//! What charts can ask about the cluster: its Kubernetes version and its API versions.
//!
//! In Argo CD those of the destination count, as they do for Argo CD's own charts. Elsewhere the app file states them, so that
//! all runs agree.

use sealwave_core::diagnostic::{Explain, Note, Problem, ProblemPlace};
use sealwave_secrets::settings::EnvironmentSettings;

use super::input::SourceInput;

/// The capabilities of a run.
pub(super) struct Capabilities {
    pub(super) kube_version: Option<String>,
    pub(super) api_versions: Vec<String>,
}

/// A difference between the destination and the app file.
#[derive(Debug, thiserror::Error)]
enum Difference {
    #[error("`kubeVersion` is {stated}, but the destination has {actual}")]
    KubeVersion { stated: String, actual: String },
    #[error("destination lacks {} of `apiVersions`, for example `{}`", .0.len(), .0.first().map_or("", |first| first))]
    ApiVersions(Vec<String>),
}

impl Explain for Difference {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::KubeVersion { actual, .. } => {
                format!("set it to {actual}, so that a preview renders what Argo CD renders")
            }
            Self::ApiVersions(_) => "remove those that the destination does not have".to_owned(),
        })
    }
}

impl Capabilities {
    /// Decides the capabilities, and notes where the app file differs from the destination.
    pub(super) fn decide(input: &SourceInput<'_>, notes: &mut Vec<Note>) -> Self {
        let environment = &input.context.environment;
        let default = EnvironmentSettings::default();
        let stated = input.app.environment(environment).unwrap_or(&default);
        let actual = &input.context.capabilities;
        let mut note = |field: &str, difference: &Difference| {
            let at = input.app.setting_at(&["environments", environment, field], None);
            notes.push(Note::warning(Problem { at: ProblemPlace::Place(at), ..Problem::new(difference) }));
        };
        if let (Some(stated), Some(actual)) = (&stated.kube_version, &actual.kube_version)
            && !is_same_minor(stated, actual)
        {
            let (stated, actual) = (stated.clone(), actual.clone());
            note("kubeVersion", &Difference::KubeVersion { stated, actual });
        }
        let has_actual = !actual.api_versions.is_empty();
        let missing: Vec<String> = stated
            .api_versions
            .iter()
            .filter(|version| has_actual && !actual.api_versions.contains(version))
            .cloned()
            .collect();
        if !missing.is_empty() {
            note("apiVersions", &Difference::ApiVersions(missing));
        }
        Self {
            kube_version: actual.kube_version.clone().or_else(|| stated.kube_version.clone()),
            api_versions: if has_actual { actual.api_versions.clone() } else { stated.api_versions.clone() },
        }
    }
}

/// Reports whether two versions have the same major and minor number: the app file usually has no patch number.
fn is_same_minor(one: &str, other: &str) -> bool {
    let minor = |version: &str| {
        let mut parts = version.trim_start_matches('v').split(['.', '+', '-']).map(str::to_owned);
        (parts.next(), parts.next())
    };
    minor(one) == minor(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patch_numbers_do_not_differ() {
        for (one, other, same) in [
            ("1.34", "v1.34.2", true),
            ("1.34.1+k3s1", "1.34.0-eks-1", true),
            ("1.34", "1.33", false),
            ("1.3", "1.34", false),
        ] {
            assert_eq!(is_same_minor(one, other), same, "{one} {other}");
        }
    }
}
