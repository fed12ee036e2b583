//! The search for programs.

use std::os::unix::fs::PermissionsExt as _;

use sealwave_core::diagnostic::Explain as _;
use sealwave_programs::{Tool, ToolError, find_program};
use sealwave_secrets::settings::ToolSettings;

use crate::support::TestHost;

#[test]
fn programs_are_found_where_they_may_be() {
    let host = TestHost::new();
    let bin = tempfile::tempdir().unwrap();
    let helm = bin.path().join("helm");
    let search_path = std::env::join_paths(["relative".as_ref(), bin.path()]).unwrap();
    let on_path = || find_program(Tool::Helm, None, Some(&search_path), &host.host);
    assert_eq!(on_path(), Err(ToolError::Missing(Tool::Helm)));
    fs_err::write(&helm, "").unwrap();
    assert_eq!(on_path(), Err(ToolError::Missing(Tool::Helm)), "not executable");
    // It prints its arguments.
    fs_err::copy("/bin/echo", &helm).unwrap();
    let error = on_path().unwrap_err();
    assert_eq!(error.to_string(), "the version of `helm` cannot be determined: its output has no version");
    assert_eq!(find_program(Tool::Helm, None, None, &host.host), Err(ToolError::Missing(Tool::Helm)));
    let settings = |path: &str| ToolSettings { path: Some(bin.path().join(path)), versions: None };
    assert_eq!(find_program(Tool::Helm, Some(&settings("helm")), None, &host.host), Err(error));
    let missing = find_program(Tool::Helm, Some(&settings("other")), Some(&search_path), &host.host);
    assert!(matches!(missing, Err(ToolError::NotExecutable { .. })), "{missing:?}");
}

#[test]
fn a_script_is_not_the_program() {
    let host = TestHost::new();
    let bin = tempfile::tempdir().unwrap();
    let path = bin.path().join("kustomize");
    fs_err::write(&path, "#!/bin/sh\necho v5.8.0\n").unwrap();
    fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let settings = ToolSettings { path: Some(path.clone()), versions: None };
    let error = find_program(Tool::Kustomize, Some(&settings), None, &host.host).unwrap_err();
    assert_eq!(error, ToolError::Script { tool: Tool::Kustomize, path });
    assert!(error.hint().unwrap().contains("`tools: {kustomize: {path: /usr/local/bin/kustomize}}`"));
}

#[test]
fn a_missing_program_names_the_versions() {
    let hint = ToolError::Missing(Tool::Helm).hint().unwrap();
    assert!(hint.starts_with("install `helm` >=3.8, <5; in the sidecar, "), "{hint}");
}
