//! Items that are added to committed files.

use std::path::PathBuf;

use super::*;
use crate::seal::{MergeTarget, SelectedObject};

/// A file in a directory of its own.
struct CommittedFile {
    directory: tempfile::TempDir,
}

impl CommittedFile {
    fn new(text: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        fs_err::write(directory.path().join("sealed.yaml"), text).expect("written");
        Self { directory }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("sealed.yaml")
    }

    fn text(&self) -> String {
        fs_err::read_to_string(self.path()).expect("readable")
    }

    fn shown(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.directory.path().display()), "")
    }

    /// Merges the Secrets of a text, and applies the change.
    fn merge(&self, secrets: &str, flags: &SealTarget) -> Result<Vec<Note>, String> {
        let mut notes = Vec::new();
        self.try_merge(secrets, flags, &mut notes)
            .map(|()| notes)
            .map_err(|failure| self.shown(&failure.to_string()))
    }

    fn try_merge(&self, secrets: &str, flags: &SealTarget, notes: &mut Vec<Note>) -> Result<(), Failure> {
        let into = MergeTarget::read(&self.path())?;
        let (secrets, selected) = PlainSecrets::read_for_merge(&input(secrets), flags, &into, notes)?;
        let sealed = secrets.seal(plan(), notes)?;
        self.apply(&into, &selected, &sealed)
    }

    fn apply(
        &self,
        into: &MergeTarget,
        selected: &[SelectedObject<'_>],
        sealed: &SealedApp,
    ) -> Result<(), Failure> {
        let merged = into.merge(&self.path(), selected, sealed, &plan().certificate)?;
        let applied = merged.changes.apply::<crate::file_changes::FileChangeError>(|_| Ok(()));
        applied.map_err(|error| sealwave_core::diagnostic::Problem::new(&error).into())
    }

    /// Returns the objects of the file, opened.
    fn opened(&self) -> Vec<BTreeMap<String, Vec<u8>>> {
        let mut sources = Sources::default();
        let source = sources.add("sealed.yaml");
        let nodes = sealwave_core::yaml::read(
            self.text().as_bytes(),
            source,
            &sealwave_core::yaml::Limits::default(),
        );
        let objects = sealwave_core::yaml::flatten_lists(nodes.expect("YAML"));
        let sealed = objects.into_iter().filter_map(|node| Manifest::new(node).ok());
        sealed.filter(|object| object.kind() == "SealedSecret").map(|object| open(&object)).collect()
    }
}

fn fingerprint() -> String {
    plan().certificate.details().public_key_sha256.clone()
}

/// Returns the ciphertext of a value for `ns/a`, strict.
fn ciphertext(label: &str, value: &str) -> String {
    let value = sealwave_secrets::values::SecretValue::new(value.as_bytes().to_vec());
    plan().certificate.seal_randomly(label.as_bytes(), &value).expect("sealed")
}

fn secret(items: &str) -> String {
    format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: a, namespace: ns}}\nstringData: {{{items}}}\n")
}

/// Removes every ciphertext, so that the rest can be compared.
fn without_ciphertexts(text: &str) -> String {
    let mut out = String::new();
    for part in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && !"+/=".contains(c)) {
        if part.len() > 200 {
            out.push('X');
            out.push_str(&part[part.len() - 1..]);
        } else {
            out.push_str(part);
        }
    }
    out
}

