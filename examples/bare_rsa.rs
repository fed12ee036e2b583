//! A lower bound for sealing: raw RSA-4096 public-key operations on all cores.
//!
//! Prints the time in milliseconds; `scripts/bench.sh` compares a whole run with it.

use std::error::Error;
use std::hint::black_box;
use std::io::{Write as _, stdout};
use std::thread;
use std::time::Instant;

use rsa::hazmat::rsa_encrypt;
use rsa::pkcs8::DecodePublicKey as _;
use rsa::traits::PublicKeyParts as _;
use rsa::{BoxedUint, PublicKey};
use x509_cert::Certificate;
use x509_cert::der::{DecodePem as _, Encode as _};

const CERTIFICATE: &[u8] = include_bytes!("../testdata/sealed-secrets/rsa4096.crt");
const OPERATIONS: usize = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let operations = std::env::args().nth(1).map_or(Ok(OPERATIONS), |count| count.parse())?;
    let certificate = Certificate::from_pem(CERTIFICATE)?;
    let spki = certificate.tbs_certificate().subject_public_key_info().to_der()?;
    let key = PublicKey::from_public_key_der(&spki)?;
    let mut bytes = vec![0x5a; key.size()];
    bytes[0] = 0;
    let message =
        BoxedUint::from_be_slice(&bytes, key.n_bits_precision()).map_err(|_| "message does not fit")?;
    let threads = thread::available_parallelism()?.get().min(operations.max(1));
    let started = Instant::now();
    thread::scope(|scope| {
        for index in 0..threads {
            let share = operations / threads + usize::from(index < operations % threads);
            let (key, message) = (&key, &message);
            scope.spawn(move || (0..share).for_each(|_| drop(black_box(rsa_encrypt(key, message)))));
        }
    });
    writeln!(stdout(), "{:.3}", started.elapsed().as_secs_f64() * 1000.0)?;
    Ok(())
}
