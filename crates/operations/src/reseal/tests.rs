use std::collections::BTreeMap;

use fs_err as fs;

use super::testing::{CANARY, Repository, certificate, ciphertext, keys, path_of, sealed, text_of};
use super::*;
use crate::file_changes::ChangeSet;
use crate::plan::PlanFact;
use crate::progress::HiddenProgress;
use crate::report::OperationOutcome;
use crate::sealed_files::SealedFile;
use crate::state::{Journal, OperationId, StateDirectory};
use crate::work_tree::PushTarget;
use sealwave_core::names::{RESEALED, SEALED_FOR};
use sealwave_secrets::resealed::{ResealRecord, ciphertext_digest};

fn journal(state: &tempfile::TempDir) -> Journal<ResealState> {
    let directory = StateDirectory::open(&state.path().join("state")).expect("usable");
    directory.journal(OperationId::new("reseal", ["here"])).expect("opened")
}

fn state() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

fn apply(
    repository: &Repository,
    state: &tempfile::TempDir,
    delivery: &ResealDelivery,
) -> crate::report::OperationReport {
    let tree = repository.work_tree();
    let run = ResealRun::open(journal(state), Some(&tree), delivery, &HiddenProgress)
        .unwrap_or_else(|failure| panic!("{failure}"));
    let plan = repository.plan().unwrap_or_else(|failure| panic!("{failure}"));
    tree.require_clean(plan.changes.paths(), run.earlier()).expect("clean");
    run.apply(plan).unwrap_or_else(|failure| panic!("{failure}"))
}

/// Returns a file without ciphertexts and without the annotations of this module.
fn skeleton(text: &str) -> String {
    let own =
        |line: &&str| !line.contains(RESEALED) && !line.contains(SEALED_FOR) && line.trim() != "annotations:";
    let line = |line: &str| match line.split_once("password: ") {
        Some((key, rest)) => format!("{key}password:{}\n", rest.trim_start_matches(|c: char| c != ' ')),
        None => format!("{line}\n"),
    };
    text.lines().filter(own).map(line).collect()
}

fn items(text: &str) -> BTreeMap<String, String> {
    let file =
        SealedFile::read("a.yaml", text.as_bytes().to_vec()).unwrap_or_else(|failure| panic!("{failure}"));
    let items = file.objects().iter().flat_map(|object| object.items.iter());
    items.map(|item| (item.key.clone(), item.ciphertext.clone())).collect()
}

#[test]
fn only_ciphertexts_and_own_annotations_change() {
    let repository = Repository::with_twelve_files();
    let before: Vec<String> = (1..=12).map(|number| repository.read(&path_of(number))).collect();
    let report = apply(&repository, &state(), &ResealDelivery::default());
    assert_eq!(report.outcome, OperationOutcome::Done);
    assert_eq!(repository.changed().len(), 12);
    let new = keys(&["rsa4096.key"]);
    for (number, before) in (1..=12).zip(&before) {
        let after = repository.read(&path_of(number));
        assert_eq!(skeleton(&after), skeleton(before));
        let name = format!("secret-{number:02}");
        let label = sealwave_secrets::SealingScope::Strict.label("shop", &name);
        let (value, _) = new.open(&label, &items(&after)["password"]).expect("the new key alone opens it");
        assert_eq!(value.expose_str(), Some(format!("{CANARY} {name}").as_str()));
    }
    // A second run has nothing to do.
    repository.commit();
    let plan = repository.plan().expect("planned");
    assert!(plan.plan.is_empty() && plan.changes.is_empty(), "{}", plan.plan.human(true));
}

