//! A rotation against a stub of a cluster with a controller: from the start, after each interruption, and what it must wait for.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use sealwave_providers::ClusterClient;
use sealwave_secrets::crypto::{CONTROLLER_KEY_LABEL, certificate_of_key_secret};
use sealwave_testkit::stub_server::{RecordedRequest, StubReply};

use std::time::Duration;

use super::*;
use crate::backup::BackupTarget;
use crate::clock::{Clock as _, ManualClock};
use crate::controller::Controller;
use crate::controller::ControllerNames;
use crate::progress::HiddenProgress;
use crate::state::{Journal, OperationId, StateDirectory};
use crate::testing::{StubCluster, sealed_secrets_file};
use sealwave_core::diagnostic::Failure;
use sealwave_secrets::crypto::Certificate;

const NAMESPACE: &str = "/api/v1/namespaces/kube-system";
/// After the start of the certificates in `testdata`.
const NOW: u64 = 1_800_000_000;

/// A cluster with a controller.
struct FakeCluster {
    secrets: BTreeMap<String, Json>,
    /// The Secrets that the controller has read.
    loaded: Vec<String>,
    /// Whether it reads new ones at once.
    watches: bool,
    restarts: u32,
    sealed_secrets: Json,
    /// Whether the response to the first creation is lost.
    loses_response: bool,
}

impl FakeCluster {
    fn new(watches: bool) -> Self {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": {"name": "old", "namespace": "kube-system", "labels": {CONTROLLER_KEY_LABEL: "active"}},
            "data": {
                "tls.crt": STANDARD.encode(sealed_secrets_file("rsa2048.crt")),
                "tls.key": STANDARD.encode(sealed_secrets_file("rsa2048.key")),
            },
        });
        Self {
            secrets: BTreeMap::from([("old".to_owned(), secret)]),
            loaded: vec!["old".to_owned()],
            watches,
            restarts: 0,
            loses_response: false,
            sealed_secrets: json!([{
                "metadata": {"name": "db", "namespace": "shop", "generation": 2},
                "status": {"observedGeneration": 2, "conditions": [{"type": "Synced", "status": "True"}]},
            }]),
        }
    }

    fn answer(&mut self, asked: &RecordedRequest) -> StubReply {
        let ok = |json: Json| StubReply::json(200, json.to_string());
        let path = asked.target.split('?').next().unwrap_or_default();
        let secret = path.strip_prefix(&format!("{NAMESPACE}/secrets/"));
        match (asked.method.as_str(), path) {
            ("GET", path) if path == format!("{NAMESPACE}/services/sealed-secrets") => ok(
                json!({"kind": "Service", "spec": {"ports": [{"name": "http"}], "selector": {"app": "ss"}}}),
            ),
            ("GET", path) if path.ends_with("/proxy/v1/cert.pem") => StubReply::json(200, self.published()),
            ("GET", path) if path == format!("{NAMESPACE}/secrets") => {
                let items: Vec<Json> =
                    self.secrets.values().map(|secret| json!({"metadata": secret["metadata"]})).collect();
                ok(json!({"kind": "PartialObjectMetadataList", "items": items}))
            }
            ("GET", _) if secret.is_some_and(|name| self.secrets.contains_key(name)) => {
                ok(self.secrets[secret.unwrap_or_default()].clone())
            }
            ("POST", path) if path == format!("{NAMESPACE}/secrets") => {
                let secret: Json = serde_json::from_str(&asked.body).expect("JSON");
                let name = secret["metadata"]["name"].as_str().expect("a name").to_owned();
                if self.secrets.contains_key(&name) {
                    assert!(std::mem::take(&mut self.loses_response), "created twice");
                    return StubReply::json(409, "CANARY");
                }
                self.secrets.insert(name.clone(), secret);
                self.loaded.extend(self.watches.then_some(name));
                if self.loses_response {
                    return StubReply::json(500, "");
                }
                StubReply::json(201, json!({"kind": "PartialObjectMetadata"}).to_string())
            }
            ("GET", "/apis/apps/v1/namespaces/kube-system/deployments") => ok(json!({
                "kind": "DeploymentList",
                "items": [
                    {"metadata": {"name": "other"}, "spec": {"template": {"metadata": {"labels": {"app": "x"}}}}},
                    {"metadata": {"name": "ss"}, "spec": {"template": {"metadata": {"labels": {"app": "ss", "v": "1"}}}}},
                ],
            })),
            ("PATCH", "/apis/apps/v1/namespaces/kube-system/deployments/ss") => {
                assert!(asked.body.contains("kubectl.kubernetes.io/restartedAt"), "{}", asked.body);
                self.restart();
                ok(json!({"kind": "PartialObjectMetadata"}))
            }
            ("GET", "/apis/bitnami.com/v1alpha1/sealedsecrets") => {
                ok(json!({"kind": "SealedSecretList", "items": self.sealed_secrets}))
            }
            _ => StubReply::json(404, "CANARY"),
        }
    }

    /// Lets the controller read its Secrets again.
    fn restart(&mut self) {
        self.restarts += 1;
        self.loaded = self.secrets.keys().cloned().collect();
    }

    /// Returns the certificate that starts last, of those that the controller has read.
    fn published(&self) -> String {
        let certificates = self.loaded.iter().filter_map(|name| {
            certificate_of_key_secret(self.secrets[name]["data"]["tls.crt"].as_str()?).ok()
        });
        let newest = certificates.max_by_key(Certificate::not_before);
        newest.map_or_else(|| "CANARY".to_owned(), |newest| newest.to_pem())
    }
}

