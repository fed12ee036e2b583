//! Messages about files, directories, settings and targets that are missing because they have another name or place.

use std::path::Path;

use crate::support::sealwave;
use crate::support::validating::{CommandResult, Tree};

const HEAD: &str = "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\n";
const SERVICE: &str = "\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports:
  - {name: http, port: 80}
";

/// Creates an app in `app/` whose only environment is `dev`.
fn app(files: &[(&str, &str)]) -> Tree {
    let common =
        [("app/sealwave.yaml", HEAD), ("app/base/web.yaml", SERVICE), ("app/envs/dev/values.yaml", "{}\n")];
    let repository = Tree::new(&common);
    for (path, text) in files {
        repository.write(path, text);
    }
    repository
}

fn run_in(directory: &Path, args: &[&str]) -> CommandResult {
    sealwave().current_dir(directory).args(args).output().unwrap().into()
}

/// Returns standard error of `render` with these arguments, which must fail.
fn render(repository: &Tree, args: &[&str]) -> String {
    let result = run_in(repository.root(), &[&["render"], args].concat());
    assert_eq!(result.code, 2, "{}", result.stderr);
    result.stderr
}

/// Checks the place and the hint of the only error of `render`.
fn check(repository: &Tree, args: &[&str], message: &str, place: &str, hint: &str) {
    let stderr = render(repository, args);
    let (headline, rest) = stderr.split_once('\n').unwrap();
    assert_eq!(headline, format!("error: {message}"));
    assert!(rest.trim_start().starts_with(&format!("--> {place}\n")), "{stderr}");
    assert!(stderr.ends_with(&format!("= help: {hint}\n")), "\n  is  {stderr}\n  not {hint}");
}

#[test]
fn an_app_file_stands_for_its_directory() {
    let repository = app(&[]);
    for args in [
        &["render", "app/sealwave.yaml"][..],
        &["refs", "app/sealwave.yaml"],
        &["parameters", "app/sealwave.yaml"],
    ] {
        let result = run_in(repository.root(), args);
        assert_eq!(result.code, 0, "{args:?}: {}", result.stderr);
    }
    let stderr = render(&repository, &["app/base/web.yaml"]);
    assert!(stderr.contains("`app/base/web.yaml` is not a directory"), "{stderr}");
}

#[test]
fn an_app_file_of_another_name_is_named() {
    for name in ["sealwave.yml", "Sealwave.yaml", "sealwave.yaml.txt", "sealwav.yaml"] {
        let repository = app(&[(&format!("app/{name}"), HEAD)]);
        repository.remove("app/sealwave.yaml");
        let message = format!("`{name}` is not read: the name of the app file is `sealwave.yaml`");
        check(&repository, &["app"], &message, &format!("app/{name}"), "rename it to `sealwave.yaml`");
        let report = repository.report(&["app"]);
        assert_eq!(report.lines().len(), 1, "{:?}", report.lines());
        assert_eq!(report.one("app/load")["message"], message.as_str());
    }
    // A file of this name that belongs to something else is not an app file.
    let repository = app(&[("app/sealwave.yml", "a: 1\n")]);
    repository.remove("app/sealwave.yaml");
    assert!(render(&repository, &["app"]).contains("an app is a directory with a `sealwave.yaml`"));
}

#[test]
fn directories_that_are_not_apps_say_what_they_are() {
    let repository = app(&[
        ("chart/Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n"),
        ("overlay/kustomization.yaml", "resources: []\n"),
        ("docs/README.md", "text\n"),
    ]);
    check(
        &repository,
        &["chart"],
        "`chart` is a Helm chart, not an app",
        "chart",
        "run `sealwave init chart`, which writes a `sealwave.yaml` for it",
    );
    check(
        &repository,
        &["overlay"],
        "`overlay` is a directory of Kustomize, not an app",
        "overlay",
        "run `sealwave init overlay`, which writes a `sealwave.yaml` for it",
    );
    for (directory, environment) in [("app/envs/dev", " --env dev"), ("app/envs", ""), ("app/base", "")] {
        let hint = format!(
            "pass the app{}: `app{environment}`",
            if environment.is_empty() { "" } else { " and the environment" }
        );
        let message = format!("`{directory}` is a part of the app `app`, not an app");
        check(&repository, &[directory], &message, directory, &hint);
    }
    let missing = "`sealwave.yaml` cannot be read: file not found";
    check(
        &repository,
        &["."],
        missing,
        "sealwave.yaml",
        "the directory contains apps: pass one of them, for example `app`",
    );
    check(
        &repository,
        &["docs"],
        missing,
        "docs/sealwave.yaml",
        "an app is a directory with a `sealwave.yaml`",
    );
}

