//! Files of several clusters with key files: an item that was copied from another cluster is not sealed for this one.

use std::collections::BTreeSet;
use std::path::PathBuf;

use fs_err as fs;

use super::testing::{Repository, certificate, keys, sealed, testdata, text_of};
use super::{OfflineEngine, ResealPlan};
use crate::key_files::UnsealKeys;
use sealwave_core::diagnostic::Failure;

const OWN: &str = "envs/dev/sealed-secrets/own.yaml";
const COPIED: &str = "envs/dev/sealed-secrets/copied.yaml";

/// The present key of this cluster, its old one, and that of another cluster.
const NEW: &str = "rsa4096";
const OLD: &str = "rsa2048";
const OTHER: &str = "rsa3072";

/// Reads key files, each with the keys of these names.
fn key_files(files: &[&[&str]]) -> (tempfile::TempDir, UnsealKeys) {
    let directory = tempfile::tempdir().expect("a directory");
    let paths: Vec<PathBuf> = files.iter().map(|names| directory.path().join(names.join("-"))).collect();
    for (path, names) in paths.iter().zip(files) {
        let text: String = names
            .iter()
            .map(|name| fs::read_to_string(testdata(&format!("{name}.key"))).expect("readable"))
            .collect();
        fs::write(path, text).expect("written");
    }
    let keys = UnsealKeys::read(&paths, &[], &mut Vec::new()).expect("keys");
    (directory, keys)
}

/// Plans with files of this cluster (by the old key) and one that was copied.
fn plan(
    files: &[&[&str]],
    own: &str,
    controller: Option<&[&str]>,
    accepted: &[&str],
) -> Result<ResealPlan, Failure> {
    let file = |name: &str, object: &str| sealed(&certificate(&format!("{name}.crt")), object);
    let repository = Repository::new(&[(OWN, file(own, "own")), (COPIED, file(OTHER, "copied"))]);
    let (_directory, keys) = key_files(files);
    let new = certificate(&format!("{NEW}.crt"));
    let public = |name: &&str| certificate(&format!("{name}.crt")).details().public_key_sha256.clone();
    let controller = controller.map(|names| names.iter().map(public).collect::<BTreeSet<_>>());
    let accepted: Vec<String> = accepted.iter().map(|text| (*text).to_owned()).collect();
    let engine = OfflineEngine::new(&keys, &new).knowing(controller, &accepted).expect("a key");
    repository.plan_with(&new, &engine)
}

#[test]
fn items_of_another_cluster_are_refused_with_their_files() {
    for (files, own, controller) in [
        // The old key is in a file with the new one, and the other is not.
        (&[&[NEW, OLD][..], &[OTHER][..]][..], OLD, None),
        // Nothing tells which of two files has the keys of the controller.
        (&[&[OLD][..], &[OTHER][..]][..], OLD, None),
        (&[&[NEW][..], &[OLD][..], &[OTHER][..]][..], OLD, None),
        // The file of this cluster is current.
        (&[&[NEW][..], &[OTHER][..]][..], NEW, None),
        // One item of another controller is one too many, if the backup tells all keys.
        (&[&[NEW, OLD][..], &[OTHER][..]][..], OTHER, None),
        // The controller tells it, whatever the files say.
        (&[&[NEW, OLD, OTHER][..]][..], OLD, Some(&[NEW, OLD][..])),
        (&[&[OTHER][..]][..], OTHER, Some(&[NEW][..])),
    ] {
        let failure = plan(files, own, controller, &[]).err().expect("refused");
        let text = text_of(&failure);
        assert!(text.contains(COPIED) && text.contains("key d8139b1d140d…"), "{files:?}: {text}");
        assert!(text.contains("--accept-key d8139b1d140d"), "{files:?}: {text}");
        let message = if controller.is_some() {
            "the controller of the certificate does not have"
        } else {
            "may belong to another controller"
        };
        assert!(text.contains(message), "{files:?}: {text}");
    }
}

#[test]
fn keys_of_one_controller_are_used() {
    for (files, own, controller, accepted) in [
        (&[&[NEW, OLD, OTHER][..]][..], OLD, None, &[][..]),
        (&[&[OLD][..], &[OTHER][..]][..], OLD, Some(&[NEW, OLD, OTHER][..]), &[]),
        (&[&[NEW, OLD][..], &[OTHER][..]][..], OLD, None, &["D8139B1D140D"]),
        (&[&[OTHER][..]][..], OTHER, Some(&[NEW][..]), &["d8139b1d140d"]),
    ] {
        let plan =
            plan(files, own, controller, accepted).unwrap_or_else(|failure| panic!("{files:?}: {failure}"));
        assert!(plan.warnings.is_empty(), "{files:?}: {:?}", plan.warnings);
        assert_eq!(plan.resealed, 2, "{files:?}");
    }
}

#[test]
fn a_single_key_that_nothing_is_known_about_is_shown_with_a_warning() {
    for files in [&[&[OTHER][..]][..], &[&[NEW][..], &[OTHER][..]], &[&[OLD, OTHER][..]]] {
        let plan = plan(files, OTHER, None, &[]).unwrap_or_else(|failure| panic!("{files:?}: {failure}"));
        let warnings: Vec<&str> = plan.warnings.iter().map(|warning| warning.message.as_str()).collect();
        let [warning] = warnings[..] else { panic!("{warnings:?}") };
        assert!(warning.contains("key d8139b1d140d…") && warning.contains("is not known to be"), "{warning}");
        let human = plan.plan.human(false);
        for text in [
            "key d8139b1d140d…",
            "opened items: 2, in files: 2; from `",
            "own.yaml (opened with d8139b1d140d)\n",
            "copied.yaml (opened with d8139b1d140d)\n",
        ] {
            assert!(human.contains(text), "{text}\n---\n{human}");
        }
        let json: serde_json::Value = serde_json::from_slice(&plan.plan.json()).expect("JSON");
        assert!(json["files"][0]["openedWith"][0].as_str().expect("a key").starts_with("d8139b1d140d"));
    }
}

#[test]
fn an_accepted_key_must_be_given() {
    let (keys, new) = (keys(&["rsa2048.key"]), certificate("rsa4096.crt"));
    for text in ["", "41dc2e7f1ec", "41dc2e7f1ec9", "\u{1b}[2J"] {
        let engine = OfflineEngine::new(&keys, &new).knowing(None, &[text.to_owned()]);
        let error = engine.err().expect("refused");
        assert!(
            error.to_string().ends_with("of `--accept-key` is not the fingerprint of a given key"),
            "{error}"
        );
    }
}
