//! The programs that sealwave runs: how they are found, and which versions it works with.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sealwave_core::diagnostic::{Explain, printable};
use sealwave_secrets::settings::{ToolSettings, VersionRequirement};
use semver::Version;

use crate::{ProgramError, ProgramRun, RunHost};

/// A program that sealwave runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    /// Renders charts.
    Helm,
    /// Renders overlays, with the Kustomize that is built into it.
    Kubectl,
    /// Renders overlays.
    Kustomize,
}

impl Tool {
    /// Returns the name of the program.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Helm => "helm",
            Self::Kubectl => "kubectl",
            Self::Kustomize => "kustomize",
        }
    }

    /// Returns the versions that sealwave works with.
    #[must_use]
    pub const fn supported_versions(self) -> &'static str {
        match self {
            Self::Helm => ">=3.8, <5",
            Self::Kubectl => ">=1.27, <2",
            Self::Kustomize => ">=5, <6",
        }
    }

    const fn version_arguments(self) -> &'static [&'static str] {
        match self {
            Self::Helm => &["version", "--short"],
            Self::Kubectl => &["version", "--client", "-o", "json"],
            Self::Kustomize => &["version"],
        }
    }

    /// Reads the version from what the program prints.
    fn parse_version(self, output: &str) -> Option<Version> {
        let text = match self {
            Self::Helm | Self::Kustomize => output.to_owned(),
            Self::Kubectl => {
                let answer: serde_json::Value = serde_json::from_str(output).ok()?;
                answer.pointer("/clientVersion/gitVersion")?.as_str()?.to_owned()
            }
        };
        text.split(|c: char| c.is_whitespace() || matches!(c, '/' | '{' | '}' | ':'))
            .find_map(version_of_word)
    }
}

/// Parses a version. A Helm that was built without a release has no patch number: `v3.19`, `v4.1+unreleased`.
fn version_of_word(word: &str) -> Option<Version> {
    let number = word.strip_prefix('v').unwrap_or(word);
    let (release, build) = number.find('+').map_or((number, ""), |at| number.split_at(at));
    let patch = if release.split('.').count() == 2 { ".0" } else { "" };
    Version::parse(&format!("{release}{patch}{build}")).ok()
}

/// A program with its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundProgram {
    /// The program.
    pub tool: Tool,
    /// Its full path.
    pub path: PathBuf,
    /// Its version.
    pub version: Version,
}

/// The reason why a program cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ToolError {
    /// It is not installed.
    #[error("program `{}` was not found", .0.name())]
    Missing(Tool),
    /// The operator file names a file that is missing or not executable.
    #[error("program `{}` cannot be executed", printable(.path.display()))]
    NotExecutable {
        /// The program.
        tool: Tool,
        /// The path.
        path: PathBuf,
    },
    /// It is a script that starts another program, which is not allowed to it.
    #[error("program `{}` is a script, not the program itself", printable(.path.display()))]
    Script {
        /// The program.
        tool: Tool,
        /// The path.
        path: PathBuf,
    },
    /// It could not tell its version.
    #[error("the version of `{}` cannot be determined: {reason}", .tool.name())]
    UnknownVersion {
        /// The program.
        tool: Tool,
        /// The reason.
        reason: String,
    },
    /// Its version is not allowed.
    #[error("`{}` has version {version}, but {requirement} is required", .tool.name())]
    Version {
        /// The program.
        tool: Tool,
        /// The version of the program.
        version: Version,
        /// The allowed versions.
        requirement: String,
    },
}

impl Explain for ToolError {
    fn hint(&self) -> Option<String> {
        let setting = |tool: Tool| {
            let name = tool.name();
            format!("`tools: {{{name}: {{path: /usr/local/bin/{name}}}}}`")
        };
        Some(match self {
            Self::Missing(tool) | Self::NotExecutable { tool, .. } | Self::UnknownVersion { tool, .. } => {
                format!(
                    "install `{}` {}; in the sidecar, add it to the image and name it in the operator file: {}",
                    tool.name(),
                    tool.supported_versions(),
                    setting(*tool)
                )
            }
            Self::Script { tool, .. } => {
                format!("name the file of the program in the operator file: {}", setting(*tool))
            }
            Self::Version { tool, requirement, .. } => format!("install `{}` {requirement}", tool.name()),
        })
    }
}

/// Checks the file of a program without starting it.
///
/// # Errors
/// The file cannot be executed, or is a script.
pub fn check_program_file(tool: Tool, path: &Path) -> Result<(), ToolError> {
    match path.to_owned() {
        path if !is_executable(&path) => Err(ToolError::NotExecutable { tool, path }),
        path if is_script(&path) => Err(ToolError::Script { tool, path }),
        _ => Ok(()),
    }
}

