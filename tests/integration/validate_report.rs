//! The reports of `validate`: excerpts, places, widths, severities, and valid and invalid suppressions.

use std::fs::File;

use crate::support::validating::{APP, BAD, GOOD, Tree, command, run_in};

/// A text in lines that must not be shown.
const HIDDEN: &str = "h1dden";

// Merged findings.

#[test]
fn extra_lines_in_one_environment_make_no_second_finding() {
    let template = "{{#if (eq env \"prod\")}}\n# a\n# b\n{{/if}}\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: 7}\n";
    let report = Tree::app(&[("base/a.yaml.hbs", template)]).report(&[]);
    assert_eq!(report.one("schema/type")["environments"], serde_json::json!(["dev", "prod"]));
}

#[test]
fn one_line_that_renders_two_objects_has_two_findings() {
    let template = "{{#each spaces}}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: {{this}}\ndata: {a: 7}\n{{/each}}\n";
    let app = Tree::app(&[("base/a.yaml.hbs", template), ("values.yaml", "spaces: [x, z]\n")]);
    assert_eq!(app.report(&[]).of("schema/type").len(), 2);
}

// Excerpts.

#[cfg(unix)]
#[test]
fn an_excerpt_is_from_the_file_of_the_finding() {
    let secret = format!("# 1\n# 2\n# 3\n  {HIDDEN}: x\n");
    let tree = Tree::new(&[("a/b.yaml", &secret), ("a\\b.yaml", BAD)]);
    let ran = tree.plain(&["a\\b.yaml"]);
    assert!(ran.stdout.contains("a\\b.yaml:4:15") && !ran.stdout.contains(HIDDEN), "{}", ran.stdout);
    assert!(ran.stdout.contains("data: {theme: 7}"), "{}", ran.stdout);
}

#[cfg(unix)]
#[test]
fn a_file_name_that_is_not_utf_8_has_no_excerpt() {
    use std::os::unix::ffi::OsStrExt as _;
    let tree = Tree::new(&[("\u{fffd}.yaml", &format!("# 1\n# 2\n# 3\n  {HIDDEN}: x\n"))]);
    let name = std::ffi::OsStr::from_bytes(b"\xff.yaml");
    fs_err::write(tree.root().join(name), BAD).unwrap();
    let output = command(tree.root(), &[name]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("schema/type") && !text.contains(HIDDEN), "{text}");
}

#[test]
fn a_file_named_like_standard_input_is_distinct() {
    let secret = format!("# 1\n# 2\n# 3\n  {HIDDEN}: x\n");
    let tree = Tree::new(&[("<stdin>", &secret), ("big", &format!("{BAD}# {}\n", "x".repeat(9 << 20)))]);
    let mut command = command(tree.root(), &["-"]);
    let output = command.stdin(File::open(tree.root().join("big")).unwrap()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("<stdin>:4:15") && !text.contains(HIDDEN), "{text}");
    let both = Tree::new(&[("<stdin>", BAD), ("in", GOOD)]);
    let report = run_in(both.root(), &["<stdin>", "-"], Some("in")).report();
    assert_eq!(report.one("schema/type")["path"], "./<stdin>");
}

// Report files.

#[test]
fn a_report_in_a_file_has_no_styles() {
    let tree = Tree::new(&[("bad.yaml", BAD)]);
    let mut command = command(tree.root(), &["bad.yaml", "--output", "human=out.txt"]);
    command.env("CLICOLOR_FORCE", "1").output().unwrap();
    let text = tree.read("out.txt");
    assert!(text.contains("error[schema/type]") && !text.contains('\u{1b}'), "{text}");
    assert_eq!(tree.plain(&["bad.yaml"]).stdout, text);
}

/// Returns an app with `validate` settings.
fn with_settings(settings: &str, files: &[(&str, &str)]) -> Tree {
    let app = Tree::app(files);
    app.write("sealwave.yaml", format!("{APP}validate:\n  {settings}\n"));
    app
}

// Places.

#[test]
fn invalid_settings_are_reported_with_their_places() {
    for (settings, place) in [
        ("rules: {nope/x: off}", "sealwave.yaml:5:11"),
        ("kubeVersions: [\"1.19\"]", "sealwave.yaml:5:3"),
        ("external: [a/b/c, foo]", "sealwave.yaml:5:21"),
        ("crds: [nowhere]", "sealwave.yaml:5:10"),
        ("rules: {yaml/syntax: off}", "sealwave.yaml:5:11"),
    ] {
        let app = with_settings(settings, &[]);
        let ran = app.plain(&[]);
        assert!(ran.stdout.contains(&format!("--> {place}")), "{settings}: {}{}", ran.stdout, ran.stderr);
        let config =
            format!("apiVersion: sealwave.dev/v1alpha1\nkind: Validation\n\nvalidate:\n  {settings}\n");
        app.write("ci/v.yaml", config);
        app.write("sealwave.yaml", APP);
        let ran = app.plain(&["--config", "ci/v.yaml"]);
        assert_eq!(ran.code, 2);
        let place = place.replace("sealwave.yaml", "ci/v.yaml");
        assert!(ran.stderr.contains(&place), "{settings}: {}", ran.stderr);
    }
}

