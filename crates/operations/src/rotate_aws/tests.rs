//! Tests of rotations: the whole way, interruptions at each point, and everything that forbids a step.

mod fake;
mod sealed;

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use fs_err as fs;
use sealwave_core::diagnostic::Explain as _;
use sealwave_providers::aws_account::{AwsErrorKind, BucketProbe, KeyStatus};

use self::fake::{FakeAccount, FakeSink};
use super::*;
use crate::backup::BackupTarget;
use crate::clock::{Clock as _, ManualClock, from_unix};
use crate::progress::HiddenProgress;
use crate::state::{Journal, OperationId, StateDirectory};

const NOW: u64 = 1_796_000_000;
const DAY: Duration = Duration::from_hours(24);

/// A fail point that interrupts once.
struct FailAt(Cell<Option<&'static str>>);

impl FailPoint for FailAt {
    fn reach(&self, point: &'static str) -> Result<(), RotationError> {
        if self.0.get() == Some(point) {
            self.0.set(None);
            return Err(RotationError::Interrupted(point));
        }
        Ok(())
    }
}

/// A rollout that a test completes.
struct FakeRollout(RefCell<RolloutStatus>);

impl RolloutCheck for FakeRollout {
    fn check(&self) -> RolloutStatus {
        self.0.borrow().clone()
    }

    fn reason_not_to_check(&self) -> Option<String> {
        match &*self.0.borrow() {
            RolloutStatus::NotChecked(reason) => Some(reason.clone()),
            RolloutStatus::Complete | RolloutStatus::Pending(_) => None,
        }
    }
}

/// A user with keys, a place that holds one of them, and a state directory.
struct World {
    directory: tempfile::TempDir,
    clock: Rc<ManualClock>,
    account: FakeAccount,
    sink: FakeSink,
    rollout: FakeRollout,
    settings: RotationSettings,
    fail_point: FailAt,
}

impl World {
    /// Creates a user with one key in use.
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let clock = Rc::new(ManualClock::at(NOW));
        let account = FakeAccount::new(&clock);
        let old = account.add(from_unix(NOW) - 200 * DAY, Some(from_unix(NOW) - DAY));
        let sink = FakeSink::default();
        let secret = account.find(&old).expect("added").secret;
        *sink.0.borrow_mut() = Some((old, secret));
        let settings = RotationSettings {
            user: "airflow".to_owned(),
            environment: "dev".to_owned(),
            backup: BackupTarget::File { path: directory.path().to_owned(), recipients: Vec::new() },
            probe: Some(BucketProbe { bucket: "models".to_owned(), region: None, endpoint: None }),
            wait: Duration::from_mins(2),
            grace_period: DAY,
            delete_after: 7 * DAY,
            delete_key: None,
            delete_used_key: false,
            accept_new_objects: false,
            reactivate: false,
            key_file: None,
        };
        let rollout = FakeRollout(RefCell::new(RolloutStatus::Complete));
        Self { directory, clock, account, sink, rollout, settings, fail_point: FailAt(Cell::new(None)) }
    }

    fn journal(&self) -> Journal<RotationState> {
        let state = StateDirectory::open(&self.directory.path().join("state")).expect("opened");
        state.journal(OperationId::new("rotate-aws", ["airflow", "dev"])).expect("not in use")
    }

    fn with<T>(&self, work: impl FnOnce(&KeyRotation<'_>) -> T) -> T {
        let sinks: [Box<dyn CredentialSink>; 1] = [Box::new(self.sink.clone())];
        work(&KeyRotation {
            settings: &self.settings,
            account: &self.account,
            sinks: &sinks,
            rollout: &self.rollout,
            clock: self.clock.as_ref(),
            progress: &HiddenProgress,
            fail_point: &self.fail_point,
        })
    }

    fn run(&self) -> Result<RotationReport, RotationError> {
        let result = self.with(|rotation| rotation.run(self.journal()));
        self.check();
        result
    }

    fn run_with_consent(&mut self, key: &str) -> Result<RotationReport, RotationError> {
        self.settings.delete_key = Some(key.to_owned());
        let result = self.run();
        self.settings.delete_key = None;
        result
    }

    /// Checks that workloads have a key that works, that no file but the backup holds a secret, and that files are private.
    fn check(&self) {
        let (id, secret) = self.sink.0.borrow().clone().expect("the place holds a key");
        let key = self.account.find(&id).expect("the key in use exists");
        assert_eq!((key.key.status, key.secret), (KeyStatus::Active, secret));
        for file in walk(self.directory.path()) {
            let name = file.to_string_lossy().into_owned();
            let bytes = fs::read(&file).expect("readable");
            let holds_secret = bytes.windows(6).any(|part| part == b"CANARY");
            assert_eq!(holds_secret, name.contains("aws-access-key-"), "{name}");
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                assert_eq!(
                    fs::metadata(&file).expect("exists").permissions().mode() & 0o777,
                    0o600,
                    "{name}"
                );
            }
        }
    }

    fn in_use(&self) -> String {
        self.sink.0.borrow().clone().expect("a key").0
    }

    fn ids(&self) -> Vec<String> {
        self.account.keys.borrow().iter().map(|key| key.key.id.clone()).collect()
    }

    /// Continues as an operator would, until the rotation is complete: waits, and gives consent that an error asks for.
    fn finish(&mut self) {
        for _ in 0..12 {
            let result = self.run();
            match result {
                Ok(report) if report.outcome == RotationOutcome::Done => {
                    if !report.lines.iter().any(|line| line.contains("starts over")) {
                        return;
                    }
                }
                Ok(report) => {
                    let last = report.lines.last().expect("a reason");
                    match last.split_once("`--delete-key ") {
                        Some((_, rest)) => {
                            let id = rest.split('`').next().expect("an id").to_owned();
                            let done = self.run_with_consent(&id).expect("deleted");
                            assert_eq!(done.outcome, RotationOutcome::Done);
                            return;
                        }
                        None => self.clock.wait(8 * DAY),
                    }
                }
                Err(RotationError::OrphanKey { key, .. } | RotationError::SecretLost { key, .. }) => {
                    // It continues, or ends there if the key was given up.
                    let _ = self.run_with_consent(&key).expect("given up");
                }
                Err(error) => panic!("{error}"),
            }
        }
        panic!("the rotation does not end");
    }
}