#[test]
fn environments_of_another_name_or_place_are_named() {
    let repository = app(&[("app/envs/prod/values.yaml", "{}\n")]);
    check(
        &repository,
        &["app", "--env", "production"],
        "environment `production` does not exist; known environments: `dev`, `prod`",
        "app/sealwave.yaml",
        "did you mean `prod`?",
    );
    let result = repository.run(&["app", "--env", "production"]);
    assert!(result.stderr.contains("= help: did you mean `prod`?"), "{}", result.stderr);
    for (directory, hint) in [
        ("env", "rename `app/env/` to `envs/`"),
        ("Overlays", "rename `app/Overlays/` to `envs/`"),
        (
            "other",
            "create a file in `envs/dev/`, for example `values.yaml`, or write `environments: {dev: {}}` in `sealwave.yaml`",
        ),
    ] {
        let repository = app(&[(&format!("app/{directory}/dev/values.yaml"), "{}\n")]);
        repository.remove("app/envs/dev/values.yaml");
        fs_err::remove_dir_all(repository.root().join("app/envs")).unwrap();
        check(&repository, &["app"], "app has no environments", "app/sealwave.yaml", hint);
        let report = repository.report(&["app"]);
        assert_eq!(report.one("app/load")["hint"], hint);
    }
    let repository = app(&[("app/envs/Prod_EU/values.yaml", "{}\n")]);
    let name = "environment name is not valid; it must match `[a-z0-9]([-a-z0-9._]*[a-z0-9])?`";
    check(&repository, &["app"], name, "app/envs/Prod_EU", "rename it to `prod_eu`");
}

#[test]
fn manifests_in_a_directory_of_helm_are_found() {
    let repository = app(&[("app/templates/web.yaml", SERVICE)]);
    fs_err::remove_dir_all(repository.root().join("app/base")).unwrap();
    check(
        &repository,
        &["app"],
        "environment `dev` renders no objects",
        "app/sealwave.yaml",
        "`app/templates/` is not read: rename it to `base/`",
    );
}

#[test]
fn values_that_are_not_read_or_removed_are_named() {
    let template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: {{quote image.tag}}}\n";
    for name in ["values.yml", "value.yaml", "Values.yaml"] {
        let repository =
            app(&[("app/base/a.yaml.hbs", template), (&format!("app/{name}"), "image: {tag: x}\n")]);
        let hint = format!("`app/{name}` is not read: rename it to `values.yaml`");
        check(&repository, &["app"], "value `image.tag` is not defined", "app/base/a.yaml.hbs:4:19", &hint);
    }
    let repository =
        app(&[("app/base/a.yaml.hbs", template), ("app/envs/dev/values.yml", "image: {tag: x}\n")]);
    repository.remove("app/envs/dev/values.yaml");
    repository.write("app/values.yaml", "a: 1\n");
    let message = "values file is not read: its name is not `values.yaml`";
    check(&repository, &["app"], message, "app/envs/dev/values.yml", "rename it to `values.yaml`");
    let repository = app(&[
        ("app/base/a.yaml.hbs", template),
        ("app/values.yaml", "image: {tag: x}\n"),
        ("app/envs/dev/values.yaml", "a: 1\nimage:\n"),
    ]);
    let hint = "`image` is null at app/envs/dev/values.yaml:2:1, which removes it: give it a value, or delete the line";
    check(&repository, &["app"], "value `image.tag` is not defined", "app/base/a.yaml.hbs:4:19", hint);
}

