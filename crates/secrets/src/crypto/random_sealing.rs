//! Sealing with fresh randomness, as kubeseal does, for files that are committed.
//!
//! Such a file is written once and read from then on, so it needs no seal key, and its ciphertext says nothing about whether a
//! value has changed. Rendering must never use this: two renderings of the same input would differ.

use zeroize::Zeroizing;

use super::certificate::Certificate;
use super::hybrid::{self, SessionSecrets};
use super::sealer::{SealError, SealItem};
use crate::values::SecretValue;
use sealwave_core::workers;

impl Certificate {
    /// Seals a value with fresh randomness; `label` is `SealingScope::label` of the object that will hold it.
    ///
    /// # Errors
    /// Fails if the operating system returns no randomness, or the size of the value is not supported.
    pub fn seal_randomly(&self, label: &[u8], value: &SecretValue) -> Result<String, SealError> {
        let secrets = SessionSecrets { session_key: random()?, oaep_seed: random()? };
        hybrid::seal(&self.key, label, &secrets, value.expose()).ok_or(SealError::Size)
    }

    /// Seals items on all cores; the results are in the order of the items.
    ///
    /// # Errors
    /// Returns [`SealError::Panicked`], or the error of the first item that has one.
    pub fn seal_all_randomly(&self, items: &[SealItem<'_>]) -> Result<Vec<String>, SealError> {
        let seal = |item: &SealItem<'_>| {
            self.seal_randomly(&item.scope.label(item.namespace, item.name), item.value)
        };
        workers::parallel_map(items, seal).map_err(|_| SealError::Panicked)?.into_iter().collect()
    }
}

fn random() -> Result<Zeroizing<[u8; 32]>, SealError> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|_| SealError::Randomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sealing_differs() {
        let pem = include_bytes!("../../../../testdata/sealed-secrets/rsa2048.crt");
        let certificate = Certificate::from_pem(pem).unwrap();
        let seal = || certificate.seal_randomly(b"", &SecretValue::new(b"value".to_vec())).unwrap();
        let (one, two) = (seal(), seal());
        // Both halves: the wrapped session key, and the body under it.
        assert_ne!(one[..300], two[..300]);
        assert_ne!(one[one.len() - 20..], two[two.len() - 20..]);
    }
}
