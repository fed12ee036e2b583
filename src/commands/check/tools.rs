//! The programs that render charts and overlays. Without `--connect`, none is started, so that only their files are checked.

use super::findings::CheckResults;
use crate::config::{self, Caller, OperatorFile, VariableReader};
use sealwave_core::diagnostic::{Explain, Severity};
#[cfg(target_os = "linux")]
use sealwave_programs::Confinement;
use sealwave_programs::{Tool, check_program_file};
use sealwave_secrets::settings::SettingPath;

/// A note about a program.
#[derive(Debug, thiserror::Error)]
enum ToolFinding {
    #[error("`{}` is not used in the sidecar: it has no `path`", .0.name())]
    NoPath(Tool),
    #[error("this kernel does not limit the {0} of programs")]
    Unconfined(&'static str),
}

impl Explain for ToolFinding {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoPath(tool) => format!("add its file, for example `path: /usr/local/bin/{}`", tool.name()),
            Self::Unconfined(_) => {
                "use Linux 6.7 or later with Landlock enabled; links and paths are checked in any case"
                    .to_owned()
            }
        })
    }
}

pub(super) fn check(file: &OperatorFile, variables: VariableReader, connect: bool) -> CheckResults {
    let mut results = CheckResults::default();
    let tools = file.tools();
    let toolbox = connect.then(|| config::toolbox(&Caller::Local, Some(file), &[], variables));
    for (tool, settings) in
        [(Tool::Helm, &tools.helm), (Tool::Kubectl, &tools.kubectl), (Tool::Kustomize, &tools.kustomize)]
    {
        let Some(settings) = settings else { continue };
        let setting = SettingPath::of_keys(&["tools", tool.name()]);
        let Some(path) = &settings.path else {
            results.find(file, &setting, Severity::Note, &ToolFinding::NoPath(tool));
            continue;
        };
        let found = match (check_program_file(tool, path), &toolbox) {
            (Ok(()), Some(toolbox)) => {
                toolbox.find(tool).map(|found| format!("version {}", found.version)).map_err(Clone::clone)
            }
            (Ok(()), None) => Ok("not started".to_owned()),
            (Err(error), _) => Err(error),
        };
        match found {
            Ok(state) => results.healthy(format!("program `{}`, {state}", tool.name())),
            Err(error) => results.find(file, &setting.key("path"), Severity::Error, &error),
        }
    }
    if !results.is_empty() {
        for finding in unconfined() {
            results.find(file, &SettingPath::of_keys(&["tools"]), Severity::Warning, &finding);
        }
    }
    results
}

/// Returns the limits that this kernel lacks, which may not be the one of the sidecar.
#[cfg(target_os = "linux")]
fn unconfined() -> impl Iterator<Item = ToolFinding> {
    let Confinement { restricts_files, restricts_ports, .. } = Confinement::of_this_kernel();
    let limits = [(restricts_files, "files"), (restricts_ports, "ports")];
    limits.into_iter().filter(|(has, _)| !has).map(|(_, limited)| ToolFinding::Unconfined(limited))
}

/// Other systems start no program.
#[cfg(not(target_os = "linux"))]
fn unconfined() -> impl Iterator<Item = ToolFinding> {
    std::iter::empty()
}