#[test]
fn items_are_added_and_replaced_and_everything_else_stays() {
    let (old, kept) = (ciphertext("ns/a", "old"), ciphertext("ns/a", "kept"));
    let block = format!(
        "# first line\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}  # not ours\n---\napiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n    name: a  # the name\n    namespace: \"ns\"\nspec:\n    encryptedData:\n        # why this is here\n        old: {old}\n        kept: '{kept}' # comment\n    template: {{type: Opaque}}\n# last line"
    );
    let flow = format!(
        "{{apiVersion: bitnami.com/v1alpha1, kind: SealedSecret, metadata: {{name: a, namespace: ns}}, spec: {{encryptedData: {{old: {old}, kept: {kept}}}}}}}\n"
    );
    let json = format!(
        "{{\n  \"apiVersion\": \"bitnami.com/v1alpha1\",\n  \"kind\": \"SealedSecret\",\n  \"metadata\": {{\"name\": \"a\", \"namespace\": \"ns\"}},\n  \"spec\": {{\"encryptedData\": {{\n    \"old\": \"{old}\",\n    \"kept\": \"{kept}\"\n  }}}}\n}}\n"
    );
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: bitnami.com/v1alpha1\n  kind: SealedSecret\n  metadata: {{name: other, namespace: ns}}\n  spec:\n    encryptedData:\n      x: {}\n- apiVersion: bitnami.com/v1alpha1\n  kind: SealedSecret\n  metadata: {{name: a, namespace: ns}}\n  spec:\n    encryptedData:\n      old: {old}\n      kept: {kept}\n",
        ciphertext("ns/other", "x")
    );
    for text in [block.replace('\n', "\r\n"), block, flow, json, list] {
        let file = CommittedFile::new(&text);
        let notes = file.merge(&secret("old: new, added: '1'"), &SealTarget::default());
        assert_eq!(notes, Ok(Vec::new()), "{text}");
        let after = file.text();
        let expected = items(&[("added", b"1"), ("kept", b"kept"), ("old", b"new")]);
        assert_eq!(file.opened().last(), Some(&expected), "{after}");
        assert!(after.contains(&kept), "{after}");
        // The added item is the only other difference.
        let (before, after) = (without_ciphertexts(&text), without_ciphertexts(&after));
        let shorter = similar::TextDiff::from_words(&before, &after);
        for change in shorter.iter_all_changes() {
            assert_ne!(change.tag(), similar::ChangeTag::Delete, "{:?}\n{after}", change.value());
            if change.tag() == similar::ChangeTag::Insert {
                let inserted = change.value().trim_matches(|c: char| c.is_whitespace() || ",:\"".contains(c));
                assert!(["added", "X", ""].contains(&inserted), "{inserted:?}\n{after}");
            }
        }
    }
}

#[test]
fn items_get_the_scope_and_the_names_of_the_file() {
    for (annotation, namespace, label) in [
        ("", "namespace: ns", "ns/a"),
        ("annotations: {sealedsecrets.bitnami.com/namespace-wide: \"true\"}, ", "namespace: ns", "ns"),
        ("annotations: {sealedsecrets.bitnami.com/cluster-wide: \"true\"}, ", "namespace: ns", ""),
        ("annotations: {sealedsecrets.bitnami.com/cluster-wide: \"true\"}, ", "", ""),
    ] {
        let file = CommittedFile::new(&format!(
            "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {{{annotation}name: a, {namespace}}}\nspec:\n  encryptedData:\n    kept: {}\n",
            ciphertext(label, "kept")
        ));
        // Annotations and type of the Secret do not count.
        let wide = secret("added: v")
            .replace("name: a", "name: a, annotations: {sealedsecrets.bitnami.com/cluster-wide: \"true\"}");
        let notes =
            file.merge(&(wide + "type: kubernetes.io/tls\n"), &SealTarget::default()).expect("merged");
        assert_eq!(notes.len(), 1);
        assert_eq!(file.opened(), [items(&[("added", b"v"), ("kept", b"kept")])], "{annotation}");
    }
    // The namespace may come from where the file is used.
    let text = format!(
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {{name: a}}\nspec: {{encryptedData: {{kept: {}}}}}\n",
        ciphertext("ns/a", "kept")
    );
    let file = CommittedFile::new(&text);
    file.merge(&secret("added: v"), &SealTarget::default()).expect("merged");
    let without = secret("added: v").replace(", namespace: ns", "");
    let file = CommittedFile::new(&text);
    assert_eq!(
        file.merge(&without, &SealTarget::default()).unwrap_err(),
        "sealed.yaml:1: SealedSecret `a` has no namespace, which scope strict needs"
    );
    let namespace = SealTarget { namespace: Some("ns".to_owned()), ..SealTarget::default() };
    file.merge(&without, &namespace).expect("merged");
}