fn walk(directory: &std::path::Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("readable") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

fn hint(error: &RotationError) -> String {
    error.hint().unwrap_or_default()
}

#[test]
fn a_rotation_ends_with_one_new_key() {
    let mut world = World::new();
    let old = world.in_use();
    world.account.rejections.set(5);
    let report = world.run().expect("waits");
    assert!(report.is_waiting());
    let new = world.in_use();
    assert_ne!(new, old);
    assert_eq!(report.outcome, RotationOutcome::Waiting("2026-12-01T00:53:34Z".to_owned()));
    assert!(report.lines.last().is_some_and(|line| line.contains(&old)), "{report:?}");
    world.clock.wait(2 * DAY);
    let report = world.run().expect("deactivates");
    assert_eq!(
        report.lines.first().map(String::as_str),
        Some(format!("deactivated the old access key `{old}`").as_str())
    );
    assert_eq!(world.account.find(&old).expect("kept").key.status, KeyStatus::Inactive);
    world.clock.wait(8 * DAY);
    let report = world.run().expect("waits for consent");
    assert!(report.is_waiting());
    let error = world.run_with_consent(&new).expect_err("the new key is in use");
    assert!(matches!(error, RotationError::WrongConsent { .. }), "{error}");
    let report = world.run_with_consent(&old).expect("deleted");
    assert_eq!((report.outcome, world.ids()), (RotationOutcome::Done, vec![new]));
    assert!(world.journal().state().is_none());
}

#[test]
fn an_interrupted_run_is_continued_from_every_point() {
    for with_backup in [true, false] {
        for point in FAIL_POINTS {
            let mut world = World::new();
            if !with_backup {
                world.settings.backup = BackupTarget::None;
            }
            if point == "room-made" {
                let spare = world.account.add(from_unix(NOW) - 300 * DAY, None);
                world.settings.delete_key = Some(spare);
            }
            world.fail_point.0.set(Some(point));
            let mut reached = false;
            for _ in 0..4 {
                match world.run() {
                    Err(RotationError::Interrupted(at)) => {
                        assert_eq!(at, point);
                        reached = true;
                        break;
                    }
                    Ok(report) => {
                        assert!(report.is_waiting(), "{point}");
                        world.clock.wait(8 * DAY);
                        let old = world.ids().first().expect("the old key").clone();
                        let is_inactive =
                            world.account.find(&old).is_some_and(|key| key.key.status == KeyStatus::Inactive);
                        world.settings.delete_key = is_inactive.then_some(old);
                    }
                    Err(error) => panic!("{point}: {error}"),
                }
            }
            assert!(reached, "{point} is never reached");
            world.settings.delete_key = None;
            world.finish();
            assert_eq!(world.ids(), [world.in_use()], "{point}, backup: {with_backup}");
            assert_ne!(world.in_use(), "AKIATESTTESTTEST0001", "{point}");
        }
    }
}

#[test]
fn with_a_backup_an_interrupted_run_creates_no_other_key() {
    for point in ["backed-up", "answered", "sink-written", "write-recorded"] {
        let mut world = World::new();
        world.fail_point.0.set(Some(point));
        assert!(matches!(world.run(), Err(RotationError::Interrupted(_))), "{point}");
        world.finish();
        assert_eq!(world.in_use(), "AKIATESTTESTTEST0002", "{point}");
    }
}

#[test]
fn a_lost_secret_is_reported_with_both_ways_on() {
    let mut world = World::new();
    world.fail_point.0.set(Some("backed-up"));
    world.run().expect_err("interrupted");
    let backup = walk(world.directory.path())
        .into_iter()
        .find(|file| file.to_string_lossy().contains("aws-access-key-"));
    let backup = backup.expect("a backup");
    let moved = world.directory.path().join("aws-access-key-moved");
    fs::rename(&backup, &moved).expect("moved");
    let error = world.run().expect_err("lost");
    assert!(
        matches!(&error, RotationError::SecretLost { key, .. } if key == "AKIATESTTESTTEST0002"),
        "{error}"
    );
    assert!(hint(&error).contains("--delete-key AKIATESTTESTTEST0002"));
    world.settings.key_file = Some(world.directory.path().join("state"));
    let error = world.run().expect_err("not a file");
    assert!(matches!(error, RotationError::BadKeyFile { .. }), "{error}");
    world.settings.key_file = Some(moved);
    world.run().expect("continued");
    assert_eq!(world.in_use(), "AKIATESTTESTTEST0002");
}

#[test]
fn two_keys_are_explained_and_only_the_unused_one_can_be_deleted() {
    let mut world = World::new();
    let used = world.in_use();
    let spare = world.account.add(from_unix(NOW) - 300 * DAY, Some(from_unix(NOW) - 90 * DAY));
    let error = world.run().expect_err("two keys");
    let text = error.to_string();
    assert!(
        text.contains(&format!("`{used}`: active, 200 days old, last used"))
            && text.contains("in use: `aws-sm:prod/aws`"),
        "{text}"
    );
    assert!(text.contains(&format!("`{spare}`: active, 300 days old")), "{text}");
    assert!(hint(&error).contains(&format!("--delete-key {spare}")), "{}", hint(&error));
    let error = world.run_with_consent(&used).expect_err("in use");
    assert!(matches!(error, RotationError::KeyInUse { .. }), "{error}");
    world.settings.delete_used_key = true;
    assert!(matches!(world.run_with_consent(&used), Err(RotationError::KeyInUse { .. })));
    world.settings.delete_used_key = false;
    assert!(matches!(
        world.run_with_consent("AKIAOTHEROTHEROTHER1"),
        Err(RotationError::WrongConsent { .. })
    ));
    assert_eq!(world.ids().len(), 2, "nothing was deleted or created");
    world.run_with_consent(&spare).expect("room was made");
    assert!(!world.ids().contains(&spare));
    world.finish();
}

#[test]
fn a_key_that_was_used_recently_is_deleted_only_with_a_second_flag() {
    let mut world = World::new();
    let spare = world.account.add(from_unix(NOW) - 300 * DAY, Some(from_unix(NOW) - 3 * DAY));
    let error = world.run().expect_err("two keys");
    assert!(hint(&error).contains("both may be in use"), "{}", hint(&error));
    let error = world.run_with_consent(&spare).expect_err("used recently");
    assert!(matches!(error, RotationError::KeyUsedRecently { .. }), "{error}");
    world.settings.delete_used_key = true;
    world.run_with_consent(&spare).expect("deleted");
    assert!(!world.ids().contains(&spare));
}

#[test]
fn the_key_of_the_session_is_never_deleted() {
    let mut world = World::new();
    let spare = world.account.add(from_unix(NOW) - 300 * DAY, None);
    *world.account.session_key.borrow_mut() = Some(spare.clone());
    world.settings.delete_used_key = true;
    assert!(matches!(world.run_with_consent(&spare), Err(RotationError::KeyInUse { .. })));
}

#[test]
fn a_place_with_a_foreign_key_stops_the_rotation_before_anything_is_created() {
    let world = World::new();
    *world.sink.0.borrow_mut() = Some(("AKIAOTHEROTHEROTHER1".to_owned(), "x".to_owned()));
    let error = world.with(|rotation| rotation.run(world.journal())).expect_err("foreign");
    assert!(matches!(&error, RotationError::ForeignKey { user, .. } if user == "airflow"), "{error}");
    assert!(!world.account.calls.borrow().contains(&"create"));
}

#[test]
fn a_creation_without_response_is_found_in_the_same_run() {
    let mut world = World::new();
    world.account.loses_response.set(true);
    let error = world.run().expect_err("lost");
    assert!(
        matches!(&error, RotationError::OrphanKey { key, .. } if key == "AKIATESTTESTTEST0002"),
        "{error}"
    );
    let again = world.run().expect_err("no consent");
    assert_eq!(again.to_string(), error.to_string());
    assert!(matches!(world.run_with_consent("AKIATESTTESTTEST0001"), Err(RotationError::OrphanKey { .. })));
    world.run_with_consent("AKIATESTTESTTEST0002").expect("continued");
    assert_eq!(world.in_use(), "AKIATESTTESTTEST0003");
    world.finish();
}

#[test]
fn a_creation_that_did_not_happen_is_repeated() {
    for kind in [AwsErrorKind::NoResponse, AwsErrorKind::Throttled, AwsErrorKind::Denied] {
        let mut world = World::new();
        world.account.failures.borrow_mut().push_back(("create", kind));
        let error = world.run().expect_err("failed");
        assert_eq!(matches!(error, RotationError::LostResponse(_)), kind == AwsErrorKind::NoResponse);
        assert_eq!(
            walk(world.directory.path()).len(),
            2,
            "no backup without a key: only the journal and its lock"
        );
        world.finish();
        assert_eq!(world.in_use(), "AKIATESTTESTTEST0002");
    }
}

#[test]
fn a_key_that_never_works_is_not_written() {
    let mut world = World::new();
    let old = world.in_use();
    world.account.rejections.set(1000);
    let error = world.run().expect_err("no answer");
    assert!(matches!(&error, RotationError::NoAnswer { .. }), "{error}");
    assert!(error.to_string().contains("2 minutes"), "{error}");
    assert_eq!(world.in_use(), old);
    let report = world.run_with_consent("AKIATESTTESTTEST0002").expect("given up");
    assert_eq!((report.outcome, world.ids()), (RotationOutcome::Done, vec![old]));
}

#[test]
fn a_bucket_that_refuses_the_key_for_a_while_is_waited_for() {
    let world = World::new();
    world.account.failures.borrow_mut().extend([
        ("probe", AwsErrorKind::Denied),
        ("probe", AwsErrorKind::NoResponse),
        ("identity", AwsErrorKind::Throttled),
    ]);
    world.run().expect("waits");
    assert_eq!(world.in_use(), "AKIATESTTESTTEST0002");
    let world = World::new();
    world.account.failures.borrow_mut().push_back(("probe", AwsErrorKind::NotFound));
    assert!(matches!(world.run(), Err(RotationError::Aws(_))));
    assert_eq!(world.in_use(), "AKIATESTTESTTEST0001");
}

#[test]
fn the_old_key_stays_active_while_it_is_used() {
    let world = World::new();
    let old = world.in_use();
    world.run().expect("waits");
    for _ in 0..3 {
        world.clock.wait(2 * DAY);
        world.account.set_use(&old, world.clock.now() - Duration::from_hours(1));
        let report = world.run().expect("waits");
        assert!(report.is_waiting());
        assert!(
            report.lines.iter().any(|line| line.contains("last used") && line.contains("`s3`")),
            "{report:?}"
        );
        assert_eq!(world.account.find(&old).expect("kept").key.status, KeyStatus::Active);
    }
    world.clock.wait(DAY);
    world.run().expect("deactivates");
    assert_eq!(world.account.find(&old).expect("kept").key.status, KeyStatus::Inactive);
}

#[test]
fn a_deactivated_key_can_be_made_active_again() {
    let mut world = World::new();
    let old = world.in_use();
    world.settings.reactivate = true;
    assert!(matches!(world.run(), Err(RotationError::NothingToReactivate)));
    world.settings.reactivate = false;
    world.run().expect("waits");
    world.clock.wait(2 * DAY);
    world.run().expect("deactivates");
    world.settings.reactivate = true;
    let report = world.run().expect("active");
    assert_eq!(report.outcome, RotationOutcome::Reactivated);
    assert_eq!(world.account.find(&old).expect("kept").key.status, KeyStatus::Active);
    assert!(matches!(world.run(), Err(RotationError::NothingToReactivate)));
    world.settings.reactivate = false;
    let report = world.run().expect("waits again");
    assert!(report.is_waiting());
    assert_eq!(world.account.find(&old).expect("kept").key.status, KeyStatus::Active);
    world.finish();
}

#[test]
fn a_rollout_that_is_not_complete_stops_before_the_grace_period() {
    let world = World::new();
    *world.rollout.0.borrow_mut() =
        RolloutStatus::Pending(vec!["deployment `mlflow` has old pods".to_owned()]);
    let report = world.run().expect("waits");
    assert!(report.is_waiting());
    assert!(report.lines.last().is_some_and(|line| line.contains("mlflow")), "{report:?}");
    world.clock.wait(30 * DAY);
    world.run().expect("waits");
    assert_eq!(world.account.find("AKIATESTTESTTEST0001").expect("kept").key.status, KeyStatus::Active);
    *world.rollout.0.borrow_mut() = RolloutStatus::Complete;
    let report = world.run().expect("waits");
    assert!(report.lines.last().is_some_and(|line| line.contains("stays active")), "{report:?}");
}

#[test]
fn a_place_that_goes_back_to_the_old_key_stops_the_deactivation() {
    let world = World::new();
    let before = world.sink.0.borrow().clone();
    world.run().expect("waits");
    *world.sink.0.borrow_mut() = before;
    world.clock.wait(2 * DAY);
    let error = world.run().expect_err("changed");
    assert!(matches!(error, RotationError::SinkChanged { .. }), "{error}");
    assert_eq!(world.account.find("AKIATESTTESTTEST0001").expect("kept").key.status, KeyStatus::Active);
}

#[test]
fn a_new_key_that_was_deactivated_elsewhere_keeps_the_old_one_active() {
    let world = World::new();
    world.run().expect("waits");
    let new = world.in_use();
    world.account.set_key_status("airflow", &new, KeyStatus::Inactive).expect("changed");
    world.clock.wait(2 * DAY);
    let error = world.with(|rotation| rotation.run(world.journal())).expect_err("gone");
    assert!(matches!(error, RotationError::NewKeyGone(_)), "{error}");
    assert_eq!(world.account.find("AKIATESTTESTTEST0001").expect("kept").key.status, KeyStatus::Active);
}

#[test]
fn a_user_without_keys_gets_one_and_nothing_is_left_to_do() {
    let world = World::new();
    world.account.keys.borrow_mut().clear();
    *world.sink.0.borrow_mut() = None;
    let report = world.run().expect("done");
    assert_eq!(report.outcome, RotationOutcome::Done);
    assert_eq!(world.ids(), [world.in_use()]);
}

#[test]
fn the_plan_shows_the_keys_and_changes_nothing() {
    let world = World::new();
    let plan = world.with(|rotation| rotation.plan(world.journal().state())).expect("a plan");
    let human = plan.human(true);
    assert!(human.contains("AKIATESTTESTTEST0001") && human.contains("undo: `--reactivate`"), "{human}");
    assert!(!human.contains("CANARY"));
    assert!(plan.steps.iter().all(|step| !step.done));
    assert_eq!(world.ids().len(), 1);
    world.run().expect("waits");
    let plan = world.with(|rotation| rotation.plan(world.journal().state())).expect("a plan");
    let done: Vec<&str> = plan.steps.iter().filter(|step| step.done).map(|step| step.id).collect();
    assert_eq!(done, ["create-key", "back-up", "prove", "write", "check-rollout"]);
}

#[test]
fn a_rollout_that_was_not_checked_is_not_shown_as_done() {
    let world = World::new();
    let check = |world: &World| {
        let plan = world.with(|rotation| rotation.plan(world.journal().state())).expect("a plan");
        let step = plan.steps.iter().find(|step| step.id == "check-rollout").expect("the step").clone();
        let human = plan.human(false);
        let line = human.lines().find(|line| line.contains("check that workloads")).expect("the step");
        (step.done, step.note, line.to_owned())
    };
    *world.rollout.0.borrow_mut() = RolloutStatus::NotChecked("no app was given".to_owned());
    let (done, note, line) = check(&world);
    assert_eq!((done, note.as_deref()), (false, Some("not verified: no app was given")));
    assert!(line.ends_with("(not verified: no app was given)"), "{line}");
    let report = world.run().expect("waits");
    let expected = "the rollout is not verified: no app was given";
    assert!(report.lines.iter().any(|line| line == expected), "{report:?}");
    // The next run has an app to check, but this one did not.
    *world.rollout.0.borrow_mut() = RolloutStatus::Complete;
    let (done, note, line) = check(&world);
    assert_eq!((done, note.as_deref()), (false, Some("not verified")));
    assert!(line.ends_with("(not verified)") && !line.contains("(done)"), "{line}");
    world.clock.wait(2 * DAY);
    world.run().expect("deactivates");
    assert_eq!(check(&world).1.as_deref(), Some("not verified"));

    let verified = World::new();
    verified.run().expect("waits");
    assert_eq!((check(&verified).0, check(&verified).1), (true, None));
}

#[test]
fn a_consent_for_another_key_is_refused_in_each_phase() {
    let mut world = World::new();
    let (old, new) = (world.in_use(), "AKIATESTTESTTEST0002");
    let refused = |world: &mut World, given: &str| {
        world.settings.delete_key = Some(given.to_owned());
        let result = world.with(|rotation| rotation.plan(world.journal().state()));
        world.settings.delete_key = None;
        result.expect_err(given)
    };
    let none = "AKIATESTTESTTEST0009";
    for given in [
        "AKIA\nTESTTESTTEST01",
        "AKIA\u{1b}[2JTESTTEST01",
        "--help",
        "",
        "AKIA`TESTTESTTEST",
        "CANARY/secret+CANARY/secret",
    ] {
        let error = refused(&mut world, given);
        assert!(
            matches!(error, RotationError::BadKeyId) && !error.to_string().contains("CANARY"),
            "{given:?}"
        );
    }
    for point in [None, Some("creation-recorded"), Some("backed-up"), Some("write-recorded")] {
        if point.is_some() {
            world.fail_point.0.set(point);
            world.run().expect_err("interrupted");
        }
        let error = refused(&mut world, none);
        assert!(
            matches!(error, RotationError::NoSuchKey { .. }) && error.hint().is_some(),
            "{point:?}: {error}"
        );
        assert!(error.to_string().contains(&format!("it has `{old}`")), "{error}");
    }
    assert!(matches!(refused(&mut world, new), RotationError::KeyInUse { .. }));
    world.run().expect("waits");
    for given in [none, new] {
        refused(&mut world, given);
    }
    // The consent to delete the old key comes early: it is told, and has no effect.
    let report = world.run_with_consent(&old).expect("waits");
    assert!(report.lines.iter().any(|line| line.contains("has no effect yet")), "{report:?}");
    assert_eq!(world.ids().len(), 2);
    world.clock.wait(2 * DAY);
    world.run().expect("deactivates");
    for given in [none, new] {
        refused(&mut world, given);
    }
    let report = world.run_with_consent(&old).expect("waits");
    assert!(report.lines.iter().any(|line| line.contains("has no effect yet")), "{report:?}");

    // An interrupted run did not create the old key.
    let mut world = World::new();
    world.fail_point.0.set(Some("creation-recorded"));
    world.run().expect_err("interrupted");
    assert!(matches!(refused(&mut world, &old), RotationError::WrongConsent { .. }));
    assert!(world.account.calls.borrow().iter().all(|call| *call != "delete"));
}

#[test]
fn the_plan_names_each_way_back() {
    let mut world = World::new();
    let plan = |world: &World| world.with(|rotation| rotation.plan(world.journal().state()));
    let steps = |plan: &crate::plan::Plan| plan.steps.iter().map(|step| step.id).collect::<Vec<_>>();
    world.settings.reactivate = true;
    assert!(matches!(plan(&world), Err(RotationError::NothingToReactivate)));
    world.settings.reactivate = false;
    world.fail_point.0.set(Some("backed-up"));
    world.run().expect_err("interrupted");
    world.settings.delete_key = Some("AKIATESTTESTTEST0002".to_owned());
    assert_eq!(steps(&plan(&world).expect("a plan")), ["give-up"]);
    world.settings.delete_key = None;
    world.run().expect("waits");
    world.settings.reactivate = true;
    assert!(matches!(plan(&world), Err(RotationError::NothingToReactivate)));
    world.settings.reactivate = false;
    world.clock.wait(2 * DAY);
    world.run().expect("deactivates");
    world.settings.reactivate = true;
    assert_eq!(steps(&plan(&world).expect("a plan")), ["reactivate"]);
}

#[test]
fn another_backup_can_be_named_after_one_that_exists() {
    let mut world = World::new();
    let taken = world.directory.path().join("aws-access-key-taken");
    fs::write(&taken, "CANARY, old").expect("written");
    #[cfg(unix)]
    fs::set_permissions(&taken, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("changed");
    world.settings.backup = BackupTarget::File { path: taken.clone(), recipients: Vec::new() };
    let error = world.run().expect_err("taken");
    assert!(error.to_string().contains("already exists"), "{error}");
    assert_eq!(world.ids().len(), 1, "no key without its backup");
    let other = world.directory.path().join("aws-access-key-other");
    world.settings.backup = BackupTarget::File { path: other.clone(), recipients: Vec::new() };
    world.run().expect("waits");
    assert_eq!(fs::read(&taken).expect("kept"), b"CANARY, old");
    assert!(other.exists());
}

#[test]
fn a_new_key_that_aws_does_not_list_yet_is_no_foreign_key() {
    let world = World::new();
    world.run().expect("waits");
    let new = world.account.keys.borrow_mut().pop().expect("the new key");
    let report = world.with(|rotation| rotation.run(world.journal())).expect("waits");
    assert!(report.is_waiting());
    world.account.keys.borrow_mut().push(new);
    world.check();
}

#[test]
fn a_key_of_another_identity_is_not_written() {
    let world = World::new();
    let old = world.in_use();
    world.account.arns.borrow_mut()[1] = "arn:aws:iam::123456789012:user/other";
    let error = world.run().expect_err("another identity");
    assert!(matches!(error, RotationError::WrongIdentity { .. }), "{error}");
    assert_eq!(world.in_use(), old);
}

#[test]
fn a_journal_of_another_user_is_not_continued() {
    let world = World::new();
    world.run().expect("waits");
    world.account.arns.borrow_mut()[0] = "arn:aws:iam::999999999999:user/airflow";
    let error = world.run().expect_err("another user");
    assert!(matches!(error, RotationError::OtherUser { .. }), "{error}");
}

#[test]
fn names_that_are_not_users_are_refused() {
    for (name, is_user) in [
        ("airflow", true),
        ("a.b@c_d-e+f=g,h", true),
        ("", false),
        ("ops/airflow", false),
        ("..", false),
        ("a\nb", false),
        (&"a".repeat(65), false),
    ] {
        assert_eq!(is_user_name(name), is_user, "{name:?}");
    }
}

#[test]
fn locations_have_two_parts() {
    let document = KeyLocation::Document {
        path: "prod/aws".to_owned(),
        id: "ID".to_owned(),
        secret: "SECRET".to_owned(),
    };
    assert_eq!(KeyLocation::parse("prod/aws#ID,SECRET"), Some(document));
    let values = KeyLocation::Values { id: "/a/id".to_owned(), secret: "/a/secret".to_owned() };
    assert_eq!(KeyLocation::parse("/a/id,/a/secret"), Some(values));
    for text in ["", "a", "a#b", "a#b,", "a#,b", "#a,b", "a,a", "a#b,b", ",b"] {
        assert_eq!(KeyLocation::parse(text), None, "{text}");
    }
}