#[test]
fn the_first_digest_is_carried_through_every_reseal() {
    let repository =
        Repository::new(&[("envs/dev/sealed-secrets/a.yaml", sealed(&certificate("rsa2048.crt"), "db"))]);
    let read = || repository.read("envs/dev/sealed-secrets/a.yaml");
    let first = ciphertext_digest(&items(&read())["password"]);
    let original = || {
        let file = SealedFile::read("a.yaml", read().into_bytes()).expect("valid");
        let object = &file.objects()[0];
        let record = ResealRecord::parse(object.annotation(RESEALED).expect("a record")).expect("valid");
        let id = sealwave_secrets::resealed::SealedItemId {
            namespace: "shop",
            name: "db",
            scope: object.scope,
            key: "password",
        };
        record.original(&id, &object.items[0].ciphertext)
    };
    apply(&repository, &state(), &ResealDelivery::default());
    assert_eq!(original(), first);
    repository.commit();
    // And on to a third key.
    let (keys, third) = (keys(&["rsa4096.key", "rsa3072.key"]), certificate("rsa3072.crt"));
    let plan = repository.plan_with(&third, &OfflineEngine::new(&keys, &third)).expect("planned");
    plan.changes.apply(|_| Ok::<_, crate::file_changes::FileChangeError>(())).expect("applied");
    assert_eq!(original(), first);
}

#[test]
fn a_file_in_utf_16_is_reported() {
    let text = sealed(&certificate("rsa2048.crt"), "db");
    let repository = Repository::new(&[("envs/dev/sealed-secrets/a.yaml", text.clone())]);
    let bytes =
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    fs_err::write(repository.path().join("envs/dev/sealed-secrets/a.yaml"), bytes).expect("written");
    let unseen = repository.tree().unseen;
    assert!(matches!(&unseen[..], [file] if file.reason.text().contains("UTF-16")), "{unseen:?}");
}

#[test]
fn the_tenth_of_twelve_files_leaves_the_tree_untouched() {
    // An item that was sealed for another name.
    let repository = Repository::with_twelve_files();
    let tenth = path_of(10);
    repository.write(&tenth, &repository.read(&tenth).replace("name: secret-10", "name: other"));
    repository.commit();
    let failure = repository.plan().err().expect("refused");
    let text = text_of(&failure);
    assert!(text.contains("sealed-10.yaml:9: item `password` of SealedSecret `shop/other` cannot be opened with any of the 2 given keys"), "{text}");
    assert!(!text.contains(CANARY) && failure.problems().len() == 1);
    assert_eq!(repository.changed(), Vec::<String>::new());

    // A file that cannot be written.
    let repository = Repository::with_twelve_files();
    let blocked = repository.path().join(&tenth).with_file_name(".sealed-10.yaml.sealwave-new");
    fs::create_dir(&blocked).expect("created");
    let failed = failing_apply(&repository, |_| {});
    assert!(failed.contains("sealed-10.yaml` cannot be changed"), "{failed}");
    assert_eq!(repository.changed(), Vec::<String>::new());

    // A file that changes between plan and apply.
    let repository = Repository::with_twelve_files();
    let failed = failing_apply(&repository, |repository| {
        repository.write(&tenth, &format!("{}# edited\n", repository.read(&tenth)));
    });
    assert!(failed.contains("sealed-10.yaml` has changed since the plan was made"), "{failed}");
    assert_eq!(repository.changed(), [tenth]);
}

/// Plans, runs `between`, and applies, which must fail.
fn failing_apply(repository: &Repository, between: impl FnOnce(&Repository)) -> String {
    let (state, tree, delivery) = (state(), repository.work_tree(), ResealDelivery::default());
    let run = ResealRun::open(journal(&state), Some(&tree), &delivery, &HiddenProgress)
        .unwrap_or_else(|failure| panic!("{failure}"));
    let plan = repository.plan().unwrap_or_else(|failure| panic!("{failure}"));
    between(repository);
    text_of(&run.apply(plan).expect_err("refused"))
}

