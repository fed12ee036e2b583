//! Checks the manifests of the sidecar against the requirements and guarantees of sealwave.

use crate::support::root;
use sealwave_providers::ProviderConfig;
use sealwave_secrets::settings::{Concurrency, MemoryLimit, OperatorConfig, SidecarMemory};
use serde_json::Value;

fn text(path: &str) -> String {
    fs_err::read_to_string(root().join(path)).unwrap()
}

fn yaml(path: &str) -> Vec<Value> {
    let text = text(path);
    let documents = yaml_serde::Deserializer::from_str(&text);
    documents.map(|document| serde::Deserialize::deserialize(document).unwrap()).collect()
}

fn named<'a>(list: &'a Value, name: &str) -> &'a Value {
    let items = list.as_array().unwrap();
    items.iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("`{name}` does not exist"))
}

fn operator() -> OperatorConfig<ProviderConfig> {
    yaml_serde::from_str(&text("manifests/operator.yaml")).unwrap()
}

/// Returns the container's memory limit in MiB.
fn limit() -> u64 {
    let deployment = &yaml("manifests/argocd-repo-server.yaml")[0];
    let container = named(&deployment["spec"]["template"]["spec"]["containers"], "sealwave");
    let limit = container["resources"]["limits"]["memory"].as_str().unwrap();
    limit.strip_suffix("Mi").expect("in MiB").parse().unwrap()
}

/// Returns the size, in MiB, of the memory volume in which argocd-cmp-server unpacks: it counts towards the limit.
fn work_directory() -> u64 {
    let pod = &yaml("manifests/argocd-repo-server.yaml")[0]["spec"]["template"]["spec"];
    let size = named(&pod["volumes"], "sealwave-tmp")["emptyDir"]["sizeLimit"].as_str().unwrap();
    size.strip_suffix("Mi").expect("in MiB").parse().unwrap()
}

#[test]
fn the_memory_limit_matches_the_operator_file() {
    let OperatorConfig { memory_limit, concurrency, .. } = operator();
    let work_directory = work_directory();
    assert_eq!(limit(), SidecarMemory { concurrency, limit: memory_limit }.mib() + work_directory);
    assert_eq!((memory_limit, concurrency), (MemoryLimit::default(), Concurrency::default()));
    let page = text("docs/install/sizing.md");
    assert!(page.contains(&format!("**{} MiB**", limit())), "docs/install/sizing.md has a different sum");
    let smaller = SidecarMemory { concurrency: Concurrency::new(2).unwrap(), limit: memory_limit };
    let smaller = smaller.mib() + work_directory;
    assert!(
        page.contains(&format!("{smaller} MiB.")),
        "docs/install/sizing.md has a different sum for two runs"
    );
}

#[test]
fn volumes_of_the_sidecar_are_its_own_or_read_only() {
    let pod = &yaml("manifests/argocd-repo-server.yaml")[0]["spec"]["template"]["spec"];
    let mounts = &named(&pod["containers"], "sealwave")["volumeMounts"];
    for shared in ["var-files", "sealwave-config", "sealwave-secrets"] {
        assert_eq!(named(mounts, shared)["readOnly"], true, "{shared}");
    }
    let temporary = &named(&pod["volumes"], "sealwave-tmp")["emptyDir"];
    assert_eq!(temporary["medium"], "Memory", "on a disk, unpacking costs several times the CPU");
    assert_eq!(named(mounts, "sealwave-tmp")["mountPath"], "/tmp");
}

#[test]
fn argo_cd_calls_the_binary_of_the_image_by_its_path() {
    let spec = &yaml("plugin.yaml")[0]["spec"];
    let image = text("Dockerfile");
    let target = image
        .lines()
        .find_map(|line| line.strip_prefix("COPY --from=build /src/target/release/sealwave "))
        .expect("the image has the binary");
    assert!(image.contains(" plugin.yaml ./\n"), "the build of the program needs plugin.yaml");
    let with_discovery = &yaml("manifests/plugin-discover.yaml")[0]["spec"];
    for (command, argument) in [
        (&with_discovery["discover"]["find"]["command"], "discover"),
        (&spec["parameters"]["dynamic"]["command"], "parameters"),
        (&spec["generate"]["command"], "generate"),
    ] {
        assert_eq!(*command, serde_json::json!([target, argument]));
        assert!(target.starts_with('/'));
    }
}

#[test]
fn discovery_is_omitted_where_it_would_run_for_every_application() {
    let (plain, mut variant) =
        (yaml("plugin.yaml").remove(0), yaml("manifests/plugin-discover.yaml").remove(0));
    assert!(plain["spec"]["discover"].is_null());
    // The commented lines match the variant.
    let commented = text("plugin.yaml")
        .replace("  # discover:", "  discover:")
        .replace("  #   find:", "    find:")
        .replace("  #     command:", "      command:");
    let uncommented: Value = yaml_serde::from_str(&commented).unwrap();
    assert_eq!(uncommented["spec"], variant["spec"]);
    variant["spec"].as_object_mut().unwrap().remove("discover");
    assert_eq!(plain, variant);
}

#[test]
fn the_files_that_argo_cd_sends_are_limited() {
    let settings = &yaml("manifests/argocd-cmd-params-cm.yaml")[0]["data"];
    assert_eq!(settings["reposerver.plugin.use.manifest.generate.paths"], "true");
    assert_eq!(settings["reposerver.plugin.tar.exclusions"], ".git/*");
    let component = &yaml("manifests/kustomization.yaml")[0]["patches"];
    assert!(component.as_array().unwrap().iter().any(|patch| patch["path"] == "argocd-cmd-params-cm.yaml"));
}

