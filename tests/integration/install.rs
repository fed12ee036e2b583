//! Builds each way to install the sidecar with the tools that operators use, and checks the result.
//!
//! Without Argo CD's own manifests (`.ci/install-sources`, in `SEALWAVE_INSTALL_SOURCES`), the Kustomize components are built
//! on a stand-in, and the tests that need the published files report that they are skipped. The tools are in
//! `SEALWAVE_KUSTOMIZE` (a command, such as `kustomize build`) and `SEALWAVE_HELM`.

mod pod;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use sealwave_providers::ProviderConfig;
use sealwave_secrets::settings::OperatorConfig;
use sealwave_testkit::skipped;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::small_app::{SmallApp, find};
use crate::support::{MARKER, refused, root, sealwave};
use pod::{Sidecar, check_pod};

const OWN_IMAGE: &str = "registry.example.internal/sealwave:0.1.0";
const HEALTH_CHECK: &str = "resource.customizations.health.bitnami.com_SealedSecret";

fn text(path: &str) -> String {
    fs_err::read_to_string(root().join(path)).unwrap()
}

fn documents(text: &str) -> Vec<Value> {
    // Kubernetes reads YAML 1.1, where a leading zero means octal; this reader does not.
    let text = text.replace("defaultMode: 0440", "defaultMode: 288");
    let documents = yaml_serde::Deserializer::from_str(&text);
    let documents = documents.map(|document| serde::Deserialize::deserialize(document).unwrap());
    documents.filter(|document: &Value| !document.is_null()).collect()
}

fn yaml(path: &str) -> Value {
    documents(&text(path)).remove(0)
}

/// Returns a directory or a command from the environment of the test run, which `.ci/run` sets.
fn setting(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the environment of the test run, not of the program")]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Returns a file of `.ci/install-sources`, or reports that the test is skipped.
fn published(path: &str) -> Option<PathBuf> {
    let Some(directory) = setting("SEALWAVE_INSTALL_SOURCES") else {
        skipped(&format!("SEALWAVE_INSTALL_SOURCES is not set, so {path} was NOT tested"));
        return None;
    };
    Some(root().join(directory).join(path))
}

fn output_of(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs `sealwave validate`, and returns its report if it has an error.
fn refusal(args: &[&OsStr]) -> Option<String> {
    let output = sealwave().args(["validate", "--fail-on", "error"]).args(args).output().unwrap();
    let report =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => None,
        Some(1) => Some(report),
        _ => panic!("validate failed: {report}"),
    }
}

/// The directory of an operator who installs Argo CD with Kustomize, as docs/install/kustomize.md describes it.
struct Installation(TempDir);

impl Installation {
    fn new(base: &Path) -> Self {
        let it = Self(tempfile::tempdir().unwrap());
        fs_err::copy(base, it.path("install.yaml")).unwrap();
        for file in walk(&root().join("manifests")) {
            it.write(&format!("sealwave/{file}"), &text(&format!("manifests/{file}")));
        }
        it.write("operator.yaml", &text("manifests/operator.yaml"));
        for cluster in ["dev", "prod"] {
            it.write(&format!("{cluster}.pem"), &text("testdata/sealed-secrets/rsa2048.crt"));
        }
        // Next to the others, and in no kustomization.
        it.write("seal-key", MARKER);
        it
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        fs_err::create_dir_all(self.path(file).parent().unwrap()).unwrap();
        fs_err::write(self.path(file), text).unwrap();
    }

    /// Builds a directory, or returns the error.
    fn build(&self, kustomize: &str, directory: &str) -> Result<String, String> {
        let mut words = kustomize.split(' ');
        let mut command = Command::new(words.next().unwrap());
        let output = command.args(words).arg(self.path(directory)).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(String::from_utf8(output.stdout).unwrap()) } else { Err(stderr) }
    }
}

/// Returns the paths of all files below a directory.
fn walk(directory: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for entry in fs_err::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            files.extend(walk(&path).into_iter().map(|file| format!("{name}/{file}")));
        } else {
            files.push(name);
        }
    }
    files
}

/// Returns a block of the page about Kustomize, by the marker before it.
fn block_of_the_page(marker: &str) -> String {
    let page = text("docs/install/kustomize.md");
    let (_, rest) = page.split_once(&format!("<!-- install:{marker} -->\n\n```yaml\n")).expect("the marker");
    rest.split_once("```").unwrap().0.to_owned()
}

