//! The binary as users run it: golden outputs of the scenarios, one faulty app per message, and calls by Argo CD.

use std::path::Path;

use crate::support::golden::{check_golden, generates_here, needs_aws};
use crate::support::small_app::{OPEN_POLICY, SmallApp};
use crate::support::{cases, objects, operator_of, root, run, sealwave, stderr_of_failure, stdout_of};
use sealwave_testkit::skipped;

fn text(path: &Path) -> String {
    fs_err::read_to_string(path).unwrap_or_else(|error| panic!("{error}"))
}

/// Returns a path relative to the repository, as in the README.
fn relative(path: &Path) -> String {
    path.strip_prefix(root()).expect("below the repository").to_str().expect("UTF-8").to_owned()
}

#[test]
fn scenarios_print_their_expected_output() {
    for scenario in cases("scenario-") {
        let app = relative(&scenario.join("app"));
        let operator = relative(&scenario.join("operator/operator.yaml"));
        let project = text(&scenario.join("project"));
        let mut used = Vec::new();
        let environments = environments(&app);
        for environment in needs_aws(&scenario) {
            let path = scenario.display();
            assert!(environments.contains(&environment), "{path}/needs-aws: `{environment}` does not exist");
        }
        for environment in environments {
            let e = environment.as_str();
            let sealed = ["generate", &app, "--env", e, "--operator", &operator, "--project", project.trim()];
            let preview = ["render", &app, "--env", e];
            // Environments that need AWS are compared by the module `aws_moto`.
            used.push(if generates_here(&scenario, e) {
                check_golden(&scenario, &format!("{e}.json"), &stdout_of(&sealed))
            } else {
                format!("{e}.json")
            });
            used.push(check_golden(&scenario, &format!("{e}.yaml"), &stdout_of(&preview)));
        }
        for file in fs_err::read_dir(scenario.join("expected")).expect("expected files") {
            let name = file.expect("readable").file_name().to_string_lossy().into_owned();
            assert!(used.contains(&name), "{}/expected/{name} belongs to no environment", scenario.display());
        }
    }
}

fn environments(app: &str) -> Vec<String> {
    let announced: serde_json::Value = serde_json::from_str(&stdout_of(&["parameters", app])).expect("JSON");
    let tooltip = announced[0]["tooltip"].as_str().expect("a tooltip");
    let names = tooltip.trim_start_matches("one of ").split(", ").map(str::to_owned);
    names.collect()
}

#[test]
fn faulty_apps_get_a_clear_error_and_nothing_else() {
    let all = cases("bad/");
    assert!(all.len() >= 20, "only {} cases", all.len());
    for case in all {
        let lines = text(&case.join("args"));
        let app = case.join("app");
        let operator = operator_of(&case);
        let args: Vec<String> = lines
            .lines()
            .map(|line| line.replace("@app", &relative(&app)).replace("@operator", &relative(&operator)))
            .collect();
        let mut command = sealwave();
        command.args(&args);
        if case.join("env").exists() {
            command.envs(text(&case.join("env")).lines().filter_map(|line| line.split_once('=')));
        }
        let output = command.output().expect("the binary starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{}: {stderr}", case.display());
        assert!(output.stdout.is_empty(), "{} printed output", case.display());
        assert!(!stderr.contains("internal error"), "{}: {stderr}", case.display());
        for expected in text(&case.join("expect")).lines().filter(|line| !line.is_empty()) {
            assert!(stderr.contains(expected), "{}: `{expected}` is not in\n{stderr}", case.display());
        }
    }
}

#[test]
fn a_panic_of_the_yaml_parser_is_a_normal_error() {
    let app = SmallApp::new();
    app.write("app/base/panic.yaml", "a: [!foo,bar]\n");
    let path = app.path("app/base/panic.yaml");
    let stderr = with_operator(&app, Some(&app.path("operator/operator.yaml")), None);
    let place = fs_err::canonicalize(&path).expect("there");
    let lines: Vec<&str> = stderr.lines().collect();
    let [message, at] = lines[..] else { panic!("{stderr}") };
    assert!(message.starts_with("error: YAML "), "{stderr}");
    assert!([&path, &place].iter().any(|path| at == format!("  --> {}", path.display())), "{stderr}");
}