#[test]
fn the_app_in_the_working_directory_has_a_name_in_every_format() {
    let app = with_settings("rules: {nope/x: off}", &[]);
    let out = |form: &str| app.plain(&["--output", form]).stdout;
    let json: serde_json::Value = serde_json::from_str(&out("json")).unwrap();
    assert_eq!(json["findings"][0]["app"], ".");
    assert_eq!(json["findings"][0]["path"], "sealwave.yaml");
    assert!(out("github").starts_with("::error file=sealwave.yaml,line=5,"), "{}", out("github"));
    let gitlab: serde_json::Value = serde_json::from_str(&out("gitlab")).unwrap();
    assert_eq!(gitlab[0]["location"]["path"], "sealwave.yaml");
    assert!(out("junit").contains("<testsuite name=\".\""), "{}", out("junit"));
    let app = Tree::app(&[]);
    for number in 0..11 {
        app.write(&format!("base/bad-{number}.yaml"), BAD.replace("bad", &format!("bad-{number}")));
    }
    assert!(app.plain(&[]).stdout.contains("\n  .  dev   11 errors"), "{}", app.plain(&[]).stdout);
    assert!(app.plain(&["-o", "junit"]).stdout.contains("<testsuite name=\". (dev)\""));
}

#[test]
fn findings_about_an_app_are_at_its_app_file() {
    let app = Tree::new(&[("sealwave.yaml", APP), ("base/good.yaml", GOOD)]);
    let ran = app.plain(&[]);
    assert!(ran.stdout.contains("]: ") && ran.stdout.contains("--> sealwave.yaml\n"), "{}", ran.stdout);
    assert!(!ran.stdout.lines().any(|line| line.trim() == "|"), "{}", ran.stdout);
}

#[test]
fn every_result_of_sarif_has_a_location() {
    let app = Tree::app(&[("envs/dev/values.yaml", "- a\n")]);
    app.remove("base/good.yaml");
    let sarif: serde_json::Value = serde_json::from_str(&app.plain(&["-o", "sarif"]).stdout).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert!(!results.is_empty());
    for result in results {
        assert_eq!(result["locations"].as_array().unwrap().len(), 1, "{result}");
    }
}

// Suppressions.

#[test]
fn text_in_a_scalar_is_not_a_suppression() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  b: |\n    # sealwave: ignore schema/type -- an example\n  c: 7\n";
    for app in [Tree::app(&[("base/a.yaml", text)]), Tree::app(&[("base/a.yaml.hbs", text)])] {
        let report = app.report(&[]);
        assert_eq!(report.findings().len(), 1, "{:?}", report.lines());
        report.one("schema/type");
    }
    let unused = text.replace("  c: 7\n", "  c: x\n");
    assert!(Tree::app(&[("base/a.yaml", &unused)]).report(&[]).findings().is_empty());
}

/// A suppression that is not used.
const IDLE: &str =
    "# sealwave: ignore schema/enum -- a\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: idle}\n";

#[test]
fn suppressions_for_unchecked_input_are_not_unused() {
    let unused = |app: &Tree, args: &[&str]| app.report(args).of("suppression/unused").len();
    let app = Tree::app(&[("base/idle.yaml", IDLE)]);
    assert_eq!(unused(&app, &[]), 1);
    for args in
        [&["-e", "dev"][..], &["--kube-version", "1.31"], &["--skip", "Pod"], &["--rule", "schema/enum=off"]]
    {
        assert_eq!(unused(&app, args), 0, "{args:?}");
    }
    app.write("envs/dev/broken.yaml", "a: [\n");
    assert_eq!(unused(&app, &[]), 0, "what a broken environment needs is not known");
    let plain = Tree::new(&[("a.yaml", IDLE), ("b.yaml", "a: [\n")]);
    assert_eq!(unused(&plain, &["a.yaml", "b.yaml"]), 1);
    plain.write("a.yaml", format!("{IDLE}---\na: [\n"));
    assert_eq!(unused(&plain, &["a.yaml"]), 0);
}