/// Writes a kustomization with the namespace in the same file, in a layer below, or in a layer above, and returns the directory to build.
fn write_layout(installation: &Installation, layout: &str, namespace: &str, stock: bool) -> &'static str {
    let mut page = block_of_the_page("kustomization");
    let replace = |page: &mut String, from: &str, to: &str| {
        assert!(page.contains(from), "the page has no `{from}`");
        *page = page.replacen(from, to, 1);
    };
    if stock {
        replace(&mut page, "  # - sealwave/stock-image", "  - sealwave/stock-image");
    }
    replace(&mut page, "namespace: argocd\n", &format!("namespace: {namespace}\n"));
    match layout {
        "same" => {}
        "above" => {
            replace(&mut page, &format!("namespace: {namespace}\n"), "");
            // A kustomization cannot list a directory that contains it.
            for file in ["install.yaml", "operator.yaml", "dev.pem", "prod.pem"] {
                let content = fs_err::read_to_string(installation.path(file)).unwrap();
                installation.write(&format!("below/{file}"), &content);
            }
            installation.write("below/kustomization.yaml", &page.replace("- sealwave", "- ../sealwave"));
            installation.write(
                "above/kustomization.yaml",
                &format!("namespace: {namespace}\nresources: [../below]\n"),
            );
            return "above";
        }
        "below" => {
            replace(&mut page, &format!("namespace: {namespace}\n"), "");
            replace(&mut page, "- install.yaml", "- below");
            let generator = "  - name: sealwave-operator\n";
            replace(&mut page, generator, &format!("{generator}    namespace: {namespace}\n"));
            fs_err::create_dir_all(installation.path("below")).unwrap();
            fs_err::copy(installation.path("install.yaml"), installation.path("below/install.yaml")).unwrap();
            let below = format!("namespace: {namespace}\nresources: [install.yaml]\n");
            installation.write("below/kustomization.yaml", &below);
        }
        layout => panic!("unknown layout {layout}"),
    }
    installation.write("kustomization.yaml", &page);
    "."
}

/// Builds the components on a base in a layout, and checks everything that was built.
fn check_kustomize(kustomize: &str, base: &Path, layout: &str, namespace: &str, stock: bool) {
    let installation = Installation::new(base);
    let directory = write_layout(&installation, layout, namespace, stock);
    let built = installation.build(kustomize, directory).unwrap_or_else(|error| panic!("{layout}: {error}"));
    assert!(!built.contains(MARKER), "{layout}: a key file is in the output");
    let objects = documents(&built);
    assert_eq!(objects.len(), documents(&fs_err::read_to_string(base).unwrap()).len() + 1, "{layout}");
    let deployment = find(&objects, "Deployment", "argocd-repo-server");
    let operator = find(&objects, "ConfigMap", "sealwave-operator");
    for object in [deployment, operator] {
        assert_eq!(object["metadata"]["namespace"], namespace, "{layout}: {}", object["metadata"]["name"]);
    }
    // The page's `images` has replaced the name.
    let image = "registry.example.com/platform/sealwave:0.1.0";
    let sidecar = if stock { Sidecar::Stock { image } } else { Sidecar::Own { image } };
    check_pod(&deployment["spec"]["template"], "argocd-repo-server", sidecar, Some(999));
    check_settings(&objects);
    check_operator_directory(operator["data"].as_object().unwrap());
    let file = installation.path("built.yaml");
    fs_err::write(&file, built).unwrap();
    assert_eq!(refusal(&[file.as_os_str()]), None, "{layout}");
}

/// Checks the settings of Argo CD that all ways share.
fn check_settings(objects: &[Value]) {
    for (name, file) in [
        ("argocd-cm", "manifests/argocd-cm.yaml"),
        ("argocd-cmd-params-cm", "manifests/argocd-cmd-params-cm.yaml"),
    ] {
        let found = &find(objects, "ConfigMap", name)["data"];
        for (key, value) in yaml(file)["data"].as_object().unwrap() {
            assert_eq!(&found[key], value, "{name}: {key}");
        }
    }
}