#[test]
fn a_run_that_was_killed_between_renames_is_continued() {
    let repository = Repository::with_twelve_files();
    let (state, tree, delivery) =
        (state(), repository.work_tree(), ResealDelivery { commit: true, push: None });
    let plan = repository.plan().expect("planned");
    // What a killed run leaves: its journal, all staged files, and the first five renamed.
    let mut open = journal(&state);
    open.record(ResealState::Changing { record: plan.changes.record(), earlier: None }).expect("recorded");
    drop(open);
    leave_staged(&repository, &plan.changes, 5);
    let run = ResealRun::open(journal(&state), Some(&tree), &delivery, &HiddenProgress).expect("continued");
    assert_eq!(run.earlier(), Some(&plan.changes.record()));
    let mut again = repository.plan().expect("planned");
    assert!(again.changes.is_empty());
    tree.require_clean(again.changes.paths(), run.earlier()).expect("its own changes");
    run.complete_plan(&mut again.plan);
    assert_eq!(again.plan.steps.len(), 1, "only the commit is left");
    let report = run.apply(again).expect("applied");
    assert_eq!(report.outcome, OperationOutcome::Done);
    assert_eq!(report.results[0], "the files of an interrupted run were replaced");
    assert_eq!(repository.changed(), Vec::<String>::new(), "committed");
    assert_eq!(repository.git(&["show", "--name-only", "--format=", "HEAD"]).lines().count(), 12);
    assert!(journal(&state).state().is_none());
}

/// Writes the new contents of all files beside them, and renames the first ones.
fn leave_staged(repository: &Repository, changes: &ChangeSet, renamed: usize) {
    for (number, change) in changes.changes().iter().enumerate() {
        let target = repository.path().join(change.path());
        let name = target.file_name().expect("a name").to_string_lossy().into_owned();
        let staged = target.with_file_name(format!(".{name}.sealwave-new"));
        fs::write(&staged, change.after()).expect("written");
        if number < renamed {
            fs::rename(&staged, &target).expect("renamed");
        }
    }
}

#[test]
fn a_run_that_was_killed_before_the_first_rename_plans_again() {
    let repository = Repository::with_twelve_files();
    let (state, tree, delivery) = (state(), repository.work_tree(), ResealDelivery::default());
    let plan = repository.plan().expect("planned");
    let mut open = journal(&state);
    open.record(ResealState::Changing { record: plan.changes.record(), earlier: None }).expect("recorded");
    drop(open);
    let run = ResealRun::open(journal(&state), Some(&tree), &delivery, &HiddenProgress).expect("opened");
    assert_eq!(run.earlier(), None);
    run.apply(repository.plan().expect("planned")).expect("applied");
    assert_eq!(repository.changed().len(), 12);
}

#[test]
fn a_push_to_another_branch_waits_for_its_merge() {
    let remote = tempfile::tempdir().expect("a directory");
    let repository = Repository::with_twelve_files();
    let address = remote.path().display().to_string();
    repository.git(&["init", "--quiet", "--bare", &address]);
    repository.git(&["remote", "add", "origin", &address]);
    repository.git(&["push", "--quiet", "origin", "main"]);
    repository.git(&["checkout", "--quiet", "-b", "renewal"]);
    let target = PushTarget { remote: "origin".to_owned(), branch: "main".to_owned() };
    let (state, delivery) = (state(), ResealDelivery { commit: true, push: Some(target) });
    let until = "the merge of `renewal` into `main`".to_owned();
    assert_eq!(
        apply(&repository, &state, &delivery).outcome,
        OperationOutcome::Waiting { until: until.clone() }
    );
    // Nothing was merged yet.
    assert_eq!(apply(&repository, &state, &delivery).outcome, OperationOutcome::Waiting { until });
    // A squash is a merge too.
    repository.git(&["checkout", "--quiet", "main"]);
    repository.git(&["merge", "--quiet", "--squash", "renewal"]);
    repository.git(&["commit", "--quiet", "-m", "Squashed"]);
    repository.git(&["push", "--quiet", "origin", "main"]);
    repository.git(&["checkout", "--quiet", "renewal"]);
    assert_eq!(apply(&repository, &state, &delivery).outcome, OperationOutcome::Done);
    assert!(journal(&state).state().is_none());
}