#[test]
fn repository_settings_are_unused_only_if_everything_was_checked() {
    let tree = Tree::new(&[
        ("apps/a/sealwave.yaml", APP),
        ("apps/a/envs/dev/values.yaml", "{}\n"),
        ("apps/a/base/good.yaml", GOOD),
        ("manifests/good.yaml", GOOD),
        (
            "v.yaml",
            "apiVersion: sealwave.dev/v1alpha1\nkind: Validation\nvalidate:\n  ignore:\n  - {rule: schema/enum, reason: a}\n",
        ),
    ]);
    let unused =
        |args: &[&str]| tree.report(&[args, &["--config", "v.yaml"]].concat()).of("suppression/unused").len();
    assert_eq!(unused(&["--all", "."]), 1);
    assert_eq!(unused(&["apps/a"]), 0);
    assert_eq!(unused(&["manifests"]), 0);
    assert_eq!(unused(&["--all", ".", "-e", "dev"]), 0);
    tree.write("apps/a/base/broken.yaml", "a: [\n");
    assert_eq!(unused(&["--all", "."]), 0);
}

#[test]
fn in_a_stream_only_per_object_suppressions_can_be_unused() {
    let big = format!(
        "{IDLE}---\n{}---\n# {}\n",
        IDLE.replace("schema/enum", "reference/missing-secret").replace("idle", "b"),
        "x".repeat(9 << 20)
    );
    let report = Tree::new(&[("big.yaml", &big)]).report(&["big.yaml"]);
    assert_eq!(report.one("suppression/unused")["line"], 1);
}

#[test]
fn suppression_findings_have_configurable_severities() {
    let app = Tree::app(&[("base/idle.yaml", IDLE)]);
    let severity = |level: &str| {
        let report = app.report(&["--rule", &format!("suppression/unused={level}")]);
        report.of("suppression/unused").first().map(|found| found["severity"].as_str().unwrap().to_owned())
    };
    assert_eq!(
        [severity("error"), severity("note"), severity("off")],
        [Some("error".into()), Some("note".into()), None]
    );
    for rule in ["yaml/syntax", "app/render"] {
        let ran = app.run(&["--rule", &format!("{rule}=off")]);
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains("cannot be changed") && ran.stderr.contains("= help:"), "{}", ran.stderr);
    }
}

#[test]
fn malformed_suppressions_are_explained() {
    let message_for = |comment: &str| {
        let app = Tree::app(&[("base/bad.yaml", &BAD.replace("\ndata", &format!("\n{comment}\ndata")))]);
        app.report(&[]).one("suppression/malformed")["message"].as_str().unwrap().to_owned()
    };
    for (comment, what) in [
        ("# sealwave:ignore schema/type -- a", "does not start with"),
        ("# Sealwave: Ignore schema/type -- a", "does not start with"),
        ("# sealwave: ignore schema/type - why", "` -- ` is missing"),
        ("# sealwave: ignore schema/type until tomorrow -- a", "its date is invalid"),
    ] {
        assert!(message_for(comment).contains(what), "{comment}: {}", message_for(comment));
    }
    let annotated = |reason: &str| {
        let annotations =
            format!("{{name: bad, annotations: {{ignore.sealwave.dev/schema.type: \"{reason}\"}}}}");
        Tree::app(&[("base/bad.yaml", &BAD.replace("{name: bad}", &annotations))]).report(&[])
    };
    let report = annotated("until 2020-01-01 -- why");
    let finding = report.one("suppression/malformed");
    assert!(finding["message"].as_str().unwrap().contains("cannot have a date"), "{finding}");
    assert!(finding["hint"].as_str().unwrap().contains("comment"), "{finding}");
    report.one("schema/type");
    assert!(annotated("wanted until we move").findings().is_empty());
}

// Messages.

#[test]
fn settings_files_are_read_like_manifests() {
    let app = with_settings(
        "ignore:\n  - {rule: schema/type, reason: a, until: tomorrow}",
        &[("base/bad.yaml", BAD)],
    );
    let report = app.report(&[]);
    let finding = report.one("app/load");
    assert!(finding["message"].as_str().unwrap().contains("expected a date such as"), "{finding}");
    assert_eq!(finding["line"], 6);
    let app = Tree::app(&[("sealwave.yaml", &format!("\u{feff}{APP}"))]);
    app.write("v.yaml", "\u{feff}apiVersion: sealwave.dev/v1alpha1\nkind: Validation\n");
    assert_eq!(app.run(&["--config", "v.yaml"]).code, 0);
}