/// Mounts the data of the ConfigMap, the keys and the values as kubelet does, and seals with them: the operator file, its
/// policy, the certificates and the files fit together.
fn check_operator_directory(config_map: &serde_json::Map<String, Value>) {
    let app = SmallApp::new();
    let values = app.path("values");
    let key = app.path("checksum-key");
    output_of(sealwave().args(["key", "generate", "--checksum-output"]).arg(&key));
    let mut files: Vec<(&str, Vec<u8>)> = vec![
        ("seal-key", fs_err::read(app.path("operator/seal-key")).unwrap()),
        ("checksum-key", fs_err::read(key).unwrap()),
    ];
    for (file, content) in config_map {
        let content = content.as_str().unwrap().replace("/etc/sealwave-secrets", values.to_str().unwrap());
        files.push((file, content.into_bytes()));
    }
    fs_err::remove_dir_all(app.path("operator")).unwrap();
    mount(&app.path("operator"), &files);
    mount(&values, &[("shop-dev.yaml", b"db: {password: CANARY-a}\ntoken: CANARY-b\n".to_vec())]);
    for (from, to) in [("db.yaml#password", "shop-dev.yaml#db.password"), ("web.txt", "shop-dev.yaml#token")]
    {
        app.replace("app/base/secrets.yaml", &format!("file:{from}"), &format!("file:{to}"));
    }
    let sealed = String::from_utf8(app.generate_bytes()).unwrap();
    assert!(sealed.contains("encryptedData") && !sealed.contains(MARKER));
    // The rule of the other cluster allows nothing here.
    app.replace("app/base/secrets.yaml", "shop-dev.yaml#token", "shop-prod.yaml#token");
    let stderr = refused(sealwave().args(app.args()), "another cluster's file");
    assert!(stderr.contains("shop-prod"), "{stderr}");
}

/// Writes a volume with the links of kubelet, which it replaces at once when a ConfigMap or Secret changes.
fn mount(volume: &Path, files: &[(&str, Vec<u8>)]) {
    let data = volume.join("..2026_11_29_12_00_00.1");
    fs_err::create_dir_all(&data).unwrap();
    for (file, content) in files {
        fs_err::write(data.join(file), content).unwrap();
        link(&format!("..data/{file}"), &volume.join(file));
    }
    link("..2026_11_29_12_00_00.1", &volume.join("..data"));
}

fn link(target: &str, link: &Path) {
    fs_err::os::unix::fs::symlink(target, link).unwrap();
}

#[test]
fn the_operator_file_works_as_it_is_mounted() {
    let certificate = text("testdata/sealed-secrets/rsa2048.crt");
    let data = json!({"operator.yaml": text("manifests/operator.yaml"), "dev.pem": certificate, "prod.pem": certificate});
    check_operator_directory(data.as_object().unwrap());
}

fn kustomize() -> Option<String> {
    let command = setting("SEALWAVE_KUSTOMIZE");
    if command.is_none() {
        skipped("SEALWAVE_KUSTOMIZE is not set, so the Kustomize components were NOT built");
    }
    command
}

#[test]
fn kustomize_components_fit_the_stand_in_in_every_layout() {
    let Some(kustomize) = kustomize() else { return };
    let base = root().join("testdata/install/stand-in/install.yaml");
    for layout in ["same", "below", "above"] {
        for stock in [false, true] {
            check_kustomize(&kustomize, &base, layout, "argocd", stock);
            check_kustomize(&kustomize, &base, layout, "gitops", stock);
        }
    }
}

#[test]
fn kustomize_components_fit_argo_cds_manifests() {
    let Some(kustomize) = kustomize() else { return };
    let Some(manifests) = published("argoproj/argo-cd/manifests") else { return };
    for (base, layout, namespace, stock) in [
        ("install.yaml", "same", "argocd", false),
        ("install.yaml", "below", "argocd", true),
        ("install.yaml", "above", "gitops", false),
        ("ha/install.yaml", "same", "argocd", true),
    ] {
        check_kustomize(&kustomize, &manifests.join(base), layout, namespace, stock);
    }
}

#[test]
fn plugin_yaml_can_be_replaced_without_a_new_image() {
    let Some(kustomize) = kustomize() else { return };
    for stock in [false, true] {
        let installation = Installation::new(&root().join("testdata/install/stand-in/install.yaml"));
        let directory = write_layout(&installation, "above", "argocd", stock);
        let above = fs_err::read_to_string(installation.path("above/kustomization.yaml")).unwrap();
        installation.write("above/kustomization.yaml", &(above + &block_of_the_page("plugin")));
        installation.write("above/plugin.yaml", &text("plugin.yaml"));
        let objects = documents(&installation.build(&kustomize, directory).unwrap());
        let pod = &find(&objects, "Deployment", "argocd-repo-server")["spec"]["template"]["spec"];
        let path = "/home/argocd/cmp-server/config/plugin.yaml";
        let container = pod::named(&pod["containers"])["sealwave"];
        assert_eq!(pod::mounts(container)[path]["name"], "sealwave-plugin");
        let map = &pod::named(&pod["volumes"])["sealwave-plugin"]["configMap"]["name"];
        assert!(map.as_str().unwrap().starts_with("sealwave-plugin-"), "{map}");
        assert_eq!(
            find(&objects, "ConfigMap", map.as_str().unwrap())["data"]["plugin.yaml"],
            text("plugin.yaml")
        );
    }
}

