//! Tests with sealed files in a Git checkout. They need Git, which `.ci/run` requires as well.

use std::path::Path;

use sealwave_secrets::SealingScope;
use sealwave_secrets::crypto::Certificate;
use sealwave_secrets::values::SecretValue;
use sealwave_testkit::{DangerPrivateKey, danger_unseal, git, repository_root};

use super::*;
use crate::sealed_files::SealedFile;
use crate::work_tree::{AllowedPaths, PushTarget};

const ITEMS: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

fn test_file(name: &str) -> String {
    fs::read_to_string(repository_root().join("testdata/sealed-secrets").join(name)).expect("readable")
}

fn certificate() -> Certificate {
    Certificate::from_pem(test_file("rsa2048.crt").as_bytes()).expect("a certificate")
}

fn sealed(app: &str, value: &str) -> String {
    let label = SealingScope::Strict.label(app, "aws");
    certificate().seal_randomly(&label, &SecretValue::new(value.as_bytes().to_vec())).expect("sealed")
}

/// A checkout with the sealed files of three apps.
struct SealedWorld {
    world: World,
    settings: Box<dyn Fn(&Path) -> SealedFilesSettings>,
}

impl SealedWorld {
    fn new() -> Self {
        let world = World::new();
        let root = world.directory.path().join("checkout");
        fs::create_dir(&root).expect("created");
        let remote = world.directory.path().join("remote.git").display().to_string();
        git(world.directory.path(), &["init", "--quiet", "--bare", &remote]);
        git(&root, &["init", "--quiet", "--initial-branch", "main"]);
        for (name, value) in
            [("user.name", "test"), ("user.email", "test@example.com"), ("remote.origin.url", &remote)]
        {
            git(&root, &["config", name, value]);
        }
        let created = Self { world, settings: Box::new(settings) };
        for app in ["fastapi", "mlflow"] {
            let items: Vec<String> =
                ITEMS.iter().map(|item| format!("    {item}: {}\n", sealed(app, "old"))).collect();
            created.write(
                app,
                &format!("{}{}    OTHER: {} # kept\n", head(app), items.concat(), sealed(app, "other")),
            );
        }
        created
            .write("airflow", &format!("{}    credentials: {}\n", head("airflow"), sealed("airflow", "old")));
        created.write("slack", &format!("{}    webhook: {}\n", head("slack"), sealed("slack", "old")));
        created.commit();
        git(&root, &["push", "--quiet", "origin", "main"]);
        git(&root, &["switch", "--quiet", "--create", "rotation"]);
        created
    }

    fn root(&self) -> PathBuf {
        self.world.directory.path().join("checkout")
    }

    fn path(&self, app: &str) -> PathBuf {
        self.root().join(format!("envs/dev/sealed-secrets/{app}/sealed-aws.yaml"))
    }

    fn write(&self, app: &str, text: &str) {
        let path = self.path(app);
        fs::create_dir_all(path.parent().expect("a directory")).expect("created");
        fs::write(path, text).expect("written");
    }

    fn read(&self, app: &str) -> String {
        fs::read_to_string(self.path(app)).expect("readable")
    }

    fn commit(&self) {
        git(&self.root(), &["add", "."]);
        git(&self.root(), &["commit", "--quiet", "-m", "change"]);
    }

    fn run(&self) -> Result<RotationReport, RotationError> {
        let state = StateDirectory::open(&self.world.directory.path().join("state")).expect("opened");
        let journal = state.journal(OperationId::new("rotate-aws-files", ["airflow", "dev"])).expect("free");
        let sink = SealedFilesSink::new((self.settings)(&self.root()), Some(journal))?;
        let sinks: [Box<dyn CredentialSink>; 1] = [Box::new(sink)];
        let rotation = KeyRotation {
            settings: &self.world.settings,
            account: &self.world.account,
            sinks: &sinks,
            rollout: &self.world.rollout,
            clock: self.world.clock.as_ref(),
            progress: &HiddenProgress,
            fail_point: &self.world.fail_point,
        };
        rotation.run(self.world.journal())
    }

