//! EME-OAEP (RFC 8017, section 7.1.1) with SHA-256, MGF1-SHA-256 and a seed from the caller.
//!
//! This is our own implementation because the seed is part of deterministic sealing: how often and in what order a
//! crate asks its generator for bytes must not affect the output. Vectors created by the controller's code pin it.

use rsa::hazmat::rsa_encrypt;
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, PublicKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const HASH: usize = 32;

/// Encrypts `message` with RSAES-OAEP; the result has as many bytes as the modulus.
///
/// Returns `None` if the modulus is too small for the message, which no accepted certificate allows.
pub(super) fn encrypt(key: &PublicKey, label: &[u8], seed: &[u8; HASH], message: &[u8]) -> Option<Vec<u8>> {
    let size = key.size();
    let encoded = encode(size, label, seed, message)?;
    let representative = Zeroizing::new(BoxedUint::from_be_slice(&encoded, key.n_bits_precision()).ok()?);
    let number = rsa_encrypt(key, &representative).ok()?.to_be_bytes();
    // The number is stored in whole machine words; a modulus may have fewer bytes.
    number.len().checked_sub(size).and_then(|excess| number.get(excess..)).map(<[u8]>::to_vec)
}

/// Returns 0x00 || masked seed || masked (label hash || zeros || 0x01 || message).
fn encode(size: usize, label: &[u8], seed: &[u8; HASH], message: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let zeros = size.checked_sub(message.len().checked_add(2 * HASH + 2)?)?;
    let mut block = Zeroizing::new(Vec::with_capacity(size));
    block.push(0);
    block.extend_from_slice(seed);
    block.extend_from_slice(&Sha256::digest(label));
    block.extend(std::iter::repeat_n(0, zeros));
    block.push(1);
    block.extend_from_slice(message);
    let (masked_seed, data) = block.get_mut(1..)?.split_at_mut(HASH);
    xor_mgf1(data, seed);
    xor_mgf1(masked_seed, data);
    Some(block)
}

/// Applies MGF1 (RFC 8017, appendix B.2.1) to `target` in place.
fn xor_mgf1(target: &mut [u8], seed: &[u8]) {
    for (counter, chunk) in (0_u32..).zip(target.chunks_mut(HASH)) {
        let mut mask: [u8; HASH] =
            Sha256::new().chain_update(seed).chain_update(counter.to_be_bytes()).finalize().into();
        chunk.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
        zeroize::Zeroize::zeroize(&mut mask);
    }
}