#[test]
fn the_application_names_the_plugin_prunes_last_and_retries_the_newest_commit() {
    let application = &yaml("manifests/application.yaml")[0];
    let (source, policy) = (&application["spec"]["source"], &application["spec"]["syncPolicy"]);
    assert_eq!(source["plugin"]["name"], yaml("plugin.yaml")[0]["metadata"]["name"]);
    assert!(policy["syncOptions"].as_array().unwrap().contains(&"PruneLast=true".into()));
    assert_eq!(policy["retry"], serde_json::json!({"limit": 5, "refresh": true}));
    assert!(application["metadata"]["annotations"]["argocd.argoproj.io/manifest-generate-paths"].is_string());
}

#[test]
fn the_page_shows_the_applications() {
    let page = text("docs/install/first-application.md");
    let blocks: Vec<Value> = page
        .split("\n```yaml\n")
        .skip(1)
        .map(|rest| yaml_serde::from_str(rest.split("\n```").next().unwrap()).unwrap())
        .collect();
    let files = ["manifests/application.yaml", "manifests/applicationset.yaml"];
    assert_eq!(blocks, files.map(|file| yaml(file).remove(0)));
}

#[test]
fn the_application_set_makes_the_application_of_the_example_per_environment() {
    let set = &yaml("manifests/applicationset.yaml")[0]["spec"];
    assert_eq!(set["goTemplateOptions"], serde_json::json!(["missingkey=error"]));
    let elements = set["generators"][0]["list"]["elements"].as_array().unwrap();
    let clusters = operator().clusters;
    let mut expected = yaml("manifests/application.yaml").remove(0);
    for element in elements {
        let environment = element["env"].as_str().unwrap();
        assert!(clusters.contains_key(environment), "the operator file has no cluster `{environment}`");
        let filled = ["env", "server"].iter().fold(set["template"].to_string(), |text, name| {
            text.replace(&format!("{{{{ .{name} }}}}"), element[name].as_str().unwrap())
        });
        assert!(!filled.contains("{{"), "{filled}");
        let filled: Value = serde_json::from_str(&filled).unwrap();
        expected["metadata"]["name"] = format!("shop-{environment}").into();
        expected["spec"]["source"]["plugin"]["parameters"][0]["string"] = environment.into();
        expected["spec"]["destination"]["server"] = element["server"].clone();
        assert_eq!(filled["spec"], expected["spec"]);
        for field in ["name", "annotations"] {
            assert_eq!(filled["metadata"][field], expected["metadata"][field]);
        }
    }
    assert!(elements.len() > 1);
}

#[cfg(target_os = "linux")]
mod load {
    use std::collections::BTreeSet;
    use std::thread;
    use std::time::Duration;

    use tempfile::TempDir;

    use super::*;
    use crate::support::peak::Running;
    use crate::support::sealwave;
    use crate::support::small_app::SmallApp;

    /// The copies of an output that argocd-cmp-server keeps while it answers.
    const COPIES_IN_SERVER: u64 = 2;

    /// Returns an app with about 20 MB of `ConfigMaps` in three files.
    fn large_app() -> SmallApp {
        let app = SmallApp::new();
        for file in 0..3 {
            let maps = (0..20).map(|index| {
                let line = format!("    the quick brown fox of map {index} in file {file} jumps over the lazy dog, and on and on\n");
                let lines = line.repeat(4_000);
                format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{file}-{index}}}\ndata:\n  a: |\n{lines}")
            });
            app.write(&format!("app/base/large-{file}.yaml"), &maps.collect::<String>());
        }
        app
    }

    #[test]
    fn ten_runs_of_a_large_app_fit_into_the_sidecar() {
        let (app, temp) = (large_app(), TempDir::new().unwrap());
        let start = |index: usize| {
            let project = ["shop", "books", "music"][index % 3];
            Running::start(
                sealwave()
                    .arg("generate")
                    .current_dir(app.path("app"))
                    .env("TMPDIR", temp.path())
                    .env("SEALWAVE_OPERATOR", app.path("operator/operator.yaml"))
                    .env("ARGOCD_APP_NAME", format!("app-{index}"))
                    .env("ARGOCD_APP_NAMESPACE", "shop")
                    .env("ARGOCD_APP_PROJECT_NAME", project)
                    .env("ARGOCD_APP_PARAMETERS", r#"[{"name":"env","string":"dev"}]"#),
            )
        };
        app.operator("deadlineSeconds: 300\n");
        let mut runs: Vec<Running> = (0..10).map(start).collect();
        let (mut peak, mut at_once, mut worked) = (0, 0, BTreeSet::new());
        while runs.iter_mut().any(|run| !run.has_ended()) {
            let samples: Vec<Vec<(u32, u64)>> = runs.iter_mut().map(Running::sample).collect();
            peak = samples.iter().flatten().map(|(_, resident)| resident).sum::<u64>().max(peak);
            let children: Vec<u32> =
                samples.iter().flat_map(|sample| sample.iter().skip(1)).map(|(pid, _)| *pid).collect();
            at_once = children.len().max(at_once);
            worked.extend(children);
            thread::sleep(Duration::from_millis(2));
        }
        let ended: Vec<_> = runs.into_iter().map(Running::finish).collect();
        for run in &ended {
            assert!(run.status.success(), "{}", run.stderr());
            assert!(run.stdout.len() > 18 << 20, "{} bytes of output", run.stdout.len());
        }
        assert_eq!(worked.len(), 10, "each run had a child that was seen");
        let concurrency = operator().concurrency.runs();
        assert!(at_once as u64 <= concurrency, "{at_once} runs worked at once");
        let outputs: u64 = ended.iter().map(|run| run.stdout.len() as u64).sum();
        let peak_mib = (peak >> 10) + ((COPIES_IN_SERVER * outputs) >> 20);
        assert!(peak_mib <= limit(), "{peak_mib} MiB");
    }
}
