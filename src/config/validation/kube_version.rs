//! The Kubernetes versions that objects are checked against, from flags, settings and the environment.

use crate::config::VariableReader;
use sealwave_core::diagnostic::{Failure, Problem};
use sealwave_kube::schema::{KubeVersion, VersionError};

/// The variable with the Kubernetes version of the destination, set by Argo CD.
const KUBE_VERSION: &str = "KUBE_VERSION";

/// Returns the Kubernetes version of the destination, as set by Argo CD, or the nearest one with known schemas.
///
/// # Errors
/// The value is not a version.
pub(crate) fn destination_version(variables: VariableReader) -> Result<Option<KubeVersion>, Failure> {
    let value = variables(KUBE_VERSION).and_then(|value| value.into_string().ok());
    let nearest =
        |text: String| KubeVersion::parse_nearest(&text).map_err(|error| Problem::new(&error).into());
    value.filter(|text| !text.is_empty()).map(nearest).transpose()
}

/// Parses versions, each once, in their order.
pub(super) fn parse_versions(texts: &[String]) -> Result<Vec<KubeVersion>, Failure> {
    let mut versions = Vec::new();
    for text in texts {
        let version: KubeVersion = text.trim().parse().map_err(|error: VersionError| Problem::new(&error))?;
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    Ok(versions)
}

/// Returns the comma-separated versions of the variable, if set.
pub(super) fn version_variable(variables: VariableReader) -> Result<Option<Vec<KubeVersion>>, Failure> {
    let Some(value) = variables(KUBE_VERSION).filter(|value| !value.is_empty()) else { return Ok(None) };
    let texts: Vec<String> = value.to_string_lossy().split(',').map(|text| text.trim().to_owned()).collect();
    let versions = parse_versions(&texts).map_err(|failure| {
        let named = |problem: &Problem| Problem {
            message: format!("variable `{KUBE_VERSION}`: {}", problem.message),
            ..problem.clone()
        };
        let problems = failure.problems().iter().map(named).collect();
        Failure::unless_empty(problems).err().unwrap_or(failure)
    })?;
    Ok(Some(versions))
}