/// The files of a rotation: what was pinned, and how often files were sealed.
#[derive(Default)]
struct FakeFiles {
    pinned: RefCell<Vec<String>>,
    resealed: Cell<u32>,
    waits: bool,
}

impl KeyRotationFiles for FakeFiles {
    fn pin(&self, certificate: &Certificate) -> Result<(), Failure> {
        self.pinned.borrow_mut().push(certificate.details().public_key_sha256.clone());
        Ok(())
    }

    fn reseal(&self, _: &Controller<'_>, _: &Certificate) -> Result<ResealStep, Failure> {
        self.resealed.set(self.resealed.get() + 1);
        Ok(if self.waits {
            ResealStep::Waiting { until: "the merge".to_owned(), lines: vec![] }
        } else {
            ResealStep::Done(vec!["re-sealed 3 files".to_owned()])
        })
    }

    fn describe(&self) -> String {
        "re-seal 3 files".to_owned()
    }
}

/// A rotation with everything around it.
struct RotationSetup {
    cluster: Arc<Mutex<FakeCluster>>,
    stub: StubCluster,
    directory: tempfile::TempDir,
    files: FakeFiles,
    settings: KeyRotationSettings,
    clock: ManualClock,
}

impl RotationSetup {
    fn new(watches: bool, restart: bool) -> Self {
        let cluster = Arc::new(Mutex::new(FakeCluster::new(watches)));
        let served = Arc::clone(&cluster);
        let stub = StubCluster::start(move |asked, _| served.lock().expect("not poisoned").answer(asked));
        let directory = tempfile::tempdir().expect("a directory");
        let settings = KeyRotationSettings {
            backup: BackupTarget::File { path: directory.path().to_owned(), recipients: Vec::new() },
            method: NewKeyMethod::Secret,
            key_bits: 2048,
            restart,
            wait: Duration::from_secs(20),
            applications: Vec::new(),
            pinned: None,
        };
        Self { cluster, stub, directory, files: FakeFiles::default(), settings, clock: ManualClock::at(NOW) }
    }