#[test]
fn the_version_variable_has_the_lowest_precedence() {
    let app = Tree::app(&[]);
    let run = |app: &Tree, value: &str, args: &[&str]| {
        let output = command(app.root(), args).env("KUBE_VERSION", value).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, stderr) = run(&app, "1.19", &[]);
    assert!(code == 2 && stderr.contains("variable `KUBE_VERSION`: Kubernetes 1.19 is older"), "{stderr}");
    assert_eq!(run(&app, "1.19", &["--kube-version", "1.31"]).0, 0);
    assert_eq!(run(&app, "1.31,1.34", &[]).0, 0);
    app.write(
        "v.yaml",
        "apiVersion: sealwave.dev/v1alpha1\nkind: Validation\nvalidate: {kubeVersions: ['1.31']}\n",
    );
    assert_eq!(run(&app, "1.19", &["--config", "v.yaml"]).0, 0);
    assert_eq!(run(&Tree::new(&[("a.yaml", GOOD)]), "1.19", &["a.yaml"]).0, 2);
    let own = with_settings("kubeVersions: ['1.31']", &[]);
    assert_eq!(run(&own, "1.19", &[]).0, 0);
    let both = Tree::new(&[(
        "a.yaml",
        "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: a}\nspec: {}\n",
    )]);
    let output = command(both.root(), &["a.yaml"]).env("KUBE_VERSION", "1.31, 1.34").output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("api/removed"));
}

#[test]
fn an_invalid_date_stops_the_run() {
    let app = Tree::app(&[]);
    for value in ["yesterday", "-1", "1e9"] {
        let output = command(app.root(), &["."]).env("SOURCE_DATE_EPOCH", value).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && stderr.contains("`SOURCE_DATE_EPOCH`"), "{stderr}");
    }
}

#[test]
fn an_unknown_format_is_reported_with_the_known_ones() {
    let stderr = Tree::new(&[("a.yaml", GOOD)]).plain(&["a.yaml", "--output", "tap"]).stderr;
    assert_eq!(stderr.matches("`gitlab`").count(), 1, "{stderr}");
}

#[test]
fn names_with_control_characters_are_escaped() {
    let name = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"a\\e[31mb\"}\n";
    let text = Tree::new(&[("a.yaml", name)]).plain(&["a.yaml"]).stdout;
    assert!(
        text.contains("`a\\u{1b}[31mb` is not a valid ConfigMap name") && !text.contains("?[31m"),
        "{text}"
    );
}

#[test]
fn invalid_keys_are_named_unless_they_may_be_secrets() {
    let of = |object: &str, rule: &str| {
        let report = Tree::new(&[("a.yaml", object)]).report(&["a.yaml"]);
        report.one(rule)["message"].as_str().unwrap().to_owned()
    };
    let labelled =
        |kind: &str| format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: a, labels: {{-bad-: b}}}}\n");
    assert_eq!(of(&labelled("ConfigMap"), "metadata/label"), "the label key `-bad-` is not valid");
    assert_eq!(of(&labelled("Secret"), "metadata/label"), "the label key is not valid");
    let items = |kind: &str, key: &str| {
        format!(
            "apiVersion: v1\nkind: {kind}\nmetadata: {{name: a}}\n{}: {{{key}: b}}\n",
            if kind == "Secret" { "stringData" } else { "data" }
        )
    };
    assert_eq!(of(&items("ConfigMap", "conf.d/a"), "secret/invalid-key"), "the key `conf.d/a` is not valid");
    assert_eq!(of(&items("ConfigMap", "'password: x'"), "secret/invalid-key"), "the key is not valid");
    assert_eq!(of(&items("Secret", "conf.d/a"), "secret/invalid-key"), "the key is not valid");
}

#[test]
fn explain_lists_groups_and_globs() {
    let tree = Tree::new(&[]);
    let explain = |what: &str| tree.plain(&["--explain", what]);
    assert!(explain("image").stdout.contains("image/latest") && !explain("image").stdout.contains("api/"));
    assert_eq!(explain("image").stdout, explain("image/*").stdout);
    assert_eq!(explain("all").stdout.lines().count(), sealwave_validate::rules::rules().count());
    let ran = explain("nothing");
    assert!(ran.code == 2 && ran.stderr.contains("`sealwave validate --explain all`"), "{}", ran.stderr);
    assert!(
        explain("environment/same-secret")
            .stdout
            .contains("    stringData:\n      password: <vault:shop/{{env}}/db#password>")
    );
}

// Severities.

