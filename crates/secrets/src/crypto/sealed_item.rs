//! The form of a sealed item, which is known without a private key.

use rsa::PublicKey;
use rsa::traits::PublicKeyParts as _;

use super::certificate::Certificate;
use super::hybrid::{self, TAG};

/// Returns the size of the value in an item, which its ciphertext reveals; `None` if it is not a sealed item.
#[must_use]
pub fn sealed_size(item: &str) -> Option<usize> {
    let sealed = hybrid::decode(item)?;
    let (_, body) = hybrid::split(&sealed)?;
    body.len().checked_sub(TAG)
}

impl Certificate {
    /// Reports whether an item was certainly not sealed for this certificate: its wrapped key is not a number below the modulus,
    /// or it is not a sealed item at all. Nothing proves the opposite without the private key.
    #[must_use]
    pub fn rules_out(&self, item: &str) -> bool {
        wrapped_number(item, &self.key).is_none_or(|number| number >= modulus(&self.key))
    }

    /// Reports whether an item has the form of one that was sealed for this certificate: a wrapped key of the size of its modulus
    /// and below it, and contents of this many bytes.
    #[must_use]
    pub fn fits(&self, item: &str, contents: usize) -> bool {
        let Some(sealed) = hybrid::decode(item) else { return false };
        let Some((wrapped, body)) = hybrid::split(&sealed) else { return false };
        wrapped.len() == self.key.size()
            && body.len() == contents.saturating_add(TAG)
            && !self.rules_out(item)
    }
}

/// Returns the modulus as big-endian bytes of the key's size.
fn modulus(key: &PublicKey) -> Vec<u8> {
    padded(&key.n().to_be_bytes(), key.size()).unwrap_or_default()
}

/// Returns the wrapped key of an item as big-endian bytes of the key's size, if it is not longer.
fn wrapped_number(item: &str, key: &PublicKey) -> Option<Vec<u8>> {
    let sealed = hybrid::decode(item)?;
    let (wrapped, _) = hybrid::split(&sealed)?;
    (wrapped.len() <= key.size()).then(|| padded(wrapped, key.size()))?
}

/// Returns a number with zeros before it, or without some of those it has.
fn padded(number: &[u8], size: usize) -> Option<Vec<u8>> {
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    let digits = number.get(start..)?;
    let mut out = vec![0; size.checked_sub(digits.len())?];
    out.extend_from_slice(digits);
    Some(out)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::values::SecretValue;

    fn certificate(pem: &str) -> Certificate {
        Certificate::from_pem(pem.as_bytes()).unwrap()
    }

    fn rsa2048() -> Certificate {
        certificate(include_str!("../../../../testdata/sealed-secrets/rsa2048.crt"))
    }

    fn item(wrapped: &[u8]) -> String {
        let length = u16::try_from(wrapped.len()).unwrap().to_be_bytes();
        STANDARD.encode([&length, wrapped, &[0; 19]].concat())
    }

    #[test]
    fn only_a_number_below_the_modulus_can_belong_to_a_key() {
        let small = rsa2048();
        let modulus = modulus(&small.key);
        assert_eq!(modulus.len(), 256);
        let mut below = modulus.clone();
        below[255] -= 1;
        assert!(small.rules_out(&item(&modulus)) && !small.rules_out(&item(&below)));
        assert!(small.rules_out(&item(&[0xff; 256])) && !small.rules_out(&item(&[1; 255])));
        for malformed in ["", "AA", "not base64!", &item(&[1; 257]), &STANDARD.encode([1, 0, 5])] {
            assert!(small.rules_out(malformed), "{malformed}");
        }
        let large = certificate(include_str!("../../../../testdata/sealed-secrets/rsa4096.crt"));
        let sealed = large.seal_randomly(b"", &SecretValue::new(b"abc".to_vec())).unwrap();
        assert!(small.rules_out(&sealed) && !large.rules_out(&sealed));
    }

    #[test]
    fn the_form_is_that_of_an_item_for_this_certificate() {
        let certificate = rsa2048();
        let sealed = certificate.seal_randomly(b"", &SecretValue::new(b"abc".to_vec())).unwrap();
        assert!(certificate.fits(&sealed, 3) && !certificate.fits(&sealed, 4));
        assert!(!certificate.fits(&item(&[1; 255]), 3) && !certificate.fits("", 0));
    }
}