#[test]
fn patches_name_the_file_and_the_object_that_are_meant() {
    let patch = "spec: {sessionAffinity: ClientIP}\n";
    for (file, meant) in [
        ("envs/dev/patches/wed.yaml", "did you mean `envs/dev/patches/web.yaml`?"),
        ("envs/dev/patches/web.yml", "did you mean `envs/dev/patches/web.yaml`?"),
        ("patches/web.yaml", "did you mean `envs/dev/patches/web.yaml`?"),
        ("other/x.yaml", "the path is relative to the directory of `sealwave.yaml`"),
    ] {
        let text = format!(
            "{HEAD}environments:\n  dev:\n    patches:\n    - target: {{kind: Service}}\n      file: {file}\n"
        );
        let repository = app(&[("app/sealwave.yaml", &text), ("app/envs/dev/patches/web.yaml", patch)]);
        let message = format!("patch file `app/{file}` cannot be read: file not found");
        check(&repository, &["app"], &message, "app/sealwave.yaml:8:13", meant);
    }
    let text = format!(
        "{HEAD}environments:\n  dev:\n    patches:\n    - target: {{kind: Service, name: wbe}}\n      patch: {{}}\n"
    );
    let repository = app(&[("app/sealwave.yaml", &text)]);
    check(
        &repository,
        &["app"],
        "patch does not match any object (kind `Service`, name `wbe`)",
        "app/sealwave.yaml:7:7",
        "did you mean name `web`?",
    );
}

#[test]
fn fields_of_kustomize_say_what_replaces_them() {
    for (text, message, place, part) in [
        ("images: []", "unknown field `images`", "app/sealwave.yaml:4:1", "`envs/NAME/values.yaml`"),
        ("rules: {}", "unknown field `rules`", "app/sealwave.yaml:4:1", "move it below `validate:`"),
        (
            "environments: {dev: {patchesStrategicMerge: []}}",
            "`environments.dev`: unknown field `patchesStrategicMerge`",
            "app/sealwave.yaml:4:22",
            "`type: strategic`",
        ),
        (
            "validate: {rules: {image/latest: warn}}",
            "unknown value, expected one of",
            "app/sealwave.yaml:4:34",
            "`warning`",
        ),
    ] {
        let repository = app(&[("app/sealwave.yaml", &format!("{HEAD}{text}\n"))]);
        let stderr = render(&repository, &["app"]);
        assert!([message, place, part].iter().all(|wanted| stderr.contains(wanted)), "{text}: {stderr}");
    }
}

#[test]
fn quotes_belong_where_the_value_is_printed() {
    let deployment = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata:\n  PORT: {{ db.port }}\n";
    let service = SERVICE.replace("port: 80", "port: {{ quote port }}").replace("name: web", "name: other");
    let repository = app(&[
        ("app/base/a.yaml.hbs", deployment),
        ("app/base/b.yaml.hbs", &service),
        ("app/values.yaml", "db: {port: 5432}\nport: 80\n"),
    ]);
    let report = repository.report(&["app"]);
    let hints: Vec<&str> =
        report.of("schema/type").iter().map(|found| found["hint"].as_str().unwrap()).collect();
    assert_eq!(hints, ["write `{{ quote db.port }}`", "write `{{ port }}`, without `quote`"]);
}

#[cfg(unix)]
#[test]
fn hostile_names_and_links_do_no_harm() {
    use std::os::unix::fs::symlink;

    let repository = app(&[("app/sealwave.yml\n::error::x", HEAD), ("app/en\u{1b}[2Jvs/dev/a", "")]);
    let root = repository.root();
    fs_err::remove_dir_all(root.join("app/envs")).unwrap();
    repository.remove("app/sealwave.yaml");
    // The link must not be opened: its target never ends.
    symlink("/dev/zero", root.join("app/sealwave.yml")).unwrap();
    symlink("/", root.join("app/env")).unwrap();
    let stderr = render(&repository, &["app"]);
    assert!(!stderr.lines().any(|line| line.starts_with("::")) && !stderr.contains('\u{1b}'), "{stderr}");
    repository.write("app/sealwave.yaml", HEAD);
    let stderr = render(&repository, &["app"]);
    assert!(stderr.contains("create a file in `envs/dev/`"), "a link is not followed: {stderr}");
    // Directories outside the repository are not listed.
    fs_err::create_dir_all(root.join("app/envs/dev")).unwrap();
    symlink("/etc", root.join("app/envs/dev/out")).unwrap();
    let text = format!(
        "{HEAD}environments: {{dev: {{patches: [{{target: {{kind: A}}, file: envs/dev/out/passwdd}}]}}}}\n"
    );
    repository.write("app/sealwave.yaml", text);
    let stderr = render(&repository, &["app"]);
    assert!(!stderr.contains("passwd`"), "{stderr}");
}