#[test]
fn no_plan_report_or_journal_holds_a_value() {
    let repository = Repository::with_twelve_files();
    let plan = repository.plan().expect("planned");
    let mut texts = vec![plan.plan.human(true), String::from_utf8(plan.plan.json()).expect("UTF-8")];
    let state = state();
    let mut open = journal(&state);
    open.record(ResealState::Changing { record: plan.changes.record(), earlier: None }).expect("recorded");
    texts.push(fs::read_to_string(open.path()).expect("readable"));
    let keys = keys(&["rsa2048.key"]);
    let tree = repository.tree();
    let check = CheckReport::new(&tree, &certificate("rsa4096.crt"), Some(&keys), None).expect("checked");
    let map = KeyMap::new(&[tree], Some(&keys), None, None).expect("mapped");
    texts.extend([check.human(), map.human()]);
    texts.extend([check.json(), map.json()].map(|json| String::from_utf8(json).expect("UTF-8")));
    for text in texts {
        assert!(text.len() > 50 && !text.contains(CANARY), "{text}");
    }
}

#[test]
fn items_are_stale_unknown_or_current() {
    let (old, new) = (certificate("rsa2048.crt"), certificate("rsa4096.crt"));
    let repository = Repository::new(&[("envs/dev/sealed-secrets/a.yaml", sealed(&old, "db"))]);
    let states = |keys: Option<&crate::key_files::UnsealKeys>,
                  certificate: &sealwave_secrets::crypto::Certificate| {
        let report = CheckReport::new(&repository.tree(), certificate, keys, None).expect("checked");
        let items = report.items.iter().map(|item| format!("{} {}", item.state, item.reason));
        (report.current, items.collect::<Vec<_>>(), report.has_findings())
    };
    let by_another = ["unknown sealed by another tool".to_owned()];
    assert_eq!(states(None, &old), (0, by_another.to_vec(), true));
    let both = keys(&["rsa2048.key", "rsa4096.key"]);
    assert_eq!(states(Some(&both), &old), (1, vec![], false));
    assert_eq!(states(Some(&both), &new), (0, vec!["stale sealed for 41dc2e7f1ec8…".to_owned()], true));
    // The claim of `sealwave seal` is good enough for a report, but the item is sealed again.
    let claim = |key: &str| {
        sealed(&old, "db")
            .replace("metadata:\n", &format!("metadata:\n  annotations: {{{SEALED_FOR}: sha256:{key}}}\n"))
    };
    repository.write("envs/dev/sealed-secrets/a.yaml", &claim(&old.details().public_key_sha256));
    assert_eq!(states(None, &old), (1, vec![], false));
    assert_eq!(states(None, &new), (0, vec!["stale sealed for 41dc2e7f1ec8…".to_owned()], true));
    repository.write("envs/dev/sealed-secrets/a.yaml", &claim(&new.details().public_key_sha256));
    assert_eq!(states(None, &new), (1, vec![], false));
    assert_eq!(repository.plan().expect("planned").resealed, 1);
    // A number above the modulus.
    let small = certificate("rsa2048.crt");
    repository.write("envs/dev/sealed-secrets/a.yaml", &sealed(&new, "db"));
    assert_eq!(states(None, &small), (0, vec!["stale sealed for another key".to_owned()], true));
    // After re-sealing, the record tells without a key.
    repository.write("envs/dev/sealed-secrets/a.yaml", &sealed(&old, "db"));
    repository.commit();
    apply(&repository, &state(), &ResealDelivery::default());
    assert_eq!(states(None, &new), (1, vec![], false));
    assert_eq!(states(None, &old), (0, vec!["stale sealed for 5488a84d6a40…".to_owned()], true));
    // An edited item is unknown again, and is sealed again.
    let text = repository.read("envs/dev/sealed-secrets/a.yaml");
    let edited = text.replace(&items(&text)["password"], &ciphertext(&new, "db", "other"));
    repository.write("envs/dev/sealed-secrets/a.yaml", &edited);
    assert_eq!(states(None, &new), (0, by_another.to_vec(), true));
}

