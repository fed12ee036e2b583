//! Measures re-sealing of 1,000 committed files offline, against the RSA operations that it needs.
//!
//! Prints the best of several rounds. Asserts nothing.
#![allow(clippy::print_stdout, reason = "printing is what a benchmark is for")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use getrandom::SysRng;
use rsa::hazmat::{rsa_decrypt_and_check, rsa_encrypt};
use rsa::pkcs8::DecodePrivateKey;
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, PrivateKey};
use sealwave_core::workers;
use sealwave_operations::key_files::UnsealKeys;
use sealwave_operations::progress::HiddenProgress;
use sealwave_operations::reseal::{OfflineEngine, PlanInput, ResealPlan, SealedTree};
use sealwave_secrets::SealingScope;
use sealwave_secrets::crypto::Certificate;
use sealwave_secrets::values::SecretValue;

const FILES: usize = 1000;
const ROUNDS: usize = 3;

fn testdata(name: &str) -> PathBuf {
    sealwave_testkit::repository_root().join("testdata/sealed-secrets").join(name)
}

fn certificate(name: &str) -> Certificate {
    Certificate::from_pem(&fs_err::read(testdata(name)).expect("a certificate")).expect("valid")
}

fn keys(names: &[&str]) -> UnsealKeys {
    let files: Vec<PathBuf> = names.iter().map(|name| testdata(name)).collect();
    UnsealKeys::read(&files, &[], &mut Vec::new()).expect("keys")
}

fn label(number: usize) -> Vec<u8> {
    SealingScope::Strict.label("shop", &format!("secret-{number}"))
}

fn main() {
    let (old, new) = (certificate("rsa4096.crt"), certificate("rsa3072.crt"));
    let directory = tempfile::TempDir::new().expect("a directory");
    let numbers: Vec<usize> = (0..FILES).collect();
    let value = SecretValue::new(b"a value of a usual length".to_vec());
    let seal = |number: &usize| old.seal_randomly(&label(*number), &value).expect("sealed");
    let items = workers::parallel_map(&numbers, seal).expect("no panic");
    for (number, item) in numbers.iter().zip(&items) {
        let text = format!(
            "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  name: secret-{number}\n  namespace: shop\n\
             spec:\n  encryptedData:\n    password: {item}\n  template:\n    metadata:\n      name: secret-{number}\n"
        );
        fs_err::write(directory.path().join(format!("sealed-{number}.yaml")), text).expect("a file");
    }
    println!("{FILES} files with one item, from RSA-4096 to RSA-3072");
    let [old_key, both_keys] = [keys(&["rsa4096.key"]), keys(&["rsa4096.key", "rsa3072.key"])];
    let [old_rsa, new_rsa] = ["rsa4096.key", "rsa3072.key"].map(private_key);
    // An item needs one private operation to be opened and one public one to be sealed. If the key of the new certificate is
    // there, another private one verifies it.
    let [mut bare, mut bare_verified, mut by_form, mut by_key] = [Duration::MAX; 4];
    // Alternating, so that all run under the same conditions; the best of each counts.
    for _ in 0..ROUNDS {
        bare = bare.min(time(|| rsa_operations(&old_rsa, &new_rsa, false)));
        by_form = by_form.min(time(|| reseal(directory.path(), &old_key, &new)));
        bare_verified = bare_verified.min(time(|| rsa_operations(&old_rsa, &new_rsa, true)));
        by_key = by_key.min(time(|| reseal(directory.path(), &both_keys, &new)));
    }
    println!("one private and one public RSA operation each     {:8.0} ms", millis(bare));
    println!("the same, and a private one to verify             {:8.0} ms", millis(bare_verified));
    println!("re-sealing, verified by form                      {:8.0} ms", millis(by_form));
    println!("re-sealing, verified with the new key             {:8.0} ms", millis(by_key));
    println!("ratio, verified by form                           {:8.2}", millis(by_form) / millis(bare));
    println!(
        "ratio, verified with the new key                  {:8.2}",
        millis(by_key) / millis(bare_verified)
    );
    println!("the same, against one private and one public one  {:8.2}", millis(by_key) / millis(bare));
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn private_key(name: &str) -> PrivateKey {
    let pem = fs_err::read_to_string(testdata(name)).expect("a key");
    PrivateKey::from_pkcs8_pem(&pem).expect("an RSA key")
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Performs the RSA operations of all items on all cores.
fn rsa_operations(old: &PrivateKey, new: &PrivateKey, verify: bool) {
    let number = |key: &PrivateKey| {
        BoxedUint::from_be_slice(&vec![0x5a; key.size() - 1], key.n_bits_precision()).expect("it fits")
    };
    let (for_old, for_new) = (number(old), number(new));
    let public = new.to_public_key();
    let open = |key: &PrivateKey, number: &BoxedUint| {
        black_box(
            rsa_decrypt_and_check(key, Some(&mut SysRng), black_box(number)).expect("it can be decrypted"),
        );
    };
    let work = |(): &()| {
        open(old, &for_old);
        black_box(rsa_encrypt(&public, black_box(&for_new)).expect("it can be encrypted"));
        if verify {
            open(new, &for_new);
        }
    };
    workers::parallel_map(&[(); FILES], work).expect("no panic");
}

/// Finds, reads and plans all files; everything but the replacement of the files.
fn reseal(directory: &Path, keys: &UnsealKeys, new: &Certificate) {
    let tree = SealedTree::find(&[directory.to_owned()], &[]).expect("found");
    let engine = OfflineEngine::new(keys, new);
    let input = PlanInput {
        tree: &tree,
        certificate: new,
        engine: &engine,
        namespace: None,
        progress: &HiddenProgress,
    };
    let plan = ResealPlan::new(&input).expect("planned");
    assert_eq!(plan.resealed, FILES);
}
