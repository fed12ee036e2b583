//! EME-OAEP (RFC 8017, section 7.1.1) with SHA-256, MGF1-SHA-256 and a seed from the caller.
//!
//! This is our own implementation because the seed is part of deterministic sealing: how often and in what order a
//! crate asks its generator for bytes must not affect the output. Vectors created by the controller's code pin it.

use getrandom::SysRng;
use rsa::hazmat::{rsa_decrypt_and_check, rsa_encrypt};
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, PrivateKey, PublicKey};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
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
    lowest_bytes(&number, size).map(<[u8]>::to_vec)
}

/// Decrypts RSAES-OAEP; the private operation is blinded, uses the Chinese remainder theorem, and is checked.
///
/// Returns `None` for every failure. Like Go, accepts a ciphertext without its leading zeros.
pub(super) fn decrypt(key: &PrivateKey, label: &[u8], ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let size = key.size();
    let mut padded = vec![0; size.checked_sub(ciphertext.len())?];
    padded.extend_from_slice(ciphertext);
    let representative = BoxedUint::from_be_slice(&padded, key.n_bits_precision()).ok()?;
    let message = Zeroizing::new(rsa_decrypt_and_check(key, Some(&mut SysRng), &representative).ok()?);
    let bytes = Zeroizing::new(message.to_be_bytes());
    decode(&mut Zeroizing::new(lowest_bytes(&bytes, size)?.to_vec()), label)
}

/// Returns the last `size` bytes: a number is stored in whole machine words, and a modulus may have fewer bytes.
fn lowest_bytes(number: &[u8], size: usize) -> Option<&[u8]> {
    number.len().checked_sub(size).and_then(|excess| number.get(excess..))
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

/// Reverses [`encode`]. How long it takes does not depend on what is wrong with the encoding.
fn decode(encoded: &mut [u8], label: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (first, rest) = encoded.split_first_mut()?;
    let (seed, data) = rest.split_at_mut_checked(HASH)?;
    xor_mgf1(seed, data);
    xor_mgf1(data, seed);
    let (hash, padded) = data.split_at_checked(HASH)?;
    let (mut searching, mut is_damaged, mut start) = (Choice::from(1), Choice::from(0), 0_u32);
    for (after, byte) in (1_u32..).zip(padded) {
        let is_end = byte.ct_eq(&1);
        start.conditional_assign(&after, searching & is_end);
        searching &= !is_end;
        is_damaged |= searching & !byte.ct_eq(&0);
    }
    let is_valid = first.ct_eq(&0) & hash.ct_eq(&Sha256::digest(label)) & !is_damaged & !searching;
    if !bool::from(is_valid) {
        return None;
    }
    padded.get(usize::try_from(start).ok()?..).map(|message| Zeroizing::new(message.to_vec()))
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