#[test]
fn a_map_names_the_keys_that_nothing_needs_and_what_it_could_not_see() {
    let (old, new) = (certificate("rsa2048.crt"), certificate("rsa4096.crt"));
    let one = Repository::new(&[
        ("a.yaml", sealed(&old, "a")),
        ("b.yaml.hbs", "kind: SealedSecret\n".to_owned()),
        ("c.yaml", sealed(&new, "c").replace("name: c", "name: renamed")),
        ("d.yaml", sealed(&old, "d").replace("  namespace: shop\n", "")),
        ("broken.yaml", "kind: SealedSecret\na: [\n".to_owned()),
    ]);
    let two = Repository::new(&[("x.yaml", sealed(&new, "x"))]);
    let keys = keys(&["rsa2048.key", "rsa3072.key", "rsa4096.key"]);
    let map = KeyMap::new(&[one.tree(), two.tree()], Some(&keys), None, None).expect("mapped");
    let of_key = |start: &str| {
        map.keys.iter().find(|key| key.public_key_sha256.starts_with(start)).expect("a key").items
    };
    assert_eq!((of_key("41dc"), of_key("d813"), of_key("5488")), (1, 0, 1));
    let unknown: Vec<&str> =
        map.items.iter().filter(|item| item.evidence == "unknown").map(|item| item.object.as_str()).collect();
    assert_eq!(unknown, ["shop/renamed", "d"]);
    assert_eq!(map.unseen.len(), 2);
    let human = map.human();
    for expected in [
        "rsa3072.key): unknown whether an item needs it",
        "unknown: 2 items, which none of the given keys opens",
        "which other keys are needed is unknown; items that were not opened: 2, files that were not seen: 2",
        "b.yaml.hbs: template with a SealedSecret, which cannot be edited",
        "broken.yaml: ",
        "other repositories, branches and older commits",
    ] {
        assert!(human.contains(expected), "{expected}\n{human}");
    }
}