    /// Returns the value of an item.
    fn open(&self, app: &str, item: &str) -> String {
        let file = SealedFile::read(app, self.read(app).into_bytes()).expect("valid");
        let ciphertext = &file.objects()[0].item(item).expect("the item").ciphertext;
        let key = DangerPrivateKey::from_pem(&test_file("rsa2048.key")).expect("a key");
        let opened =
            danger_unseal(&key, &SealingScope::Strict.label(app, "aws"), ciphertext).expect("opened");
        opened.expose_str().expect("text").to_owned()
    }
}

fn head(app: &str) -> String {
    format!(
        "# of {app}\napiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {{name: aws, namespace: {app}}}\nspec:\n  encryptedData:\n"
    )
}

fn settings(root: &Path) -> SealedFilesSettings {
    let text =
        "[default]\naws_access_key_id = <access-key-id>\naws_secret_access_key = <secret-access-key>\n";
    SealedFilesSettings {
        paths: vec![root.join("envs")],
        items: ITEMS.map(str::to_owned),
        templates: vec![SealedTemplate::new("credentials", text.to_owned()).expect("both parts")],
        namespace: None,
        certificate: certificate(),
        allowed: AllowedPaths::new(Some("dev"), &[]).expect("valid"),
        commit: true,
        push: Some(PushTarget { remote: "origin".to_owned(), branch: "main".to_owned() }),
    }
}

/// Returns the lines of a text without its ciphertexts.
fn without_ciphertexts(text: &str) -> Vec<String> {
    let part = |line: &str| {
        line.split(' ').map(|word| if word.len() > 300 { "…" } else { word }).collect::<Vec<_>>().join(" ")
    };
    text.lines().map(part).collect()
}

#[test]
fn all_sealed_files_of_the_environment_get_the_new_key() {
    for point in ["sink-written", "answered", "write-recorded"] {
        let mut sealed = SealedWorld::new();
        let before: Vec<String> =
            ["fastapi", "mlflow", "airflow", "slack"].map(|app| sealed.read(app)).to_vec();
        sealed.world.fail_point.0.set(Some(point));
        let mut result = sealed.run();
        if point != "write-recorded" {
            assert!(matches!(result, Err(RotationError::Interrupted(_))), "{point}");
            result = sealed.run();
        }
        let report = result.expect("waits");
        assert_eq!(
            report.outcome,
            RotationOutcome::Waiting("the merge of `rotation` into `main`".to_owned())
        );
        let key = sealed.world.account.find("AKIATESTTESTTEST0002").expect("one key was created");
        assert_eq!(sealed.world.ids().len(), 2, "{point}");
        for app in ["fastapi", "mlflow"] {
            assert_eq!(
                (sealed.open(app, ITEMS[0]), sealed.open(app, ITEMS[1])),
                (key.key.id.clone(), key.secret.clone())
            );
            assert_eq!(sealed.open(app, "OTHER"), "other");
        }
        let file = format!(
            "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            key.key.id, key.secret
        );
        assert_eq!(sealed.open("airflow", "credentials"), file);
        assert_eq!(sealed.read("slack"), before[3]);
        for (app, before) in ["fastapi", "mlflow"].iter().zip(&before) {
            let after = sealed.read(app);
            assert_eq!(without_ciphertexts(&after), without_ciphertexts(before));
            let other = |text: &str| text.lines().find(|line| line.contains("OTHER")).map(str::to_owned);
            assert_eq!(other(&after), other(before));
        }
        assert_eq!(git(&sealed.root(), &["status", "--porcelain"]), "");

        let again = sealed.run().expect("still waits");
        assert_eq!(again.outcome, report.outcome);
        let error = {
            sealed.world.settings.delete_key = Some(key.key.id.clone());
            let error = sealed.run().expect_err("it is in use");
            sealed.world.settings.delete_key = None;
            error
        };
        assert!(matches!(error, RotationError::KeyInUse { .. }), "{error}");
        git(&sealed.root(), &["push", "--quiet", "origin", "rotation:main"]);
        let mut merged = sealed.run();
        if point == "write-recorded" {
            assert!(matches!(merged, Err(RotationError::Interrupted(_))));
            merged = sealed.run();
        }
        assert!(
            merged
                .expect("waits for the grace period")
                .lines
                .iter()
                .any(|line| line.contains("stays active"))
        );
        sealed.world.clock.wait(2 * DAY);
        sealed.run().expect("deactivates");
        sealed.world.clock.wait(8 * DAY);
        sealed.world.settings.delete_key = Some("AKIATESTTESTTEST0001".to_owned());
        assert_eq!(sealed.run().expect("deletes").outcome, RotationOutcome::Done);
        assert_eq!(sealed.world.ids(), [key.key.id]);
        let left = walk(&sealed.world.directory.path().join("state"));
        assert!(left.iter().all(|file| file.extension().is_some_and(|end| end == "lock")), "{left:?}");
    }
}