#[test]
fn a_kustomize_base_with_another_deployment_is_an_error() {
    let Some(kustomize) = kustomize() else { return };
    let base = tempfile::tempdir().unwrap();
    let base = base.path().join("install.yaml");
    let other = text("testdata/install/stand-in/install.yaml").replace(
        "kind: Deployment\nmetadata: {name: argocd-repo-server}",
        "kind: Deployment\nmetadata: {name: argo-cd-argocd-repo-server}",
    );
    fs_err::write(&base, other).unwrap();
    let installation = Installation::new(&base);
    let directory = write_layout(&installation, "same", "argocd", false);
    let error = installation.build(&kustomize, directory).unwrap_err();
    assert!(error.contains("argocd-repo-server"), "{error}");
}

#[test]
fn a_third_cluster_needs_no_change_of_the_deployment() {
    let config: OperatorConfig<ProviderConfig> =
        yaml_serde::from_str(&text("manifests/operator.yaml")).unwrap();
    assert_eq!(config.clusters.len(), 2);
    for file in
        ["manifests/argocd-repo-server.yaml", "manifests/helm-values.yaml", "manifests/openshift/argocd.yaml"]
    {
        let text = text(file);
        assert!(!text.contains(".pem") && !text.contains("items:"), "{file} lists single files");
    }
}

#[test]
fn all_ways_have_the_same_sidecar() {
    let pod = &yaml("manifests/argocd-repo-server.yaml")["spec"]["template"]["spec"];
    let stock = &yaml("manifests/stock-image/argocd-repo-server.yaml")["spec"]["template"]["spec"];
    let helm = &yaml("manifests/helm-values.yaml");
    assert_eq!(helm["repoServer"]["extraContainers"], pod["containers"]);
    assert_eq!(helm["repoServer"]["volumes"], pod["volumes"]);
    assert_eq!(helm["global"]["securityContext"], pod["securityContext"]);
    assert_eq!(helm["configs"]["cm"], yaml("manifests/argocd-cm.yaml")["data"]);
    assert_eq!(helm["configs"]["params"], yaml("manifests/argocd-cmd-params-cm.yaml")["data"]);

    let mut container = pod["containers"][0].clone();
    let program = stock["containers"][0]["volumeMounts"].as_array().unwrap();
    container["volumeMounts"].as_array_mut().unwrap().extend(program.iter().cloned());
    container.as_object_mut().unwrap().remove("image");
    let mut init = stock["initContainers"][0].clone();
    let volumes =
        json!([pod["volumes"].as_array().unwrap().as_slice(), stock["volumes"].as_array().unwrap()].concat());
    let helm = &yaml("manifests/helm-values-stock-image.yaml")["repoServer"];
    let mut of_helm = helm["extraContainers"][0].clone();
    of_helm.as_object_mut().unwrap().remove("image");
    assert_eq!((&of_helm, &helm["initContainers"][0], &helm["volumes"]), (&container, &init, &volumes));

    // On OpenShift, without a user.
    for container in [&mut container, &mut init] {
        container["securityContext"].as_object_mut().unwrap().remove("runAsUser");
    }
    let spec = &yaml("manifests/openshift/argocd.yaml")["spec"];
    let repo = &spec["repo"];
    assert_eq!((&repo["sidecarContainers"][0], &repo["initContainers"][0]), (&container, &init));
    assert_eq!(repo["volumes"], volumes);
    let check = &spec["resourceHealthChecks"][0];
    assert_eq!(check["check"], yaml("manifests/argocd-cm.yaml")["data"][HEALTH_CHECK]);
    assert_eq!((&check["group"], &check["kind"]), (&json!("bitnami.com"), &json!("SealedSecret")));
}

