//! The search for programs.

use std::os::unix::fs::PermissionsExt as _;

use sealwave_core::diagnostic::Explain as _;
use sealwave_programs::{ProgramRun, Tool, ToolError, find_program};
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

/// Programs in Go reserve much address space and have many threads. Those that are not installed are not tested.
#[test]
fn installed_programs_work_within_the_limits() {
    let host = TestHost::new();
    let overlay = host.repository().join("overlay");
    fs_err::create_dir(&overlay).unwrap();
    fs_err::write(overlay.join("kustomization.yaml"), "configMapGenerator: [{name: a, literals: [b=c]}]\n")
        .unwrap();
    for (tool, command) in [(Tool::Kubectl, "kustomize"), (Tool::Kustomize, "build")] {
        let found = find_program(tool, None, Some("/usr/local/bin:/usr/bin".as_ref()), &host.host);
        let found = match found {
            Err(ToolError::Missing(_)) => continue,
            found => found.unwrap(),
        };
        let run = ProgramRun::new(&found.path, &overlay).args([command, "."]);
        let output = String::from_utf8(host.run(&run).unwrap().stdout).unwrap();
        assert!(output.starts_with("apiVersion: v1\ndata:\n  b: c\nkind: ConfigMap\n"), "{output}");
        // A remote base fails, and nothing is asked.
        fs_err::write(overlay.join("kustomization.yaml"), "resources: [https://127.0.0.1:9/a.yaml]\n")
            .unwrap();
        let text = host.failure(&run);
        assert!(text.contains("127.0.0.1:9") && !text.contains("CANARY"), "{text}");
        fs_err::write(
            overlay.join("kustomization.yaml"),
            "configMapGenerator: [{name: a, literals: [b=c]}]\n",
        )
        .unwrap();
    }
}
