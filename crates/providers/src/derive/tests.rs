//! Tests who gets which secret, how a reference is spelled, epochs, and key files.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use sealwave_core::diagnostic::Explain as _;
use tempfile::TempDir;

use super::*;
use crate::testing::{self, BytesResult, all_keys, is_denied, is_invalid, is_unreachable, reference};
use crate::{AppDetails, EnvLookup, LocalContext, ProviderSettings};

const KEY: &str = "sealwave-derivation-key-v1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
const BYTES: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
const OTHER: &str = "sealwave-seal-key-v1:R8L4aVvT0oX3mZ1q9pYc5wJ7bKdE2fHnU6sGiQrAtWk=";

/// The owner of the vector `base` in `testdata/sealing/derived-secrets.jsonl`.
fn owner() -> PolicySubject {
    PolicySubject {
        project: "shop".to_owned(),
        app: "shop-prod".to_owned(),
        namespace: "shop".to_owned(),
        environment: "prod".to_owned(),
        repository: "https://example.com/shop".to_owned(),
    }
}

/// A directory with a key file, and the settings of a provider.
struct Operator {
    dir: TempDir,
    settings: DeriveSettings,
    protected: ProtectedFiles,
}

impl Operator {
    fn new(key: impl AsRef<[u8]>) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        fs_err::write(dir.path().join("key"), key).expect("written");
        Self { dir, settings: settings(""), protected: ProtectedFiles::default() }
    }

    fn with_epochs(self, epochs: &str) -> Self {
        Self { settings: settings(&format!("\nepochs: {epochs}")), ..self }
    }

    fn provider(&self, subject: PolicySubject) -> Result<Box<dyn Provider>, SettingsError> {
        let environment: EnvLookup = std::sync::Arc::new(|_| None);
        let app = AppDetails { subject, ..testing::app(self.dir.path()) };
        let (operator_dir, protected) = (self.dir.path(), &self.protected);
        let context = ProviderContext { operator_dir, protected, app: &app, environment: &environment };
        self.settings.create("derive", &context)
    }

    fn fetch(&self, subject: PolicySubject, reference: &SecretReference) -> FetchResult {
        let provider = self.provider(subject).expect("valid settings");
        provider.fetch(&[reference], Instant::now() + Duration::from_mins(1)).remove(0)
    }

    fn get(&self, subject: PolicySubject, source: &str) -> BytesResult {
        testing::bytes(vec![self.fetch(subject, &reference(&format!("derive:{source}")))]).remove(0)
    }

    fn problems(&self) -> Vec<String> {
        let environment: EnvLookup = std::sync::Arc::new(|_| None);
        let (operator_dir, protected) = (self.dir.path(), &self.protected);
        let context = LocalContext { operator_dir, protected, environment: &environment };
        let problems = self.settings.offline_problems(&context);
        assert!(problems.iter().all(|problem| problem.hint().is_some()));
        problems.iter().map(ToString::to_string).collect()
    }
}

fn settings(more: &str) -> DeriveSettings {
    yaml_serde::from_str(&format!("keyFile: key{more}")).expect("settings")
}

#[test]
fn the_secret_is_the_published_one() {
    let value = Operator::new(KEY).get(owner(), "db/password#alnum:32");
    assert_eq!(value.expect("a secret"), b"3gm2oD4g5RAcPHCOCTsx4L1hSdWsCrT7");
}

/// The attack: an app with the same files, under another name, in another project, namespace or environment.
#[test]
fn no_other_app_gets_the_same_secret() {
    let operator = Operator::new(KEY);
    let base = owner();
    let text = |text: &str| text.to_owned();
    let mut all = vec![base.clone()];
    all.extend([
        PolicySubject { project: text("payments"), ..base.clone() },
        PolicySubject { app: text("shop-dev"), ..base.clone() },
        PolicySubject { app: text("team-a_shop-prod"), ..base.clone() },
        PolicySubject { app: text("Shop-prod"), ..base.clone() },
        PolicySubject { app: text("ѕhop-prod"), ..base.clone() },
        PolicySubject { namespace: text("shop-2"), ..base.clone() },
        PolicySubject { environment: text("dev"), ..base.clone() },
        PolicySubject { environment: text("prod "), ..base.clone() },
        PolicySubject { environment: text("prod\n"), ..base.clone() },
        // The same characters, split at another position.
        PolicySubject { project: text("shopshop"), namespace: text("-"), ..base.clone() },
        PolicySubject { namespace: text("shopshop"), app: text("-prod"), ..base.clone() },
        PolicySubject { app: text("shop-prodprod"), environment: text("/"), ..base.clone() },
    ]);
    let secrets: BTreeSet<Vec<u8>> = all
        .iter()
        .map(|subject| operator.get(subject.clone(), "db/password#alnum:32").expect("a secret"))
        .collect();
    assert_eq!(secrets.len(), all.len());
    // The repository is not an input: moving it must not replace passwords.
    let moved = PolicySubject { repository: String::new(), ..base.clone() };
    assert_eq!(operator.get(moved, "db/password#alnum:32"), operator.get(base, "db/password#alnum:32"));
}