#[test]
fn given_severities_override_lowered_ones() {
    let odd = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nodd: 1\n";
    let tree = Tree::new(&[("a.yaml", odd)]);
    let severity = |args: &[&str]| {
        tree.report(&[&["a.yaml"], args].concat()).one("schema/unknown-field")["severity"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(severity(&["--lenient"]), "warning");
    assert_eq!(severity(&["--lenient", "--rule", "schema/unknown-field=error"]), "error");
}

const BROKEN_DEFINITION: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.org}
spec:
  group: example.org
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: strign}
";

#[test]
fn invalid_definitions_are_reported_at_their_place() {
    let widget = "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: a}\nspec: {}\n";
    let tree = Tree::new(&[("a.yaml", widget), ("crds/w.yaml", BROKEN_DEFINITION)]);
    let report = tree.report(&["--crds", "crds", "a.yaml"]);
    let finding = report.one("schema/definition");
    assert_eq!((&finding["path"], &finding["line"]), (&"crds/w.yaml".into(), &16.into()));
    assert_eq!(finding["severity"], "error");
    tree.report(&["--crds", "crds", "a.yaml", "crds/w.yaml"]).one("schema/definition");
    let off = tree.report(&["--crds", "crds", "a.yaml", "--rule", "schema/definition=off"]);
    assert!(off.of("schema/definition").is_empty());
    let app = Tree::app(&[("crds/w.yaml", BROKEN_DEFINITION)]);
    app.write("sealwave.yaml", format!("{APP}validate: {{crds: [crds]}}\n"));
    assert_eq!(app.report(&[]).one("schema/definition")["path"], "crds/w.yaml");
}

#[test]
fn duplicates_in_a_stream_are_named_and_suppressible() {
    let big = |second: &str| {
        let text = format!("{GOOD}---\n# {}\n---\n{second}", "x".repeat(9 << 20));
        let tree = Tree::new(&[("big.yaml", &text)]);
        (tree.report(&["big.yaml"]), tree.report(&["big.yaml", "--rule", "resource/duplicate-id=note"]))
    };
    let (report, noted) = big(GOOD);
    let finding = report.one("resource/duplicate-id");
    assert_eq!(finding["message"], "ConfigMap `good` is defined twice");
    assert_eq!(finding["object"]["name"], "good");
    assert_eq!(noted.one("resource/duplicate-id")["severity"], "note");
    let (report, _) =
        big(&GOOD.replace("{name: good}", "{name: good} # sealwave: ignore resource/duplicate-id -- a"));
    assert!(report.findings().is_empty() && report.summary()["suppressed"] == 1, "{:?}", report.lines());
    let (report, _) = big(&GOOD.replace(
        "{name: good}",
        "{name: good, annotations: {ignore.sealwave.dev/resource.duplicate-id: a}}",
    ));
    assert!(report.findings().is_empty(), "{:?}", report.lines());
}

// The human-readable report.

#[test]
fn the_rendered_place_is_omitted_for_exact_template_places() {
    let exact = Tree::app(&[
        (
            "base/a.yaml.hbs",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  a: {{ count }}\n",
        ),
        ("values.yaml", "count: 7\n"),
    ]);
    assert!(!exact.plain(&[]).stdout.contains("rendered:"), "{}", exact.plain(&[]).stdout);
    let vague = Tree::app(&[
        (
            "base/a.yaml.hbs",
            // Quotes within brackets are ambiguous.
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  a: {{ count }}\n  b: \"{{ values.[a\"b] }}\"\n",
        ),
        ("values.yaml", "count: 7\na\"b: x\n"),
    ]);
    assert!(vague.plain(&[]).stdout.contains("rendered:"), "{}", vague.plain(&[]).stdout);
}

#[test]
fn a_place_is_not_related_to_itself() {
    let app = Tree::app(&[(
        "base/s.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: <vault:b#c>}\n",
    )]);
    let report = app.report(&[]);
    assert_eq!(report.one("environment/same-secret")["related"], serde_json::json!([]));
}

#[test]
fn among_many_findings_the_errors_are_listed_at_the_end() {
    let app = Tree::app(&[("base/bad.yaml", BAD)]);
    for number in 0..12 {
        app.write(&format!("base/n{number}.yaml"), GOOD.replace("good", &format!("n{number}")) + "odd: 1\n");
    }
    let text = app.plain(&["--lenient"]).stdout;
    let tail = text.split("by environment").nth(1).unwrap();
    assert!(tail.contains("\nerrors\n  base/bad.yaml:4:15  schema/type\n"), "{tail}");
    let few = Tree::app(&[("base/bad.yaml", BAD)]).plain(&[]).stdout;
    assert!(!few.contains("\nerrors\n"), "{few}");
}
