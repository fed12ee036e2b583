//! Measures the overhead of sealing over its RSA operations: 200 items for an RSA-4096 key, on all cores.
//!
//! `cargo bench --bench seal` prints both times and their ratio, from one run on one machine. It asserts nothing.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rsa::hazmat::rsa_encrypt;
use rsa::pkcs8::DecodePublicKey;
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, PublicKey};
use sealwave_secrets::SealingScope;
use sealwave_secrets::crypto::{Certificate, ItemText, SealItem, SealKey, SealOwner, Sealer};
use sealwave_secrets::settings::DerivationVersion;
use sealwave_secrets::values::SecretValue;
use x509_cert::der::{DecodePem, Encode};

const ITEMS: usize = 200;
const ROUNDS: usize = 15;
const CERTIFICATE: &str = include_str!("../testdata/sealed-secrets/rsa4096.crt");
const KEY_LINE: &str = "sealwave-seal-key-v1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

fn main() {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let key = public_key();
    let number = BoxedUint::from_be_slice(&[0x5a; 511], key.n_bits_precision()).expect("it fits");
    let sealer = Sealer {
        key: SealKey::from_file(KEY_LINE.as_bytes()).expect("a key"),
        certificate: Certificate::from_pem(CERTIFICATE.as_bytes()).expect("a certificate"),
        owner: SealOwner {
            project: "shop".to_owned(),
            app: "shop-dev".to_owned(),
            derivation: DerivationVersion::V1,
        },
        epoch: String::new(),
    };
    let values: Vec<SecretValue> =
        (0..ITEMS).map(|n| SecretValue::new(format!("not a real password {n:04}").into_bytes())).collect();
    let items: Vec<SealItem<'_>> = values.iter().map(item).collect();

    let (mut bare, mut sealing) = (Duration::MAX, Duration::MAX);
    // Alternating, so that both run under the same conditions; the best of each counts.
    for _ in 0..ROUNDS {
        bare = bare.min(time(|| raw_operations(cores, &key, &number)));
        sealing = sealing.min(time(|| {
            black_box(sealer.seal_all(&items).expect("they can be sealed"));
        }));
    }
    println!("{ITEMS} items, RSA-4096, {cores} cores, best of {ROUNDS} rounds");
    println!("bare RSA operations  {:8.1} ms", millis(bare));
    println!("sealing              {:8.1} ms", millis(sealing));
    println!("ratio                {:8.2}", millis(sealing) / millis(bare));
}

fn public_key() -> PublicKey {
    let certificate = x509_cert::Certificate::from_pem(CERTIFICATE).expect("a certificate");
    let spki = certificate.tbs_certificate().subject_public_key_info().to_der().expect("it has a key");
    PublicKey::from_public_key_der(&spki).expect("an RSA key")
}

fn item(value: &SecretValue) -> SealItem<'_> {
    SealItem {
        scope: SealingScope::Strict,
        namespace: "shop",
        name: "db",
        item_key: "password",
        text: ItemText::Literal,
        unresolved: value,
        value,
    }
}

fn raw_operations(cores: usize, key: &PublicKey, number: &BoxedUint) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while next.fetch_add(1, Ordering::Relaxed) < ITEMS {
                    black_box(rsa_encrypt(key, black_box(number)).expect("it can be encrypted"));
                }
            });
        }
    });
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