#[test]
fn our_annotation_never_claims_more_than_is_true() {
    let object = |annotation: &str| {
        format!(
            "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  name: a\n  namespace: ns\n{annotation}spec:\n  encryptedData:\n    one: {0}\n    two: {0}\n",
            ciphertext("ns/a", "x")
        )
    };
    let claim = |text: &str| format!("  annotations:\n    sealwave.dev/certificate: {text}\n");
    let own = format!("sha256:{}", fingerprint());
    for (annotation, items, expected) in [
        (String::new(), "one: v", None),
        (String::new(), "one: v, two: v", Some(own.as_str())),
        (claim(&own), "one: v", Some(own.as_str())),
        (claim("sha256:0123"), "one: v", Some("mixed")),
        (claim("sha256:0123"), "three: v", Some("mixed")),
        (claim("sha256:0123"), "one: v, two: v, three: v", Some(own.as_str())),
        (claim("mixed"), "one: v", Some("mixed")),
    ] {
        let file = CommittedFile::new(&object(&annotation));
        file.merge(&secret(items), &SealTarget::default()).expect("merged");
        let text = file.text();
        let found = text.lines().find_map(|line| line.trim().strip_prefix("sealwave.dev/certificate: "));
        assert_eq!(found.map(|claim| claim.trim_matches('"')), expected, "{annotation}{items}\n{text}");
    }
}

#[test]
fn a_file_without_exactly_one_fitting_object_is_refused_and_unchanged() {
    let object = |metadata: &str| {
        format!(
            "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {{{metadata}}}\nspec: {{encryptedData: {{}}}}\n"
        )
    };
    let wide = SealTarget { scope: Some(SealingScope::ClusterWide), ..SealTarget::default() };
    let named = SealTarget { name: Some("b".to_owned()), ..SealTarget::default() };
    for (text, flags, expected) in [
        (
            object("name: b, namespace: ns"),
            SealTarget::default(),
            "in.yaml:1:1: `sealed.yaml` has no SealedSecret `a`",
        ),
        (
            object("name: a, namespace: m"),
            SealTarget::default(),
            "in.yaml:1:1: `sealed.yaml` has no SealedSecret `a` in namespace `ns`",
        ),
        (object("name: a, namespace: ns"), named, "in.yaml:1:1: `sealed.yaml` has no SealedSecret `b`"),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n".to_owned(),
            SealTarget::default(),
            "in.yaml:1:1: `sealed.yaml` has no SealedSecret",
        ),
        (String::new(), SealTarget::default(), "in.yaml:1:1: `sealed.yaml` has no SealedSecret"),
        (
            object("name: a, namespace: ns") + "---\n" + &object("name: a, namespace: ns"),
            SealTarget::default(),
            "sealed.yaml:1: `sealed.yaml` has several SealedSecrets that fit `a`",
        ),
        (
            object("name: a, namespace: ns") + "---\n" + &object("name: a"),
            SealTarget::default(),
            "sealed.yaml:1: `sealed.yaml` has several SealedSecrets that fit `a`",
        ),
        (
            object("name: a, namespace: ns"),
            wide,
            "sealed.yaml:1: SealedSecret `a` has scope strict, but `--scope cluster-wide` was given",
        ),
        ("a: [\n".to_owned(), SealTarget::default(), "sealed.yaml:2:1: "),
    ] {
        let file = CommittedFile::new(&text);
        let message = file.merge(&secret(&format!("k: {MARKER}")), &flags).expect_err("refused");
        assert!(message.starts_with(expected), "{message}\nexpected: {expected}");
        assert!(!message.contains(MARKER));
        assert_eq!(file.text(), text);
    }
    // Two Secrets for one object.
    let file = CommittedFile::new(&object("name: a, namespace: ns"));
    let twice = format!("{}---\n{}", secret("x: '1'"), secret("z: '2'"));
    assert!(file.merge(&twice, &SealTarget::default()).unwrap_err().contains("already defined"));
    let file =
        CommittedFile::new(&(object("name: a, namespace: ns") + "---\n" + &object("name: b, namespace: ns")));
    let both = format!("{}---\n{}", secret("x: '1'"), secret("z: '2'").replace("name: a", "name: b"));
    file.merge(&both, &SealTarget::default()).expect("merged");
    assert_eq!(file.opened(), [items(&[("x", b"1")]), items(&[("z", b"2")])]);
}