#[test]
fn an_app_that_argo_cd_does_not_describe_gets_nothing() {
    let operator = Operator::new(KEY);
    for (part, subject) in [
        ("project", PolicySubject { project: String::new(), ..owner() }),
        ("app", PolicySubject { app: String::new(), ..owner() }),
        ("destination namespace", PolicySubject { namespace: String::new(), ..owner() }),
        ("environment", PolicySubject { environment: String::new(), ..owner() }),
    ] {
        let answer = operator.get(subject, "db/password#alnum:32");
        assert!(is_denied(&answer), "{part}");
        assert!(answer.expect_err("denied").to_string().contains(&format!("the {part} of the app")));
    }
}

#[test]
fn a_path_has_one_spelling() {
    let operator = Operator::new(KEY);
    for path in [
        "db//password",
        "/db/password",
        "db/password/",
        "db/./password",
        "db/../db/password",
        "db/.hidden",
        "db\\password",
        "db/p%61ssword",
        "db/раssword",
        "ｄb/password",
        "db/pass\u{200b}word",
        "db/passwo\u{308}rd",
        "db/pass word",
        "db/\u{1b}[2J",
        "db:password",
        &"a".repeat(513),
    ] {
        let answer = operator.get(owner(), &format!("{path}#alnum:32"));
        assert!(is_invalid(&answer), "{path}: {answer:?}");
        assert!(!answer.expect_err("invalid").to_string().contains(path));
    }
    let get = |path: &str| operator.get(owner(), &format!("{path}#alnum:32")).expect("a secret");
    assert_ne!(get("db/password"), get("DB/password"));
    assert_ne!(get("db/password"), get("db/password-2"));
    assert_eq!(get(&"a".repeat(512)).len(), 32);
}

#[test]
fn alphabet_and_length_have_one_spelling() {
    let operator = Operator::new(KEY);
    for (key, expected) in [
        ("Alnum:32", "did you mean `alnum`?"),
        ("alnumm:32", "did you mean `alnum`?"),
        ("base64:32", "did you mean `base64url`?"),
        ("xyz:32", "alphabets are `alnum`, `ascii`, `base64url`, `hex`"),
        ("alnum", "write `#alnum:32`"),
        ("password", "alphabets are"),
        (":32", "alphabets are"),
    ] {
        let error = operator.get(owner(), &format!("db/password#{key}")).expect_err(key);
        let hint = error.hint().expect("a hint");
        assert!(hint.contains(expected), "{key}: {error}; {hint}");
    }
    for length in
        ["", "0", "7", "1025", "032", "+32", "-32", "32 ", " 32", "3_2", "٣٢", "32:32", "4294967328"]
    {
        let error = operator.get(owner(), &format!("db/password#alnum:{length}")).expect_err(length);
        assert!(error.to_string().contains("whole number from 8 to 1024"), "{length}: {error}");
    }
    for (key, length) in [("hex:8", 8), ("ascii:1024", 1024), ("base64url:43", 43)] {
        assert_eq!(operator.get(owner(), &format!("db/password#{key}")).expect("a secret").len(), length);
    }
    for source in ["derive:db/password", "derive:db/password#alnum:32#1", "derive:db/password##1"] {
        assert!(operator.fetch(owner(), &reference(source)).is_err(), "{source}");
    }
    assert!(operator.fetch(owner(), &all_keys("derive:db/password")).is_err());
}