#[test]
fn files_that_cannot_be_changed_stop_the_rotation_before_a_key_is_created() {
    let refused = |sealed: &SealedWorld, expected: &str| {
        let error = sealed.run().expect_err(expected);
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!sealed.world.account.calls.borrow().contains(&"create"), "{expected}");
    };
    let sealed = SealedWorld::new();
    sealed.write("mlflow", &sealed.read("mlflow").replace("# kept", "# edited"));
    refused(&sealed, "mlflow/sealed-aws.yaml");

    let sealed = SealedWorld::new();
    let half: Vec<String> =
        sealed.read("mlflow").lines().filter(|line| !line.contains(ITEMS[1])).map(str::to_owned).collect();
    sealed.write("mlflow", &(half.join("\n") + "\n"));
    sealed.commit();
    refused(&sealed, "has item `AWS_ACCESS_KEY_ID`, but not `AWS_SECRET_ACCESS_KEY`");

    let sealed = SealedWorld::new();
    sealed.write("mlflow", &sealed.read("mlflow").replace(", namespace: mlflow", ""));
    sealed.commit();
    refused(&sealed, "has no namespace");

    let mut sealed = SealedWorld::new();
    sealed.settings = Box::new(|root| SealedFilesSettings {
        allowed: AllowedPaths::new(Some("prod"), &[]).expect("valid"),
        ..settings(root)
    });
    refused(&sealed, "envs/dev/sealed-secrets");

    let mut sealed = SealedWorld::new();
    sealed.settings = Box::new(|root| SealedFilesSettings {
        items: ["A".to_owned(), "B".to_owned()],
        templates: Vec::new(),
        ..settings(root)
    });
    refused(&sealed, "no SealedSecret has the items `A` and `B`");

    let sealed = SealedWorld::new();
    let rendered = "namespace: mlflow, annotations: {sealwave.dev/seal-key-id: x}}";
    sealed.write("mlflow", &sealed.read("mlflow").replace("namespace: mlflow}", rendered));
    sealed.commit();
    refused(&sealed, "was rendered by sealwave");
}