#[test]
fn what_cannot_be_planned_is_refused_with_its_place() {
    let old = certificate("rsa2048.crt");
    for (text, expected) in [
        (
            sealed(&old, "db").replace("  namespace: shop\n", ""),
            "a.yaml:2: SealedSecret `db` has no namespace, which is a part of its strict scope",
        ),
        (
            sealed(&old, "db").replace("password: ", "password: >-\n      AgB\n      "),
            "a.yaml:9: item `password` of SealedSecret `shop/db` is not standard base64",
        ),
        (
            sealed(&old, "db").replace("password: ", "password: &x ").replace("spec:", "other: 1\nspec:")
                + "    b: *x\n",
            "item `b` is shared through an alias",
        ),
        (sealed(&old, "db").replace("spec:", "spec:\n  data: AgB"), "a.yaml:2: SealedSecret has `spec.data`"),
        ("kind: SealedSecret\na: [\n".to_owned(), "a.yaml:3"),
    ] {
        let repository = Repository::new(&[("a.yaml", text.clone())]);
        let failure = repository.plan().err().unwrap_or_else(|| panic!("{text}"));
        let text = text_of(&failure);
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

#[test]
fn hostile_files_are_neither_followed_nor_dropped() {
    let old = certificate("rsa2048.crt");
    let repository = Repository::new(&[("envs/dev/sealed-secrets/a.yaml", sealed(&old, "db"))]);
    let outside = tempfile::tempdir().expect("a directory");
    fs::write(outside.path().join("b.yaml"), sealed(&old, "b")).expect("written");
    let link = |target: &std::path::Path, name: &str| {
        std::os::unix::fs::symlink(target, repository.path().join("envs/dev/sealed-secrets").join(name))
            .expect("a link");
    };
    link(&outside.path().join("b.yaml"), "out.yaml");
    link(std::path::Path::new("a.yaml"), "inside.yaml");
    link(outside.path(), "directory");
    repository.write("envs/dev/sealed-secrets/a\nb\u{1b}[2J.yaml", "kind: SealedSecret\na: {{ x }}\n");
    repository.write("ignored.yaml", &sealed(&old, "ignored"));
    repository.write(".gitignore", "ignored.yaml\n");
    let deep = format!("kind: SealedSecret\na: {}\n", "[".repeat(10_000));
    repository.write("deep.yaml", &deep);
    let tree = repository.tree();
    assert_eq!(tree.files.len(), 1, "{:?}", tree.unseen);
    let unseen: Vec<String> = tree.unseen.iter().map(|file| file.reason.text()).collect();
    assert_eq!(unseen.len(), 3, "{unseen:?}");
    assert!(unseen.iter().any(|reason| reason == "symbolic link out of the repository"));
    let map = KeyMap::new(&[tree], None, None, None).expect("mapped").human();
    assert!(!map.chars().any(|c| c.is_control() && c != '\n'), "{map:?}");
}

/// An engine that gives the same answer for every item.
struct StubEngine(&'static str);

impl ResealEngine for StubEngine {
    fn reseal(&self, sealed: &SealedItems) -> Result<ResealedItems, EngineFailure> {
        let item = || ResealedItem::Sealed { ciphertext: self.0.to_owned(), opened_by: None };
        Ok(sealed.items.keys().map(|key| (key.clone(), item())).collect())
    }

    fn facts(&self) -> Vec<PlanFact> {
        vec![PlanFact { name: "controller".to_owned(), value: "stub".to_owned() }]
    }
}

#[test]
fn what_an_engine_returns_cannot_change_anything_else() {
    let repository =
        Repository::new(&[("envs/dev/sealed-secrets/a.yaml", sealed(&certificate("rsa2048.crt"), "db"))]);
    let new = certificate("rsa4096.crt");
    for hostile in ["AgB=\nspec: {}", "AgB= # x", "\"", ""] {
        let failure = repository.plan_with(&new, &StubEngine(hostile)).err().expect("refused");
        assert!(text_of(&failure).contains("new ciphertext of item `password` is not base64"), "{hostile}");
    }
    let plan = repository.plan_with(&new, &StubEngine("AgB=")).expect("planned");
    assert!(plan.plan.human(false).contains("controller           stub"));
    assert_eq!(plan.plan.files.len(), 1);
}

#[test]
fn files_of_several_environments_need_consent() {
    let old = certificate("rsa2048.crt");
    let repository = Repository::new(&[
        ("envs/dev/sealed-secrets/a.yaml", sealed(&old, "a")),
        ("envs/prod/sealed-secrets/a.yaml", sealed(&old, "a")),
    ]);
    let named = |path: &str, names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let tree =
            SealedTree::find(&[repository.path().join(path)], &names).map_err(|failure| text_of(&failure))?;
        require_environments(&[&tree], &names).map_err(|error| error.to_string())?;
        Ok::<_, String>(tree.paths().map(|path| path.display().to_string()).collect::<Vec<_>>())
    };
    let [dev, prod] = ["envs/dev/sealed-secrets/a.yaml", "envs/prod/sealed-secrets/a.yaml"];
    assert!(named("", &[]).expect_err("two").contains("several environments"));
    for directory in ["", "envs"] {
        assert_eq!(named(directory, &["dev"]).expect("selected"), [dev]);
        assert_eq!(named(directory, &["dev", "prod"]).expect("selected"), [dev, prod]);
        let error = named(directory, &["prod", "de"]).expect_err("unknown");
        assert_eq!(error, "no file belongs to environment `de`; found: `dev`, `prod`");
    }
    assert_eq!(named(dev, &["dev"]).expect("selected"), [dev]);
    assert!(
        named(dev, &["prod"]).expect_err("another").contains("belongs to environment `dev`, which `--env`")
    );
    assert_eq!(
        named("envs/dev", &["prod"]).expect_err("another"),
        "no file belongs to environment `prod`; found: `dev`"
    );
}