#[test]
fn the_first_matching_epoch_applies_and_is_the_version() {
    let plain = Operator::new(KEY);
    let epochs = "[{paths: [db/root, 'cache/**'], epoch: 3}, {paths: ['db/*'], epoch: 2}, {paths: ['db/*'], epoch: 9}]";
    let operator = Operator::new(KEY).with_epochs(epochs);
    for (path, epoch) in [
        ("db/root", "3"),
        ("db/password", "2"),
        ("DB/password", "0"),
        ("db/a/b", "0"),
        ("db", "0"),
        ("cache/a/b", "3"),
    ] {
        let reference = reference(&format!("derive:{path}#alnum:32"));
        let (with, without) = (operator.fetch(owner(), &reference), plain.fetch(owner(), &reference));
        let (with, without) = (with.expect("a secret"), without.expect("a secret"));
        assert_eq!(with.version.as_deref(), Some(epoch), "{path}");
        assert_eq!(with.value == without.value, epoch == "0", "{path}");
    }
}

#[test]
fn bad_epochs_are_refused() {
    for (epochs, expected) in [
        ("[{paths: [], epoch: 1}]", "`paths` of `epochs[0]` is empty, so the epoch applies to no path"),
        ("[{paths: ['[a'], epoch: 1}]", "`[a` is not a valid glob"),
    ] {
        let error = Operator::new(KEY).with_epochs(epochs).provider(owner()).err().expect("an error");
        assert_eq!(error.to_string(), expected);
    }
    let entries =
        ["{paths: [a], epoch: -1}", "{paths: [a]}", "{paths: [a], epoch: 4294967296}", "{epoch: 1}"];
    for entry in entries {
        let text = format!("keyFile: key\nepochs: [{entry}]");
        assert!(yaml_serde::from_str::<DeriveSettings>(&text).is_err(), "{entry}");
    }
}

#[test]
fn a_key_file_that_cannot_be_used_is_found_before_a_run() {
    for (content, expected) in [
        ("", "key has 0 bytes, fewer than 32"),
        ("hunter2-hunter2-hunter2-hunter2!", "key is plain text"),
        (OTHER, "file holds a seal key, not a derivation key"),
        (&KEY[..50], "key starts with `sealwave-derivation-key-v1:` but is damaged"),
    ] {
        let operator = Operator::new(content);
        let problems = operator.problems();
        let [problem] = &problems[..] else { panic!("{problems:?}") };
        assert!(problem.starts_with("`key`: ") && problem.contains(expected), "{problem}");
        let answer = operator.get(owner(), "db/password#alnum:32");
        assert!(is_unreachable(&answer));
        assert!(answer.expect_err("no key").to_string().contains(expected));
    }
    assert!(Operator::new(KEY).problems().is_empty());
    let missing = Operator::new(KEY);
    fs_err::remove_file(missing.dir.path().join("key")).expect("removed");
    assert!(missing.problems().is_empty(), "found for all kinds alike");
    assert!(is_unreachable(&missing.get(owner(), "db/password#alnum:32")));
}

#[test]
fn the_seal_key_and_the_checksum_key_are_refused() {
    for (setting, content) in [
        ("sealKeyFile", format!("sealwave-seal-key-v1:{BYTES}")),
        ("sealKeyFile", BYTES.to_owned()),
        ("checksumKeyFile", format!("sealwave-checksum-key-v1:{BYTES}\n")),
    ] {
        for own in [KEY, BYTES] {
            let mut operator = Operator::new(own);
            let path = operator.dir.path().join("other");
            fs_err::write(&path, &content).expect("written");
            match setting {
                "sealKeyFile" => operator.protected.seal_key = Some(path),
                _ => operator.protected.checksum_key = Some(path),
            }
            let expected = format!("`key` holds the key of `{setting}`");
            assert_eq!(operator.problems(), [expected.as_str()]);
            let answer = operator.get(owner(), "db/password#alnum:32");
            assert!(answer.expect_err("the same key").to_string().contains(&expected));
        }
    }
    let mut same_file = Operator::new(BYTES);
    same_file.protected.seal_key = Some(same_file.dir.path().join("key"));
    assert_eq!(same_file.problems(), ["`key` holds the key of `sealKeyFile`"]);
    let mut other = Operator::new(KEY);
    fs_err::write(other.dir.path().join("other"), OTHER).expect("written");
    other.protected.seal_key = Some(other.dir.path().join("other"));
    other.protected.checksum_key = Some(Path::new("/dev/zero").to_owned());
    assert!(other.problems().is_empty());
}