#[test]
fn a_secret_never_gets_larger_than_kubernetes_allows() {
    let half = "x".repeat(600_000);
    let file = CommittedFile::new(&format!(
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {{name: a, namespace: ns}}\nspec:\n  encryptedData:\n    old: {}\n",
        ciphertext("ns/a", &half)
    ));
    let before = file.text();
    let message = file.merge(&secret(&format!("new: {half}")), &SealTarget::default()).unwrap_err();
    let expected =
        "sealed.yaml:1: SealedSecret `a` would have 1200000 bytes of data; Kubernetes allows at most 1048576";
    assert_eq!(message, expected);
    assert_eq!(file.text(), before);
    // It may be replaced by another one.
    file.merge(&secret(&format!("old: {half}, new: v")), &SealTarget::default()).expect("merged");
}

#[test]
fn values_of_flags_are_merged_into_the_only_object() {
    let file = CommittedFile::new(&format!(
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {{name: a, namespace: ns}}\nspec:\n  encryptedData:\n    kept: {}\n",
        ciphertext("ns/a", "kept")
    ));
    let into = MergeTarget::read(&file.path()).expect("readable");
    let selected = into.select(&SealTarget::default()).expect("one");
    let literals = ["added=v".to_owned()];
    let flags = ValueFlags { literals: &literals, ..ValueFlags::default() };
    let values = flags.read(&b""[..], &mut Vec::new()).expect("read");
    let sealed = PlainSecrets::from_values(&values, &selected.target)
        .and_then(|secrets| secrets.seal(plan(), &mut Vec::new()));
    file.apply(&into, &[selected], &sealed.expect("sealed")).expect("merged");
    assert_eq!(file.opened(), [items(&[("added", b"v"), ("kept", b"kept")])]);
}

#[cfg(unix)]
#[test]
fn links_and_pipes_are_not_changed() {
    let file = CommittedFile::new("x: 1\n");
    let link = file.directory.path().join("link.yaml");
    fs_err::os::unix::fs::symlink("sealed.yaml", &link).expect("a link");
    let error = MergeTarget::read(&link).err().expect("refused");
    assert!(error.to_string().ends_with("link.yaml` is a symbolic link"), "{error}");
    let error = MergeTarget::read(std::path::Path::new("/dev/zero")).err().expect("refused");
    assert!(error.to_string().contains("not a regular file"), "{error}");
}

#[test]
fn items_of_other_keys_that_stay_are_reported() {
    let other = format!("sha256:{}", "ab".repeat(32));
    let own = format!("sha256:{}", fingerprint());
    let merged = |claim: &str, secrets: &str| {
        // A wrapped key that is not below the modulus.
        let item = STANDARD.encode([&[1, 0x80][..], &[0xff; 384], &[0; 20]].concat());
        let annotations = format!("annotations: {{sealwave.dev/certificate: '{claim}'}}");
        let file = CommittedFile::new(&format!(
            "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {{name: a, namespace: ns, {annotations}}}\nspec: {{encryptedData: {{old: '{item}'}}}}\n"
        ));
        let into = MergeTarget::read(&file.path()).expect("readable");
        let mut notes = Vec::new();
        let (plain, selected) =
            PlainSecrets::read_for_merge(&input(secrets), &SealTarget::default(), &into, &mut notes)
                .expect("fits");
        let sealed = plain.seal(plan(), &mut notes).expect("sealed");
        let merged = into.merge(&file.path(), &selected, &sealed, &plan().certificate).expect("merged");
        merged.notes.into_iter().map(|note| note.problem.message).collect::<Vec<_>>()
    };
    let message = |keys: &str| {
        vec![format!("1 other item of SealedSecret `a` is sealed for {keys}, not for this certificate")]
    };
    let added = secret("added: v");
    assert_eq!(merged(&other, &added), message("key sha256:abababababab…"));
    assert_eq!(merged("mixed", &added), message("another key"));
    // Not a fingerprint, so the ciphertext decides.
    assert_eq!(merged("sha256:x", &added), message("another key"));
    assert_eq!(merged(&own, &added), Vec::<String>::new());
    assert_eq!(merged(&other, &secret("old: v")), Vec::<String>::new(), "nothing stays");
}
