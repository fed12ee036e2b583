//! What makes sealing deterministic: one pseudo-random function of the item's context *and* its plaintext.
//!
//! ```text
//! PRK      = HKDF-SHA-512-Extract(salt = "sealwave/seal/v1", ikm = seal key)
//! K        = HKDF-SHA-512-Expand(PRK, "derive", 64)
//! T        = HMAC-SHA-512(K, LP(version) LP(SHA-256(SPKI)) LP(scope) LP(namespace) LP(name) LP(item key)
//!                            LP(project) LP(SHA-256(unresolved text)) LP(epoch) LP(plaintext))
//! session key = T[0..32], OAEP seed = T[32..64]          LP(x) = u64be(length of x) || x
//! ```
//!
//! Rules that must hold for ever: two plaintexts never share a session key (so the plaintext is in it); no field is ever left
//! out; every field is length-prefixed. A change of anything here re-seals everything, so it needs a new version.

use hmac::Mac;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::encoding::{hmac_sha512, update_prefixed};
use super::hybrid::SessionSecrets;
use super::key::SealKey;
use crate::model::Scope;

const VERSION: &[u8] = b"sealwave.dev/seal/v1";

/// Everything that a sealed item depends on beside the seal key, the public key and the plaintext.
#[derive(Clone, Copy)]
pub(super) struct SealContext<'a> {
    /// Where the item may be opened.
    pub(super) scope: Scope,
    /// The object's namespace, also where the scope does not need it.
    pub(super) namespace: &'a str,
    /// The object's name, also where the scope does not need it.
    pub(super) name: &'a str,
    /// The item's key.
    pub(super) item_key: &'a str,
    /// The Argo CD project: another project that renders the same object gets another ciphertext.
    pub(super) project: &'a str,
    /// The item's text before placeholders were resolved. Without it, somebody who may commit but not read the secret could
    /// write a guess in its place and compare.
    pub(super) unresolved: &'a [u8],
    /// The operator's epoch: changing it re-seals everything once.
    pub(super) epoch: &'a str,
}

/// Session key and OAEP seed of one item.
pub(super) fn derive(
    key: &SealKey,
    spki_sha256: &[u8; 32],
    context: &SealContext<'_>,
    plaintext: &[u8],
) -> SessionSecrets {
    derive_versioned(VERSION, key, spki_sha256, context, plaintext)
}

fn derive_versioned(
    version: &[u8],
    key: &SealKey,
    spki_sha256: &[u8; 32],
    context: &SealContext<'_>,
    plaintext: &[u8],
) -> SessionSecrets {
    let mut mac = hmac_sha512(key.derivation_key());
    for part in [
        version,
        spki_sha256,
        context.scope.as_str().as_bytes(),
        context.namespace.as_bytes(),
        context.name.as_bytes(),
        context.item_key.as_bytes(),
        context.project.as_bytes(),
        &Sha256::digest(context.unresolved),
        context.epoch.as_bytes(),
        plaintext,
    ] {
        update_prefixed(&mut mac, part);
    }
    let output = Zeroizing::new(<[u8; 64]>::from(mac.finalize().into_bytes()));
    let (first, second) = output.split_at(32);
    let mut secrets =
        SessionSecrets { session_key: Zeroizing::new([0; 32]), oaep_seed: Zeroizing::new([0; 32]) };
    secrets.session_key.copy_from_slice(first);
    secrets.oaep_seed.copy_from_slice(second);
    secrets
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::crypto::encoding::hex;

    const KEY: &str = "sealwave-seal-key-v1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    const OTHER_KEY: &str = "sealwave-seal-key-v1:R8L4aVvT0oX3mZ1q9pYc5wJ7bKdE2fHnU6sGiQrAtWk=";

    fn key(line: &str) -> SealKey {
        SealKey::from_file(line.as_bytes()).unwrap()
    }

    fn context() -> SealContext<'static> {
        SealContext {
            scope: Scope::Strict,
            namespace: "ns",
            name: "name",
            item_key: "item",
            project: "project",
            unresolved: b"<env:X>",
            epoch: "1",
        }
    }

    /// The vectors were made by another implementation of the scheme above (Python's `hmac` and `hashlib`). Each names all of
    /// its inputs. They must hold for ever: a change re-seals every Secret of every user.
    #[test]
    fn the_published_vectors_hold() {
        let text = include_str!("../../testdata/sealing/derivation.jsonl");
        let vectors: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(vectors.len() >= 8);
        for vector in &vectors {
            let text = |field: &str| vector[field].as_str().unwrap();
            let bytes = |field: &str| unhex(text(field));
            let scope = match text("scope") {
                "strict" => Scope::Strict,
                "namespace-wide" => Scope::NamespaceWide,
                "cluster-wide" => Scope::ClusterWide,
                other => panic!("scope {other}"),
            };
            let unresolved = bytes("unresolvedHex");
            let context = SealContext {
                scope,
                namespace: text("namespace"),
                name: text("name"),
                item_key: text("itemKey"),
                project: text("project"),
                unresolved: &unresolved,
                epoch: text("epoch"),
            };
            let spki: [u8; 32] = bytes("spkiSha256Hex").try_into().unwrap();
            let key = key(text("sealKey"));
            assert_eq!(key.id(), text("sealKeyId"));
            let secrets = derive(&key, &spki, &context, &bytes("plaintextHex"));
            assert_eq!(hex(secrets.session_key.as_slice()), text("sessionKeyHex"), "{}", text("id"));
            assert_eq!(hex(secrets.oaep_seed.as_slice()), text("oaepSeedHex"), "{}", text("id"));
        }
    }

    fn unhex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn each_field_alone_changes_session_key_and_seed() {
        let base = context();
        let contexts = [
            base,
            SealContext { scope: Scope::NamespaceWide, ..base },
            SealContext { scope: Scope::ClusterWide, ..base },
            SealContext { namespace: "ns2", ..base },
            SealContext { name: "name2", ..base },
            SealContext { item_key: "item2", ..base },
            SealContext { project: "project2", ..base },
            SealContext { unresolved: b"<env:Y>", ..base },
            SealContext { epoch: "2", ..base },
            // The same characters, cut elsewhere.
            SealContext { namespace: "nsn", name: "ame", ..base },
            SealContext { name: "nameitem", item_key: "", ..base },
            SealContext { item_key: "itemp", project: "roject", ..base },
            SealContext { project: "", epoch: "project1", ..base },
        ];
        let key = key(KEY);
        let mut all: Vec<SessionSecrets> =
            contexts.iter().map(|context| derive(&key, &[1; 32], context, b"value")).collect();
        all.push(derive_versioned(b"sealwave.dev/seal/v2", &key, &[1; 32], &base, b"value"));
        all.push(derive(&key, &[2; 32], &base, b"value"));
        all.push(derive(&key, &[1; 32], &base, b"value2"));
        all.push(derive(&key, &[1; 32], &base, b""));
        all.push(derive(&self::key(OTHER_KEY), &[1; 32], &base, b"value"));
        let distinct: BTreeSet<[u8; 32]> =
            all.iter().flat_map(|secrets| [*secrets.session_key, *secrets.oaep_seed]).collect();
        assert_eq!(distinct.len(), all.len() * 2);
    }

    #[test]
    fn equal_input_gives_equal_output() {
        let one = derive(&key(KEY), &[1; 32], &context(), b"value");
        let two = derive(&key(KEY), &[1; 32], &context(), b"value");
        assert_eq!(*one.session_key, *two.session_key);
        assert_eq!(*one.oaep_seed, *two.oaep_seed);
    }
}
