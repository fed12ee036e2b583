//! The programs that render charts and overlays. Without `--connect`, none is started, so that only their files are checked.

use super::findings::CheckResults;
use crate::config::{self, Caller, OperatorFile, VariableReader};
use sealwave_core::diagnostic::{Explain, Severity};
use sealwave_programs::{Tool, check_program_file};
use sealwave_secrets::settings::SettingPath;

/// A note about a program.
#[derive(Debug, thiserror::Error)]
enum ToolFinding {
    #[error("`{}` is not used in the sidecar: it has no `path`", .0.name())]
    NoPath(Tool),
}

impl Explain for ToolFinding {
    fn hint(&self) -> Option<String> {
        let Self::NoPath(tool) = self;
        Some(format!("add its file, for example `path: /usr/local/bin/{}`", tool.name()))
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
    results
}