#[test]
fn the_plan_names_every_object_that_gets_the_key() {
    let sealed = SealedWorld::new();
    let items: Vec<String> = ITEMS.iter().map(|item| format!("    {item}: {}\n", sealed_item())).collect();
    let wide = "annotations: {sealedsecrets.bitnami.com/cluster-wide: \"true\"}, namespace: other";
    sealed.write("added", &format!("{}{}", head("x").replace("namespace: x", wide), items.concat()));
    sealed.commit();
    let sink = SealedFilesSink::new((sealed.settings)(&sealed.root()), None).expect("usable");
    let sinks: [Box<dyn CredentialSink>; 1] = [Box::new(sink)];
    let rotation = KeyRotation {
        settings: &sealed.world.settings,
        account: &sealed.world.account,
        sinks: &sinks,
        rollout: &sealed.world.rollout,
        clock: sealed.world.clock.as_ref(),
        progress: &HiddenProgress,
        fail_point: &sealed.world.fail_point,
    };
    let plan = rotation.plan(None).expect("planned");
    let facts = plan.facts.iter().filter(|fact| fact.name == "sealed for");
    let objects: Vec<&str> = facts.map(|fact| fact.value.split(" (/").next().unwrap_or_default()).collect();
    let wide = "any namespace (cluster-wide), as `aws`";
    assert_eq!(objects, [wide, "`airflow/aws`", "`fastapi/aws`", "`mlflow/aws`"]);
}

fn sealed_item() -> String {
    sealed("other", "old")
}

#[test]
fn a_template_needs_both_parts() {
    let error = SealedTemplate::new("credentials", "id = <access-key-id>\n".to_owned()).expect_err("half");
    assert!(error.to_string().contains("lacks `<secret-access-key>`"), "{error}");
}

#[test]
fn the_key_is_not_sealed_for_objects_that_the_plan_did_not_name() {
    let mut sealed = SealedWorld::new();
    sealed.world.fail_point.0.set(Some("answered"));
    assert!(matches!(sealed.run(), Err(RotationError::Interrupted(_))));
    // Between two runs, an object of another namespace is committed, and one of the plan gets a wider scope.
    let items: Vec<String> =
        ITEMS.iter().map(|item| format!("    {item}: {}\n", self::sealed("guest", "old"))).collect();
    sealed.write("guest", &format!("{}{}", head("guest"), items.concat()));
    let wider = sealed.read("mlflow").replace(
        "namespace: mlflow}",
        "namespace: mlflow, annotations: {sealedsecrets.bitnami.com/cluster-wide: 'true'}}",
    );
    sealed.write("mlflow", &wider);
    sealed.commit();
    let before = (sealed.read("guest"), sealed.read("mlflow"));
    let refused = sealed.run();
    let Err(RotationError::NewObjects(objects)) = refused else { panic!("{refused:?}") };
    assert_eq!(objects.len(), 2, "{objects:?}");
    assert_eq!((sealed.read("guest"), sealed.read("mlflow")), before);
    sealed.world.settings.accept_new_objects = true;
    assert!(matches!(sealed.run().expect("waits").outcome, RotationOutcome::Waiting(_)));
    assert_ne!(sealed.read("guest"), before.0);
}

#[test]
fn sealed_files_of_several_clusters_are_refused_before_a_key_is_created() {
    let mut sealed = SealedWorld::new();
    sealed.settings = Box::new(|root| SealedFilesSettings {
        paths: vec![root.join("envs"), root.join("other")],
        ..settings(root)
    });
    let app = |cluster: &str| {
        format!(
            "apiVersion: sealwave.dev/v1alpha1\nkind: App\nenvironments: {{dev: {{cluster: {cluster}}}}}\n"
        )
    };
    let other = sealed.root().join("other");
    let directory = other.join("envs/dev/sealed-secrets/x");
    fs::create_dir_all(&directory).expect("created");
    fs::write(directory.join("sealed-aws.yaml"), sealed.read("fastapi")).expect("written");
    fs::write(sealed.root().join("sealwave.yaml"), app("dev")).expect("written");
    fs::write(other.join("sealwave.yaml"), app("prod")).expect("written");
    sealed.commit();
    let keys = sealed.world.ids().len();
    let error = sealed.run().expect_err("two clusters").to_string();
    assert!(error.contains("files are of several clusters: `"), "{error}");
    assert!(error.contains("of `dev`") && error.contains("of `prod`"), "{error}");
    assert_eq!(sealed.world.ids().len(), keys);
}