#[test]
fn argo_cd_runs_it_in_the_app_directory_with_its_environment() {
    let app = SmallApp::new();
    let generate = |project: &str| {
        sealwave()
            .arg("generate")
            .current_dir(app.path("app"))
            .env("SEALWAVE_OPERATOR", app.path("operator/operator.yaml"))
            .env("ARGOCD_APP_NAME", "shop-dev")
            .env("ARGOCD_APP_PROJECT_NAME", project)
            .env("ARGOCD_APP_NAMESPACE", "shop")
            .env("ARGOCD_APP_PARAMETERS", r#"[{"name":"env","string":"dev"}]"#)
            .env("PARAM_ENV", "dev")
            .output()
            .expect("the binary starts")
    };
    let output = generate("shop");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let here = sealwave().args(app.args()).output().expect("the binary starts");
    assert_eq!(output.stdout, here.stdout, "the local run and the sidecar differ");
    // Without a project (Argo CD before 3.0), no rule of the policy can match.
    app.operator("");
    app.replace("operator/operator.yaml", "projects: ['*']", "projects: [shop]");
    let refused = generate("other");
    assert_eq!(refused.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert!(stderr.contains("file:db.yaml") && stderr.contains("policy"), "{stderr}");
    assert_eq!(generate("").status.code(), Some(2));
}

#[test]
fn without_a_policy_argo_cd_gets_nothing() {
    let app = SmallApp::new();
    app.replace("operator/operator.yaml", OPEN_POLICY, "");
    let args = app.args();
    let stderr = stderr_of_failure(&args.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(stderr.contains("policy"), "{stderr}");
}

#[test]
fn flags_must_not_override_argo_cd() {
    let app = SmallApp::new();
    let output =
        sealwave().args(app.args()).env("ARGOCD_APP_NAME", "shop").output().expect("the binary starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("`--project`"));
}

#[test]
fn discover_prints_one_line_or_nothing_and_never_fails() {
    let app = SmallApp::new();
    let path = |relative: &str| app.path(relative).to_str().expect("UTF-8").to_owned();
    assert_eq!(stdout_of(&["discover", &path("app")]), "sealwave.yaml\n");
    assert_eq!(stdout_of(&["discover", &path("operator")]), "");
    assert_eq!(stdout_of(&["discover", &path("missing")]), "");
}

#[test]
fn parameters_announce_the_environments() {
    let app = SmallApp::new();
    app.write("app/envs/prod/values.yaml", "{}\n");
    let announced = stdout_of(&["parameters", app.path("app").to_str().expect("UTF-8")]);
    let announced: serde_json::Value = serde_json::from_str(&announced).expect("JSON");
    assert_eq!(announced[0]["name"], "env");
    assert_eq!(announced[0]["tooltip"], "one of dev, prod");
    assert_eq!(announced[0]["required"], true);
}

#[test]
fn the_only_environment_needs_no_name() {
    let app = SmallApp::new();
    let dir = app.path("app");
    let output = stdout_of(&["render", dir.to_str().expect("UTF-8"), "--output", "json"]);
    assert_eq!(objects(&output).len(), 7);
}

#[test]
fn a_preview_shows_references_and_needs_no_operator() {
    let app = SmallApp::new();
    fs_err::remove_dir_all(app.path("operator")).expect("removed");
    let output = run(&["render", app.path("app").to_str().expect("UTF-8"), "--env", "dev"]);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout.contains("file:db.yaml#password") && stdout.contains("redacted"), "{stdout}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("preview"));
}

#[test]
fn a_new_seal_key_is_private_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;

    let dir = tempfile::TempDir::new().expect("a directory");
    let path = dir.path().join("seal-key");
    let args = ["key", "generate", "--output", path.to_str().expect("UTF-8")];
    assert_eq!(stdout_of(&args), "");
    assert_eq!(fs_err::metadata(&path).expect("written").permissions().mode() & 0o777, 0o600);
    let before = fs_err::read(&path).expect("readable");
    assert!(stderr_of_failure(&args).contains("already exists"));
    assert_eq!(before, fs_err::read(&path).expect("readable"));
    assert_ne!(stdout_of(&["key", "generate"]).as_bytes(), before);
}

#[test]
fn a_generated_seal_key_seals() {
    let app = SmallApp::new();
    let key = stdout_of(&["key", "generate"]);
    app.write("operator/seal-key", &key);
    assert_eq!(app.generate().len(), 7);
}

#[test]
fn a_certificate_is_shown() {
    let shown = stdout_of(&["cert", "testdata/sealed-secrets/rsa4096.crt"]);
    for word in ["SHA-256", "not before", "not after", "4096"] {
        assert!(shown.to_lowercase().contains(&word.to_lowercase()), "{word}: {shown}");
    }
    stderr_of_failure(&["cert", "testdata/sealed-secrets/rsa4096.key"]);
}

#[test]
fn a_certificate_can_come_from_standard_input() {
    let path = "testdata/sealed-secrets/rsa4096.crt";
    let stdin = fs_err::File::open(root().join(path)).expect("a certificate").into_parts().0;
    let output = sealwave().args(["cert", "-"]).stdin(stdin).output().expect("the binary starts");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(stdout.split_once('\n').expect("lines").0, "-");
    assert_eq!(
        stdout.split_once('\n').map(|(_, rest)| rest),
        stdout_of(&["cert", path]).split_once('\n').map(|(_, rest)| rest)
    );
}

/// Returns standard error of a `generate` whose operator file is given by a flag or the environment.
fn with_operator(app: &SmallApp, flag: Option<&Path>, variable: Option<&Path>) -> String {
    let mut command = sealwave();
    command.args(["generate", "--env", "dev", "--project", "shop"]).arg(app.path("app"));
    command.args(flag.map(|path| format!("--operator={}", path.display())));
    command.envs(variable.map(|path| ("SEALWAVE_OPERATOR", path)));
    let output = command.output().expect("the binary starts");
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn errors_of_the_operator_file_depend_on_what_names_it() {
    let app = SmallApp::new();
    let (missing, directory) = (app.path("nosuch.yaml"), app.path("operator"));
    for (path, reason) in [(&missing, "file not found"), (&directory, "it is a directory")] {
        let message = format!("operator file `{}` cannot be read: {reason}", path.display());
        let stderr = with_operator(&app, Some(path), None);
        assert!(stderr.contains(&message) && stderr.contains("`--operator` takes the path"), "{stderr}");
        let stderr = with_operator(&app, None, Some(path));
        assert!(stderr.contains(&message) && stderr.contains("`SEALWAVE_OPERATOR` takes"), "{stderr}");
        assert!(!stderr.contains("are relative to"), "{stderr}");
    }
}

#[test]
fn paths_in_the_operator_file_are_relative_to_it() {
    let app = SmallApp::new();
    let operator = app.path("operator/operator.yaml");
    let certificate = app.path("operator/dev.pem");
    fs_err::remove_file(&certificate).expect("removed");
    for stderr in [
        with_operator(&app, Some(&operator), None),
        stderr_of_failure(&["cert", "--operator", operator.to_str().expect("UTF-8")]),
    ] {
        let path = certificate.display();
        let message = format!("error: certificate of cluster `dev`: `{path}` cannot be read: file not found");
        assert!(stderr.contains(&message), "{stderr}");
        assert!(stderr.contains(&format!("--> {}:4:32", operator.display())), "{stderr}");
        assert!(stderr.contains(&format!("`kubeseal --fetch-cert > {path}`")), "{stderr}");
        assert!(stderr.contains("paths in the operator file are relative to its directory"), "{stderr}");
    }
    let stderr = stderr_of_failure(&["cert", certificate.to_str().expect("UTF-8")]);
    assert!(stderr.contains("relative to the working directory"), "{stderr}");
}

#[test]
fn a_file_without_permission_is_not_reported_as_missing() {
    use std::os::unix::fs::PermissionsExt as _;

    let app = SmallApp::new();
    let operator = app.path("operator/operator.yaml");
    fs_err::set_permissions(&operator, std::fs::Permissions::from_mode(0o000)).expect("changed");
    if fs_err::File::open(&operator).is_ok() {
        skipped("this user may read every file");
        return;
    }
    let stderr = with_operator(&app, Some(&operator), None);
    assert!(stderr.contains("permission denied") && stderr.contains("needs read permission"), "{stderr}");
}

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(stdout_of(&["completions", shell]).contains("sealwave"), "{shell}");
    }
}

#[cfg(not(feature = "k8s"))]
#[test]
fn a_build_without_a_kubernetes_client_reports_it() {
    let stderr = stderr_of_failure(&["schemas", "pull", "--output", "/nowhere/lock"]);
    assert!(stderr.contains("this build of sealwave has no Kubernetes client"), "{stderr}");
    assert!(stderr.contains("`--features k8s`"), "{stderr}");
}

#[test]
fn short_and_long_help_are_the_same_plain_text() {
    let commands = [
        "cert",
        "check",
        "completions",
        "copy",
        "discover",
        "generate",
        "key",
        "parameters",
        "refs",
        "render",
        "schemas",
        "validate",
    ];
    let overview = stdout_of(&["--help"]);
    for command in commands {
        assert!(overview.contains(&format!("\n  {command} ")), "{command} is not in\n{overview}");
    }
    let below = [["key", "generate"], ["schemas", "print"], ["schemas", "pull"]];
    for command in commands.iter().map(std::slice::from_ref).chain(below.iter().map(|below| &below[..])) {
        let help = stdout_of(&[command, &["--help"]].concat());
        let command = command.join(" ");
        let short: Vec<&str> = command.split(' ').chain(["-h"]).collect();
        assert_eq!(help, stdout_of(&short), "{command}: the long help is another text");
        let by_name: Vec<&str> = ["help"].into_iter().chain(command.split(' ')).collect();
        assert_eq!(help, stdout_of(&by_name), "help {command}");
        assert!(!help.contains('`'), "{command}: a terminal shows no code\n{help}");
        let (operator, variable) =
            (help.contains("--operator <FILE>"), help.contains("[env: SEALWAVE_OPERATOR]"));
        assert_eq!(operator, variable, "{command}");
    }
}

#[test]
fn certificates_of_the_operator_file_are_found_by_flag_and_variable() {
    let app = SmallApp::new();
    let operator = app.path("operator/operator.yaml");
    let by_flag = stdout_of(&["cert", "--operator", operator.to_str().expect("UTF-8")]);
    assert!(by_flag.starts_with("dev ("), "{by_flag}");
    let by_variable =
        sealwave().arg("cert").env("SEALWAVE_OPERATOR", &operator).output().expect("the binary starts");
    assert_eq!(by_flag.as_bytes(), by_variable.stdout);
    assert!(stderr_of_failure(&["cert"]).contains("no certificate is given"));
}

#[test]
fn all_certificates_are_shown_although_one_is_bad() {
    let app = SmallApp::new();
    let operator = app.path("operator/operator.yaml");
    let clusters = "clusters: {a: {certificate: {file: a.pem}}, dev: ";
    app.replace("operator/operator.yaml", "clusters: {dev: ", clusters);
    app.replace("operator/operator.yaml", "allow: ", "clusters: ['*'], allow: ");
    app.write("operator/a.pem", "no certificate");
    let good = app.path("operator/dev.pem");
    for args in [
        vec!["--operator", operator.to_str().expect("UTF-8")],
        vec![app.path("operator/a.pem").to_str().expect("UTF-8"), good.to_str().expect("UTF-8")],
    ] {
        let output = sealwave().arg("cert").args(&args).output().expect("the binary starts");
        let (shown, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(shown.contains("dev.pem") && shown.contains("public key SHA-256"), "{shown}");
        assert!(stderr.contains("a.pem`: certificate file holds no certificate"), "{stderr}");
    }
}

#[test]
fn wrong_usage_is_an_error() {
    stderr_of_failure(&["generate", "--no-such-flag"]);
    stderr_of_failure(&["no-such-command"]);
    stderr_of_failure(&[]);
}

#[test]
fn help_and_version_have_long_and_short_forms() {
    let version = format!("sealwave {}", env!("CARGO_PKG_VERSION"));
    assert_eq!(stdout_of(&["-V"]), format!("{version}\n"));
    let long = stdout_of(&["--version"]);
    assert!(long.starts_with(&format!("{version} (")) && long.contains("features: "), "{long}");
    assert_eq!(long.lines().count(), 1);
    let help = stdout_of(&["help"]);
    assert_eq!(help, stdout_of(&["--help"]));
    assert!(help.contains("NO_COLOR") && help.contains("CLICOLOR_FORCE"), "{help}");
    assert_eq!(stdout_of(&["help", "render"]), stdout_of(&["render", "--help"]));
}

#[test]
fn operations_have_examples_that_can_be_run_and_name_their_exit_codes() {
    use clap::Parser as _;
    let commands = [
        "cert",
        "cert check",
        "cert fetch",
        "cert list",
        "put",
        "reseal",
        "rotate aws",
        "rotate aws-secret",
        "rotate controller-key",
        "seal",
        "status",
        "switch",
        "unseal",
        "verify",
    ];
    for command in commands {
        let args: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let help = sealwave().args(&args).env("COLUMNS", "1000").output().expect("starts").stdout;
        let help = String::from_utf8(help).expect("UTF-8").replace("\nsealwave", " sealwave");
        let help = unwrapped(&help);
        let examples: Vec<&str> = help.split("Example: ").skip(1).collect();
        assert!(!examples.is_empty(), "{command} has no example:\n{help}");
        for example in examples {
            let line = example.split(" < ").next().unwrap_or_default();
            let words: Vec<&str> = line.split_whitespace().collect();
            assert!(line.starts_with(&format!("sealwave {command} ")), "{line}");
            if let Err(error) = sealwave::cli::Cli::try_parse_from(&words) {
                panic!("{line}: {error}");
            }
        }
        let has_codes = !["cert", "cert fetch", "cert list", "unseal"].contains(&command);
        assert_eq!(help.to_lowercase().contains("exit code"), has_codes, "{command}");
    }
}

/// Joins the lines of the last paragraphs of a help text, which are wrapped.
fn unwrapped(help: &str) -> String {
    help.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_misspelled_subcommand_of_cert_is_not_read_as_a_file() {
    for (word, meant) in [("chek", "check"), ("ftech", "fetch"), ("lst", "list"), ("Check", "check")] {
        let output = run(&["cert", word]);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(
            stderr.contains(&format!("`{word}` is neither a file nor a subcommand of `cert`")),
            "{stderr}"
        );
        assert!(stderr.contains(&format!("did you mean `sealwave cert {meant}`?")), "{stderr}");
    }
    // The name of a file is one.
    for file in ["check.pem", "./chek", "certificate"] {
        let stderr = String::from_utf8_lossy(&run(&["cert", file]).stderr).into_owned();
        assert!(stderr.contains("file not found") && !stderr.contains("did you mean"), "{stderr}");
    }
}