    fn cluster(&self) -> MutexGuard<'_, FakeCluster> {
        self.cluster.lock().expect("not poisoned")
    }

    fn journal(&self) -> Journal<KeyRotationState> {
        let state = StateDirectory::open(&self.directory.path().join("state")).expect("a directory");
        state.journal(OperationId::new("rotate-controller-key", ["c"])).expect("free")
    }

    fn with<T>(
        &self,
        reach: &dyn Fn(&'static str) -> Result<(), KeyRotationError>,
        work: impl FnOnce(&ControllerKeyRotation<'_>) -> T,
    ) -> T {
        let client: ClusterClient = self.stub.connect();
        let controller = ControllerNames::default().find(&client).expect("found");
        work(&ControllerKeyRotation {
            controller: &controller,
            settings: &self.settings,
            files: &self.files,
            clock: &self.clock,
            progress: &HiddenProgress,
            reach,
        })
    }

    fn run(&self) -> Result<KeyRotationReport, KeyRotationError> {
        self.with(&|_| Ok(()), |rotation| rotation.run(self.journal()))
    }

    /// Checks that no file but the backups holds a part of a private key.
    fn check_journal(&self) {
        let keys: Vec<String> =
            self.cluster().secrets.values().map(|secret| secret["data"]["tls.key"].to_string()).collect();
        for file in fs_err::read_dir(self.directory.path().join("state")).expect("readable") {
            let text = fs_err::read_to_string(file.expect("readable").path()).expect("text");
            assert!(
                !text.contains("PRIVATE") && keys.iter().all(|key| !text.contains(&key[100..140])),
                "{text}"
            );
        }
    }

    fn backups(&self) -> Vec<std::path::PathBuf> {
        let files = fs_err::read_dir(self.directory.path()).expect("readable");
        let mut files: Vec<_> =
            files.map(|file| file.expect("readable").path()).filter(|path| path.is_file()).collect();
        files.sort();
        files
    }

    /// Checks the end state: one new key, which the controller uses, and a complete backup of the old one.
    fn check_complete(&self) {
        let cluster = self.cluster();
        assert_eq!(cluster.secrets.len(), 2, "exactly one new key");
        assert!(cluster.secrets.contains_key("old"), "old keys stay");
        let published = Certificate::from_pem(cluster.published().as_bytes()).expect("a certificate");
        let old =
            Certificate::from_pem(sealed_secrets_file("rsa2048.crt").as_bytes()).expect("a certificate");
        assert_ne!(published.public_key_sha256(), old.public_key_sha256());
        assert_eq!(self.files.pinned.borrow().last(), Some(&published.details().public_key_sha256));
        let journals = fs_err::read_dir(self.directory.path().join("state")).expect("readable");
        let names: Vec<_> = journals.map(|file| file.expect("readable").path()).collect();
        assert!(names.iter().all(|path| path.extension().is_some_and(|end| end == "lock")), "{names:?}");
        let (new, old): (Vec<_>, Vec<_>) =
            self.backups().into_iter().partition(|file| file.to_string_lossy().contains("-new"));
        check_backup(old.last().expect("a backup"));
        let list: Json =
            serde_json::from_slice(&fs_err::read(new.last().expect("a backup")).expect("readable"))
                .expect("JSON");
        let backed_up = list["items"][0]["data"]["tls.crt"].as_str().expect("a certificate");
        let backed_up = certificate_of_key_secret(backed_up).expect("a certificate");
        assert_eq!(backed_up.public_key_sha256(), published.public_key_sha256());
    }
}

fn check_backup(file: &Path) {
    let list: Json = serde_json::from_slice(&fs_err::read(file).expect("readable")).expect("JSON");
    assert_eq!(list["kind"], "List");
    assert_eq!(list["items"][0]["metadata"]["labels"][CONTROLLER_KEY_LABEL], "active");
    let key = list["items"][0]["data"]["tls.key"].as_str().expect("a key");
    assert_eq!(STANDARD.decode(key).expect("base64"), sealed_secrets_file("rsa2048.key").as_bytes());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs_err::metadata(file).expect("exists").permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_controller_that_watches_its_secrets_needs_no_restart() {
    let setup = RotationSetup::new(true, true);
    let report = setup.run().expect("done");
    assert_eq!(report.end, KeyRotationEnd::Done, "{report:?}");
    assert_eq!(setup.cluster().restarts, 0);
    assert!(report.lines.iter().any(|line| line == "unsealed at the present generation: 1 SealedSecret"));
    setup.check_complete();
}

#[test]
fn a_controller_is_restarted_with_consent_only() {
    let setup = RotationSetup::new(false, true);
    assert_eq!(setup.run().expect("done").end, KeyRotationEnd::Done);
    assert_eq!(setup.cluster().restarts, 1);
    setup.check_complete();

    let setup = RotationSetup::new(false, false);
    let report = setup.run().expect("a report");
    assert!(matches!(report.end, KeyRotationEnd::Waiting(_)));
    assert_eq!(
        report.lines.last().expect("a line"),
        "run: kubectl -n kube-system rollout restart deployment/ss"
    );
    assert_eq!((setup.cluster().restarts, setup.files.resealed.get()), (0, 0));
    setup.cluster().restart();
    assert_eq!(setup.run().expect("done").end, KeyRotationEnd::Done);
    setup.check_complete();
}

#[test]
fn a_run_that_ends_at_any_point_is_continued() {
    for point in KEY_ROTATION_POINTS {
        let setup = RotationSetup::new(true, false);
        let reach =
            |reached| if reached == point { Err(KeyRotationError::Interrupted(point)) } else { Ok(()) };
        let error = setup.with(&reach, |rotation| rotation.run(setup.journal())).expect_err(point);
        assert!(matches!(error, KeyRotationError::Interrupted(_)), "{point}: {error}");
        setup.check_journal();
        setup.clock.wait(Duration::from_mins(1));
        assert_eq!(setup.run().expect("done").end, KeyRotationEnd::Done, "{point}");
        setup.check_complete();
    }
}

#[test]
fn a_lost_response_makes_no_second_key() {
    let setup = RotationSetup::new(true, false);
    setup.cluster().loses_response = true;
    assert_eq!(setup.run().expect("done").end, KeyRotationEnd::Done);
    assert!(!setup.cluster().loses_response, "the creation was tried twice");
    setup.check_complete();
}

#[test]
fn a_backup_of_a_killed_run_is_not_replaced() {
    let setup = RotationSetup::new(true, false);
    let reach =
        |reached| if reached == "start-recorded" { Err(KeyRotationError::Interrupted("x")) } else { Ok(()) };
    setup.with(&reach, |rotation| rotation.run(setup.journal())).expect_err("interrupted");
    let half = setup.directory.path().join(format!("controller-keys-{NOW}.json"));
    fs_err::write(&half, "half").expect("written");
    setup.clock.wait(Duration::from_mins(1));
    assert_eq!(setup.run().expect("done").end, KeyRotationEnd::Done);
    assert_eq!(fs_err::read(&half).expect("readable"), b"half");
    fs_err::remove_file(&half).expect("removed");
    assert_eq!(setup.backups().len(), 2, "the old key and the new one");
    setup.check_complete();
}

#[test]
fn files_that_wait_for_a_merge_are_continued() {
    let mut setup = RotationSetup::new(true, false);
    setup.files.waits = true;
    assert_eq!(setup.run().expect("a report").end, KeyRotationEnd::Waiting("the merge".to_owned()));
    assert_eq!(setup.run().expect("a report").end, KeyRotationEnd::Waiting("the merge".to_owned()));
    setup.files.waits = false;
    assert_eq!(setup.run().expect("done").end, KeyRotationEnd::Done);
    assert_eq!(setup.cluster().secrets.len(), 2);
    assert_eq!(setup.backups().len(), 2, "each key is backed up once");
}

#[test]
fn a_sealed_secret_that_is_not_unsealed_is_awaited() {
    let mut setup = RotationSetup::new(true, false);
    setup.files.waits = true;
    setup.run().expect("a report");
    setup.files.waits = false;
    setup.cluster().sealed_secrets[0]["status"]["observedGeneration"] = 1.into();
    let report = setup.run().expect("a report");
    assert!(matches!(report.end, KeyRotationEnd::Waiting(_)));
    assert_eq!(report.lines.last().expect("a line"), "not unsealed: 1 of 1 SealedSecret: `shop/db`");
    setup.cluster().sealed_secrets[0]["status"]["observedGeneration"] = 2.into();
    assert_eq!(setup.run().expect("done").end, KeyRotationEnd::Done);
    assert_eq!(setup.files.resealed.get(), 2);
}

#[test]
fn a_sealed_secret_that_was_wrong_before_is_not_awaited() {
    let setup = RotationSetup::new(true, false);
    setup.cluster().sealed_secrets[0]["status"] = Json::Null;
    let report = setup.run().expect("done");
    assert_eq!(report.end, KeyRotationEnd::Done);
    let line = "not unsealed before either: 1 SealedSecret: `shop/db`";
    assert!(report.lines.iter().any(|found| found == line), "{report:?}");
}

#[test]
fn a_renewal_by_the_controller_is_followed() {
    let mut setup = RotationSetup::new(true, true);
    setup.settings.method = NewKeyMethod::Renewal;
    let report = setup.run().expect("a report");
    assert!(matches!(report.end, KeyRotationEnd::Waiting(_)));
    let command = report.lines.last().expect("a line");
    assert!(
        command
            .starts_with("run: kubectl -n kube-system set env deployment/ss SEALED_SECRETS_KEY_CUTOFF_TIME=")
    );
    assert_eq!(setup.cluster().secrets.len(), 1);
    assert_eq!(setup.cluster().restarts, 0);
    let mut renewed = setup.cluster().secrets["old"].clone();
    renewed["metadata"]["name"] = "renewed".into();
    let pair = sealwave_secrets::crypto::ControllerKeyPair::generate(crate::clock::from_unix(NOW), 2048)
        .expect("a key");
    renewed["data"]["tls.crt"] = STANDARD.encode(pair.certificate().to_pem()).into();
    setup.cluster().secrets.insert("renewed".to_owned(), renewed);
    setup.cluster().loaded.push("renewed".to_owned());
    assert_eq!(setup.run().expect("done").end, KeyRotationEnd::Done);
    setup.check_complete();
}

#[test]
fn a_new_key_is_newer_than_one_from_the_future() {
    let setup = RotationSetup::new(true, false);
    let future = crate::clock::from_unix(NOW + 1_000_000);
    let pair = sealwave_secrets::crypto::ControllerKeyPair::generate(future, 2048).expect("a key");
    let secret: Json = serde_json::from_slice(&pair.to_secret("kube-system", "future")).expect("JSON");
    setup.cluster().secrets.insert("future".to_owned(), secret);
    setup.cluster().loaded.push("future".to_owned());
    assert_eq!(setup.run().expect("done").end, KeyRotationEnd::Done);
    assert_eq!(setup.cluster().secrets.len(), 3);
}

#[test]
fn the_plan_says_what_is_done_and_how_it_is_undone() {
    let setup = RotationSetup::new(true, false);
    let human = setup.with(&|_| Ok(()), |rotation| {
        let facts = KeyFacts::read(rotation.controller).expect("facts");
        rotation.plan(&facts, None).human(true)
    });
    for text in [
        "rotate controller-key\n",
        "1, which all stay",
        "back up 1 key Secrets to `",
        "(in plaintext, mode 0600)",
        "stop with the command that restarts it",
        "  4. re-seal 3 files\n",
    ] {
        assert!(human.contains(text), "{text}\n---\n{human}");
    }
    assert!(!setup.backups().iter().any(|path| path.is_file()), "a plan changes nothing");
}

#[test]
fn nothing_is_begun_without_the_keys() {
    let setup = RotationSetup::new(true, false);
    setup.cluster().secrets.get_mut("old").expect("one")["data"] = json!({});
    let error = setup.run().expect_err("no certificate");
    assert!(
        matches!(error, KeyRotationError::Controller(_) | KeyRotationError::KeyUnreadable { .. }),
        "{error}"
    );
    assert_eq!(setup.cluster().secrets.len(), 1);
    assert!(setup.backups().is_empty());
}