#[test]
fn nothing_for_openshift_fixes_a_user_or_group() {
    let text = text("manifests/openshift/argocd.yaml");
    let text: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let text = text.join("\n");
    for setting in ["runAsUser:", "runAsGroup:", "fsGroup:", "supplementalGroups:"] {
        assert!(
            !text.contains(setting),
            "OpenShift refuses a `{setting}` outside of the range of the namespace"
        );
    }
}

#[test]
fn the_operators_resource_fits_its_definition() {
    let Some(definition) =
        published("argoproj-labs/argocd-operator/config/crd/bases/argoproj.io_argocds.yaml")
    else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("argocd.yaml");
    let check = |text: &str| {
        fs_err::write(&file, text).unwrap();
        refusal(&["--strict-kinds".as_ref(), "--crds".as_ref(), definition.as_os_str(), file.as_os_str()])
    };
    let good = text("manifests/openshift/argocd.yaml");
    assert_eq!(check(&good), None);
    for (from, to) in [
        ("resourceHealthChecks", "resourceHealthCheck"),
        ("sidecarContainers", "extraContainers"),
        ("      - name: sealwave-tmp\n", "      - names: sealwave-tmp\n"),
    ] {
        assert!(good.contains(from));
        let report = check(&good.replace(from, to)).unwrap_or_else(|| panic!("`{to}` is accepted"));
        assert!(report.contains(to.trim().trim_start_matches("- ").split(':').next().unwrap()), "{report}");
    }
}

#[test]
fn the_operators_pod_resolves() {
    // As argocd-operator 0.18 composes the pod of the repo-server from the resource.
    let repo = &yaml("manifests/openshift/argocd.yaml")["spec"]["repo"];
    let stand_in = documents(&text("testdata/install/stand-in/install.yaml"));
    let mut template = find(&stand_in, "Deployment", "argocd-repo-server")["spec"]["template"].clone();
    let image = template["spec"]["containers"][0]["image"].clone();
    template["metadata"]["annotations"] = repo["annotations"].clone();
    for (list, added) in
        [("containers", "sidecarContainers"), ("initContainers", "initContainers"), ("volumes", "volumes")]
    {
        template["spec"][list]
            .as_array_mut()
            .unwrap()
            .extend(repo[added].as_array().unwrap().iter().cloned());
    }
    template["spec"]["containers"][1]["image"] = image;
    check_pod(&template, "argocd-repo-server", Sidecar::Stock { image: OWN_IMAGE }, None);
}

#[test]
fn chart_values_fit_the_chart() {
    let Some(chart) = published("argoproj/argo-helm/charts/argo-cd") else { return };
    let Some(helm) = setting("SEALWAVE_HELM") else {
        skipped("SEALWAVE_HELM is not set, so the values for the chart were NOT tested");
        return;
    };
    let chart = chart_without_dependency(&chart);
    let values = |file: &str| root().join("manifests").join(file);
    let files = [values("helm-values.yaml"), values("helm-values-stock-image.yaml")];
    for (files, sidecar) in
        [(&files[..1], Sidecar::Own { image: OWN_IMAGE }), (&files[..], Sidecar::Stock { image: OWN_IMAGE })]
    {
        let mut command = Command::new(&helm);
        command.args(["template", "argocd"]).arg(chart.path()).args([
            "--namespace",
            "argocd",
            "--kube-version",
            "1.34.0",
        ]);
        for file in files {
            command.arg("--values").arg(file);
        }
        let built = output_of(&mut command);
        let objects = documents(&built);
        let deployment = find(&objects, "Deployment", "argocd-repo-server");
        check_pod(&deployment["spec"]["template"], "repo-server", sidecar, Some(999));
        check_settings(&objects);
        let file = chart.path().join("built.yaml");
        fs_err::write(&file, built).unwrap();
        assert_eq!(refusal(&[file.as_os_str()]), None);
    }
}

/// Copies the chart without its dependency `redis-ha`, which is off by default and is not part of the chart's directory.
fn chart_without_dependency(chart: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in walk(chart) {
        let target = copy.path().join(&file);
        fs_err::create_dir_all(target.parent().unwrap()).unwrap();
        fs_err::copy(chart.join(&file), target).unwrap();
    }
    let path = copy.path().join("Chart.yaml");
    let mut metadata = documents(&fs_err::read_to_string(&path).unwrap()).remove(0);
    let dependencies = metadata.as_object_mut().unwrap().remove("dependencies").unwrap();
    assert_eq!(dependencies.as_array().map(Vec::len), Some(1), "{dependencies}");
    fs_err::write(path, serde_json::to_string(&metadata).unwrap()).unwrap();
    copy
}