/// Finds a program and checks its version: the one that the operator file names, or else the first one on a search path,
/// which the sidecar does not have.
///
/// # Errors
/// The program is missing, or its version is not supported or not allowed.
pub fn find_program(
    tool: Tool,
    settings: Option<&ToolSettings>,
    search_path: Option<&OsStr>,
    host: &RunHost,
) -> Result<FoundProgram, ToolError> {
    let path = locate_program(tool, settings, search_path)?;
    let unknown = |reason| ToolError::UnknownVersion { tool, reason };
    let output = ProgramRun::without_files(&path)
        .args(tool.version_arguments())
        .run(host)
        .map_err(|error: ProgramError| unknown(error.to_string()))?;
    let version = tool
        .parse_version(&String::from_utf8_lossy(&output.stdout))
        .ok_or_else(|| unknown("its output has no version".to_owned()))?;
    check_version(tool, &version, settings.and_then(|settings| settings.versions.as_ref()))?;
    Ok(FoundProgram { tool, path, version })
}

/// Returns the full path of a program, without starting it.
///
/// # Errors
/// The program is missing, or is not one that can be started.
pub(crate) fn locate_program(
    tool: Tool,
    settings: Option<&ToolSettings>,
    search_path: Option<&OsStr>,
) -> Result<PathBuf, ToolError> {
    let path = match settings.and_then(|settings| settings.path.as_deref()) {
        Some(path) => path.to_owned(),
        None => search(tool, search_path).ok_or(ToolError::Missing(tool))?,
    };
    check_program_file(tool, &path)?;
    // Runs have other working directories, some of them in repositories.
    Ok(std::path::absolute(&path).unwrap_or(path))
}

fn check_version(
    tool: Tool,
    version: &Version,
    allowed: Option<&VersionRequirement>,
) -> Result<(), ToolError> {
    let supported = VersionRequirement::parse(tool.supported_versions());
    let unmet = supported.iter().chain(allowed).find(|allowed| !allowed.is_met_by(&version.to_string()));
    unmet.map_or(Ok(()), |unmet| {
        Err(ToolError::Version { tool, version: version.clone(), requirement: unmet.to_string() })
    })
}

/// Searches the absolute directories of a path; relative ones could lead into a repository.
fn search(tool: Tool, search_path: Option<&OsStr>) -> Option<PathBuf> {
    let directories = std::env::split_paths(search_path?).filter(|directory| directory.is_absolute());
    directories.map(|directory| directory.join(tool.name())).find(|path| is_executable(path))
}

fn is_script(path: &Path) -> bool {
    let mut start = [0; 2];
    let read = fs_err::File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == *b"#!"
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;

    fs_err::metadata(path).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        let kubectl = r#"{"clientVersion": {"major": "1", "gitVersion": "v1.34.1+k3s1"}, "kustomizeVersion": "v5.7.1"}"#;
        for (tool, output, version) in [
            (Tool::Helm, "v3.19.2+g8766e71\n", Some("3.19.2+g8766e71")),
            (Tool::Helm, "v4.0.0\n", Some("4.0.0")),
            (Tool::Helm, "v4.1+unreleased\n", Some("4.1.0+unreleased")),
            (Tool::Helm, "v3.19\n", Some("3.19.0")),
            (Tool::Helm, "v3\n", None),
            (Tool::Helm, "version.BuildInfo\n", None),
            (Tool::Kubectl, kubectl, Some("1.34.1+k3s1")),
            (Tool::Kubectl, "{}", None),
            (Tool::Kubectl, "v1.34.1", None),
            (Tool::Kustomize, "v5.8.0\n", Some("5.8.0")),
            (Tool::Kustomize, "{Version:kustomize/v5.0.1 GitCommit:1}", Some("5.0.1")),
            (Tool::Kustomize, "(devel)", None),
            (Tool::Kustomize, "", None),
        ] {
            assert_eq!(
                tool.parse_version(output).map(|version| version.to_string()).as_deref(),
                version,
                "{output}"
            );
        }
    }

    #[test]
    fn other_versions_are_refused() {
        for (tool, version, allowed, met) in [
            (Tool::Helm, "3.19.2", None, true),
            (Tool::Helm, "4.0.0", Some("<4"), false),
            (Tool::Helm, "5.0.0", Some("*"), false),
            (Tool::Kustomize, "4.5.7", None, false),
            (Tool::Kubectl, "1.34.1+k3s1", Some("~1.34"), true),
        ] {
            let allowed = allowed.and_then(VersionRequirement::parse);
            let version = Version::parse(version).unwrap();
            assert_eq!(check_version(tool, &version, allowed.as_ref()).is_ok(), met, "{tool:?} {version}");
        }
        let error = check_version(Tool::Kustomize, &Version::new(4, 5, 7), None).unwrap_err();
        assert_eq!(error.to_string(), "`kustomize` has version 4.5.7, but >=5, <6 is required");
        assert_eq!(error.hint().unwrap(), "install `kustomize` >=5, <6");
    }
}
