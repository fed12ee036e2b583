//! The marker of secret values in apps that Helm and Kustomize render: it is neither in an output nor in a file that a run
//! leaves, also if the program fails.

use crate::support::renderers::{Renderers, SourceCase};
use crate::support::validating::Tree;
use crate::support::{root, sealwave, watched};

#[test]
fn charts_and_overlays_do_not_show_the_marker() {
    for renderers in Renderers::all() {
        for case in SourceCase::all() {
            for environment in case.environments() {
                let what = format!("{} ({environment}, {})", case.name, renderers.name);
                let output = watched::run_watched(&mut case.generate(&environment, &renderers), &what);
                assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
            }
        }
    }
}

/// The chart tries everything that a template can do with a value: it fails with it, prints it to standard error, and puts it
/// into names, keys and types. Values are fetched after the program has ended, so the program can have placeholders only.
#[test]
fn failing_charts_and_overlays_do_not_show_the_marker() {
    let app = "apiVersion: sealwave.dev/v1alpha1\nkind: App\n";
    let chart = "apiVersion: v2\nname: web\nversion: 0.1.0\n";
    let secret = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\nstringData: {{a: {{{{ .Values.password | quote }}}}}}\n"
        )
    };
    let good = secret("good");
    for (name, template) in [
        ("fail", "{{ fail .Values.password }}".to_owned()),
        ("error in a function", "{{ .Values.password | toDate \"x\" | div 1 }}".to_owned()),
        ("not YAML", "a: [{{ .Values.password }}\n b".to_owned()),
        ("name", format!("{good}---\n{}", secret("{{ .Values.password | quote }}"))),
        (
            "kind",
            format!(
                "{good}---\napiVersion: v1\nkind: {{{{ .Values.password | quote }}}}\nmetadata: {{name: a}}\n"
            ),
        ),
        (
            "ConfigMap",
            format!(
                "{good}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{a: {{{{ .Values.password | quote }}}}}}\n"
            ),
        ),
        (
            "annotation",
            format!(
                "{good}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, annotations: {{a: {{{{ .Values.password | quote }}}}}}}}\n"
            ),
        ),
    ] {
        let tree = Tree::new(&[
            ("web/sealwave.yaml", app),
            ("web/Chart.yaml", chart),
            ("web/values-dev.yaml", "password: <file:dev/db.yaml#password>\n"),
            ("web/templates/all.yaml", &template),
        ]);
        refuse(&tree, name);
    }
    for (name, kustomization) in [
        ("unknown field", "resourcez: [<file:dev/db.yaml#password>]\n"),
        ("generator", "configMapGenerator: [{name: a, literals: [\"a=<file:dev/db.yaml#password>\"]}]\n"),
        ("broken generator", "secretGenerator: [{name: a, literals: [\"<file:dev/db.yaml#password>\"]}]\n"),
        (
            "prefix",
            "namePrefix: <file:dev/db.yaml#password>\nsecretGenerator: [{name: a, literals: [\"a=b\"]}]\n",
        ),
    ] {
        let tree =
            Tree::new(&[("web/sealwave.yaml", app), ("web/overlays/dev/kustomization.yaml", kustomization)]);
        refuse(&tree, name);
    }
}

/// Checks that no command succeeds or shows the marker.
fn refuse(tree: &Tree, name: &str) {
    let operator = root().join("testdata/sources/operator/operator.yaml");
    for renderers in Renderers::all() {
        for command in ["generate", "render", "validate"] {
            let mut run = sealwave();
            run.current_dir(tree.root()).env("PATH", renderers.search_path()).args([command, "web"]);
            run.args(["--project", "sources", "--namespace", "shop", "--app", "web", "--operator"])
                .arg(&operator);
            let what = format!("{name}: {command} ({})", renderers.name);
            let output = watched::run_watched(&mut run, &what);
            assert!(!output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stdout));
        }
    }
}
