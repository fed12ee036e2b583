//! Tests of the files that an app can reach: links, patches and definitions in the directory that argocd-cmp-server
//! unpacks, for the whole repository and for the part selected by `manifest-generate-paths`.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use crate::support::sealwave;
use tempfile::TempDir;

const APP: &str = "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\n";
const SHARED: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: common}\ndata: {from: shared}\n";
const OWN: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\ndata: {from: app}\n";

/// A sidecar with the directories of two requests.
struct Sidecar(TempDir);

impl Sidecar {
    fn new() -> Self {
        let sidecar = Self(TempDir::new().unwrap());
        sidecar.write(
            "_cmp_server/other/secret.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: CANARY}\n",
        );
        sidecar
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.at(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    /// Creates an app at a path of the request's directory, with a link in `base/`.
    fn app(&self, path: &str, link: Option<&str>) {
        let app = format!("_cmp_server/id/{path}");
        self.write(&format!("{app}/sealwave.yaml"), APP);
        self.write(&format!("{app}/base/own.yaml"), OWN);
        self.write(&format!("{app}/envs/dev/values.yaml"), "{}\n");
        if let Some(target) = link {
            symlink(target, self.at(&format!("{app}/base/common.yaml"))).unwrap();
        }
    }

    /// Renders the app as Argo CD calls the plugin.
    fn render(&self, path: &str, source_path: &str) -> (bool, String, String) {
        let output = sealwave()
            .args(["render", "--env", "dev"])
            .current_dir(self.at(&format!("_cmp_server/id/{path}")))
            .env("ARGOCD_CMP_WORKDIR", self.0.path())
            .env("ARGOCD_APP_NAME", "shop-dev")
            .env("ARGOCD_APP_PROJECT_NAME", "shop")
            .env("ARGOCD_APP_SOURCE_PATH", source_path)
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.success(), text(output.stdout), text(output.stderr))
    }
}

const ANNOTATION: &str =
    "`argocd.argoproj.io/manifest-generate-paths` of the Application, for example `.;../_shared`";

#[test]
fn p1_a_shared_file_in_the_sent_part_is_read() {
    let sidecar = Sidecar::new();
    sidecar.app("my-app", Some("../../_shared/common.yaml"));
    sidecar.write("_cmp_server/id/_shared/common.yaml", SHARED);
    let (success, stdout, stderr) = sidecar.render("my-app", "team-a/my-app");
    assert!(success && stdout.contains("from: shared"), "{stderr}");
}

#[test]
fn r21_only_k8s_was_sent() {
    let sidecar = Sidecar::new();
    sidecar.app("apps/shop", Some("../../../common/common.yaml"));
    sidecar.write("_cmp_server/id/common/common.yaml", SHARED);
    for source in ["k8s/apps/shop", "./k8s//apps/shop/", "apps/shop"] {
        let (success, stdout, stderr) = sidecar.render("apps/shop", source);
        assert!(success && stdout.contains("from: shared"), "{source}: {stderr}");
    }
}

#[test]
fn r21_patches_and_definitions_next_to_the_app_are_read() {
    let sidecar = Sidecar::new();
    sidecar.app("apps/shop", None);
    sidecar.write("_cmp_server/id/patches/own.yaml", "data: {from: patch}\n");
    let file = format!(
        "{APP}environments:\n  dev:\n    patches: [{{target: {{kind: ConfigMap, name: own}}, file: ../../patches/own.yaml}}]\n"
    );
    sidecar.write("_cmp_server/id/apps/shop/sealwave.yaml", &file);
    let (success, stdout, stderr) = sidecar.render("apps/shop", "k8s/apps/shop");
    assert!(success && stdout.contains("from: patch"), "{stderr}");
}

#[test]
fn r21_unsent_files_are_not_reached_and_the_error_names_the_annotation() {
    let sidecar = Sidecar::new();
    sidecar.app("shop", Some("../../../other/secret.yaml"));
    for source in [
        "k8s/apps/shop",
        "shop/shop",
        "other/shop",
        "",
        ".",
        "..",
        "../../..",
        "/",
        "/shop",
        "id/shop",
        "_cmp_server/id/shop",
    ] {
        let (success, stdout, stderr) = sidecar.render("shop", source);
        assert!(!success && stdout.is_empty(), "{source}");
        assert!(stderr.contains("link leaves the repository"), "{source}: {stderr}");
        assert!(stderr.contains(ANNOTATION), "{source}: {stderr}");
        assert!(!stderr.contains("CANARY"), "{source}: {stderr}");
    }
    // With the whole repository, the annotation would not help.
    let (success, _, stderr) = sidecar.render("shop", "shop");
    assert!(
        !success && stderr.contains("keep everything that an app uses in its own repository"),
        "{stderr}"
    );
    assert!(!stderr.contains("manifest-generate-paths"), "{stderr}");
}

#[test]
fn r21_paths_out_of_the_sent_directory_are_refused() {
    for target in [
        "../../../other/secret.yaml",
        "../../../../_cmp_server/other/secret.yaml",
        "../../x/../../other/secret.yaml",
        "../../../../../../../../etc/passwd",
        "/etc/passwd",
        "/proc/self/environ",
        "through/secret.yaml",
    ] {
        let sidecar = Sidecar::new();
        sidecar.app("shop", Some(target));
        if target.starts_with("through/") {
            symlink("../../../other", sidecar.at("_cmp_server/id/shop/base/through")).unwrap();
        }
        let (success, stdout, stderr) = sidecar.render("shop", "a/shop");
        assert!(!success && stdout.is_empty(), "{target}");
        assert!(!stderr.contains("CANARY") && !stderr.contains("root:"), "{target}: {stderr}");
    }
    for file in ["../../other/secret.yaml", "../../../x", "/etc/passwd"] {
        let sidecar = Sidecar::new();
        sidecar.app("shop", None);
        let app = format!(
            "{APP}environments:\n  dev:\n    patches: [{{target: {{kind: ConfigMap}}, file: {file}}}]\n"
        );
        sidecar.write("_cmp_server/id/shop/sealwave.yaml", &app);
        let (success, stdout, stderr) = sidecar.render("shop", "a/shop");
        assert!(!success && stdout.is_empty() && !stderr.contains("CANARY"), "{file}: {stderr}");
    }
}

#[test]
fn r21_app_files_and_environments_that_link_outside_are_refused() {
    let sidecar = Sidecar::new();
    sidecar.app("shop", None);
    sidecar.write("_cmp_server/other/sealwave.yaml", APP);
    fs_err::remove_file(sidecar.at("_cmp_server/id/shop/sealwave.yaml")).unwrap();
    symlink("../../other/sealwave.yaml", sidecar.at("_cmp_server/id/shop/sealwave.yaml")).unwrap();
    let (success, _, stderr) = sidecar.render("shop", "a/shop");
    assert!(
        !success && stderr.contains("app file leaves the repository") && stderr.contains(ANNOTATION),
        "{stderr}"
    );
    let sidecar = Sidecar::new();
    sidecar.app("shop", None);
    sidecar.write("_cmp_server/other/envs/hidden/values.yaml", "{}\n");
    fs_err::remove_dir_all(sidecar.at("_cmp_server/id/shop/envs")).unwrap();
    symlink("../../other/envs", sidecar.at("_cmp_server/id/shop/envs")).unwrap();
    let (success, _, stderr) = sidecar.render("shop", "a/shop");
    assert!(!success && stderr.contains("environments directory leaves the repository"), "{stderr}");
    assert!(!stderr.contains("hidden") && stderr.contains(ANNOTATION), "{stderr}");
}

#[test]
fn links_into_the_git_directory_are_not_followed() {
    let sidecar = Sidecar::new();
    sidecar.write("_cmp_server/id/.git/config", "[remote]\n\turl = https://u:CANARY@git.example.com/a\n");
    sidecar.write("_cmp_server/id/.git/common.yaml", SHARED);
    for target in ["../../../.git/common.yaml", "../../../.git/nothing.yaml", "../../../.git/config"] {
        sidecar.app("apps/shop", None);
        let link = sidecar.at("_cmp_server/id/apps/shop/base/common.yaml");
        let _ = fs_err::remove_file(&link);
        symlink(target, &link).unwrap();
        let (success, stdout, stderr) = sidecar.render("apps/shop", "apps/shop");
        assert!(!success && stdout.is_empty(), "{target}");
        assert!(stderr.starts_with("error: link leaves the repository\n"), "{target}: {stderr}");
        assert!(!stderr.contains("CANARY"), "{stderr}");
    }
    // Links of partials and patch files are not followed either.
    sidecar.app("apps/web", None);
    let partials = sidecar.at("_cmp_server/id/apps/web/partials");
    fs_err::create_dir_all(&partials).unwrap();
    symlink("../../../.git/config", partials.join("config.hbs")).unwrap();
    sidecar.write(
        "_cmp_server/id/apps/web/base/all.yaml.hbs",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  a: |\n    {{> config}}\n",
    );
    let (success, _, stderr) = sidecar.render("apps/web", "apps/web");
    assert!(!success && stderr.contains("link leaves the repository"), "{stderr}");
    sidecar.app("apps/patched", None);
    sidecar.write(
        "_cmp_server/id/apps/patched/sealwave.yaml",
        &format!("{APP}environments:\n  dev:\n    patches: [{{target: {{kind: ConfigMap}}, file: ../../.git/config}}]\n"),
    );
    let (success, _, stderr) = sidecar.render("apps/patched", "apps/patched");
    assert!(!success && stderr.contains("leaves the repository"), "{stderr}");
}

#[test]
fn values_in_the_manifest_directory_are_reported() {
    let sidecar = Sidecar::new();
    sidecar.app("shop", None);
    sidecar.write("_cmp_server/id/shop/base/values.yaml", "image: a\n");
    let (success, _, stderr) = sidecar.render("shop", "shop");
    assert!(success && stderr.contains("warning: `base/values.yaml` is ignored"), "{stderr}");
    assert!(stderr.contains("base/values.yaml"), "{stderr}");
}

#[test]
fn files_of_other_tools_and_conflicts_are_named() {
    for (text, message) in [
        (&b"\0GITCRYPT\0\xc3\x28\xa0"[..], "file is encrypted with git-crypt"),
        (b"$ANSIBLE_VAULT;1.1;AES256\n33343536\n", "a file encrypted with Ansible Vault is not a manifest"),
        (
            b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n",
            "a file encrypted with age is not a manifest",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
            "a Git LFS pointer, whose content was not fetched, is not a manifest",
        ),
        (
            b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n<<<<<<< HEAD\n  a: b\n=======\n  a: c\n>>>>>>> x\n",
            "a file with an unresolved merge conflict is not a manifest",
        ),
        (b"spec: {replicas: 2}\n", "a part of an object, without `apiVersion` and `kind`, is not a manifest"),
        (
            b"apiVersion: argoproj.io/v1alpha1\nkind: ConfigManagementPlugin\nmetadata: {name: a}\nspec: {}\n",
            "it is a configuration file of the sidecar of Argo CD",
        ),
    ] {
        let sidecar = Sidecar::new();
        sidecar.app("shop", None);
        let path = sidecar.at("_cmp_server/id/shop/base/foreign.yaml");
        fs_err::write(path, text).unwrap();
        let (success, _, stderr) = sidecar.render("shop", "shop");
        assert!(!success && stderr.contains(message), "{stderr}");
        assert!(stderr.contains("base/foreign.yaml") && stderr.contains("= help: "), "{stderr}");
    }
}
