//! Deterministic sealing: one pseudo-random function of the item's context *and* its plaintext.
//!
//! ```text
//! PRK      = HKDF-SHA-512-Extract(salt = "sealwave/seal/v1", ikm = seal key)
//! K        = HKDF-SHA-512-Expand(PRK, "derive", 64)
//! T        = HMAC-SHA-512(K, LP(version) LP(SHA-256(SPKI)) LP(scope) LP(namespace) LP(name) LP(item key)
//!                            binding LP(SHA-256(unresolved text)) LP(epoch) LP(plaintext))
//! session key = T[0..32], OAEP seed = T[32..64]          LP(x) = u64be(length of x) || x
//!
//! version = "sealwave.dev/seal/v1", binding = LP(project)             items that are bound to the project
//! version = "sealwave.dev/seal/v2", binding = LP(project) LP(app)     items that are bound to the app
//! ```
//!
//! `derivation` in the operator file and the item's text select the version ([`super::SealOwner::binding`]): `v1` uses version 1
//! for every item; `v2` uses version 2 for every item that holds literal text, and version 1 for bare placeholders.
//!
//! Rules that must always hold: two plaintexts never share a session key (so the plaintext is an input); no field is
//! ever omitted; every field is length-prefixed. Any change here re-seals everything, so it needs a new version.

use hmac::Mac;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::encoding::{hmac_sha512, update_prefixed};
use super::hybrid::SessionSecrets;
use super::owner::ItemBinding;
use super::seal_key::SealKey;
use crate::SealingScope;

const VERSION_1: &[u8] = b"sealwave.dev/seal/v1";
const VERSION_2: &[u8] = b"sealwave.dev/seal/v2";

/// The inputs of a sealed item's derivation other than the seal key, the public key and the plaintext.
#[derive(Clone, Copy)]
pub(super) struct SealContext<'a> {
    /// The scope in which the item may be opened.
    pub(super) scope: SealingScope,
    /// The object's namespace, even if the scope does not need it.
    pub(super) namespace: &'a str,
    /// The object's name, even if the scope does not need it.
    pub(super) name: &'a str,
    /// The item's key.
    pub(super) item_key: &'a str,
    /// The Argo CD project, and for literal text also the app: others that render the same object get another
    /// ciphertext.
    pub(super) binding: ItemBinding<'a>,
    /// The item's text before placeholders were resolved. Without it, an author who may commit but not read the secret
    /// could commit a guess in its place and compare ciphertexts.
    pub(super) unresolved: &'a [u8],
    /// The operator's epoch: changing it re-seals everything once.
    pub(super) epoch: &'a str,
}

/// Derives the session key and the OAEP seed of one item.
pub(super) fn derive(
    key: &SealKey,
    spki_sha256: &[u8; 32],
    context: &SealContext<'_>,
    plaintext: &[u8],
) -> SessionSecrets {
    let mut mac = hmac_sha512(key.derivation_key());
    let mut add = |part: &[u8]| update_prefixed(&mut mac, part);
    add(match context.binding {
        ItemBinding::App { .. } => VERSION_2,
        ItemBinding::Project(_) => VERSION_1,
    });
    add(spki_sha256);
    add(context.scope.as_str().as_bytes());
    add(context.namespace.as_bytes());
    add(context.name.as_bytes());
    add(context.item_key.as_bytes());
    match context.binding {
        ItemBinding::App { project, app } => {
            add(project.as_bytes());
            add(app.as_bytes());
        }
        ItemBinding::Project(project) => add(project.as_bytes()),
    }
    add(&Sha256::digest(context.unresolved));
    add(context.epoch.as_bytes());
    add(plaintext);
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

    const BOUND_TO_PROJECT: SealContext<'static> = SealContext {
        scope: SealingScope::Strict,
        namespace: "ns",
        name: "name",
        item_key: "item",
        binding: ItemBinding::Project("project"),
        unresolved: b"<env:X>",
        epoch: "1",
    };
    const BOUND_TO_APP: SealContext<'static> =
        SealContext { binding: ItemBinding::App { project: "project", app: "app" }, ..BOUND_TO_PROJECT };

    /// The vectors come from another implementation of the scheme above (`scripts/derivation_vectors.py`). Each lists
    /// all of its inputs. They must never change: a change re-seals every Secret of every user.
    #[test]
    fn the_published_vectors_are_stable() {
        assert_eq!(check_vectors(include_str!("../../../../testdata/sealing/derivation.jsonl")), (12, 0));
        assert_eq!(check_vectors(include_str!("../../../../testdata/sealing/derivation-v2.jsonl")), (0, 18));
    }

    /// Checks each vector; returns the number of vectors of version 1 and of version 2.
    fn check_vectors(lines: &str) -> (usize, usize) {
        let mut seen = (0, 0);
        for line in lines.lines() {
            let vector: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |field: &str| vector[field].as_str().unwrap();
            let bytes = |field: &str| unhex(text(field));
            let project = text("project");
            let binding = match vector["app"].as_str() {
                Some(app) => ItemBinding::App { project, app },
                None => ItemBinding::Project(project),
            };
            *(if vector["app"].is_null() { &mut seen.0 } else { &mut seen.1 }) += 1;
            let unresolved = bytes("unresolvedHex");
            let context = SealContext {
                scope: scope(text("scope")),
                namespace: text("namespace"),
                name: text("name"),
                item_key: text("itemKey"),
                binding,
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
        seen
    }

    fn scope(name: &str) -> SealingScope {
        [SealingScope::Strict, SealingScope::NamespaceWide, SealingScope::ClusterWide]
            .into_iter()
            .find(|scope| scope.as_str() == name)
            .unwrap_or_else(|| panic!("scope {name}"))
    }

    fn unhex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    /// Returns contexts that differ from one of the two bases in one field, or split the same characters differently.
    fn contexts() -> Vec<SealContext<'static>> {
        let app = |project, app| ItemBinding::App { project, app };
        let mut all = Vec::new();
        for base in [BOUND_TO_PROJECT, BOUND_TO_APP] {
            all.extend([
                base,
                SealContext { scope: SealingScope::NamespaceWide, ..base },
                SealContext { scope: SealingScope::ClusterWide, ..base },
                SealContext { namespace: "ns2", ..base },
                SealContext { name: "name2", ..base },
                SealContext { item_key: "item2", ..base },
                SealContext { unresolved: b"<env:Y>", ..base },
                SealContext { epoch: "2", ..base },
                SealContext { namespace: "nsn", name: "ame", ..base },
                SealContext { name: "nameitem", item_key: "", ..base },
            ]);
        }
        let with = |binding| SealContext { binding, ..BOUND_TO_PROJECT };
        all.extend([
            with(ItemBinding::Project("project2")),
            SealContext { binding: ItemBinding::Project("roject"), item_key: "itemp", ..BOUND_TO_PROJECT },
            SealContext { binding: ItemBinding::Project(""), epoch: "project1", ..BOUND_TO_PROJECT },
            with(ItemBinding::Project("projectapp")),
            with(app("project2", "app")),
            with(app("project", "app2")),
            with(app("projecta", "pp")),
            with(app("project", "")),
            with(app("", "projectapp")),
        ]);
        all
    }

    #[test]
    fn each_field_alone_changes_session_key_and_seed() {
        let key = key(KEY);
        let mut all: Vec<SessionSecrets> =
            contexts().iter().map(|context| derive(&key, &[1; 32], context, b"value")).collect();
        for base in [BOUND_TO_PROJECT, BOUND_TO_APP] {
            all.push(derive(&key, &[2; 32], &base, b"value"));
            all.push(derive(&key, &[1; 32], &base, b"value2"));
            all.push(derive(&key, &[1; 32], &base, b""));
            all.push(derive(&self::key(OTHER_KEY), &[1; 32], &base, b"value"));
        }
        let distinct: BTreeSet<[u8; 32]> =
            all.iter().flat_map(|secrets| [*secrets.session_key, *secrets.oaep_seed]).collect();
        assert_eq!(distinct.len(), all.len() * 2);
    }

    #[test]
    fn equal_input_gives_equal_output() {
        let one = derive(&key(KEY), &[1; 32], &BOUND_TO_APP, b"value");
        let two = derive(&key(KEY), &[1; 32], &BOUND_TO_APP, b"value");
        assert_eq!(*one.session_key, *two.session_key);
        assert_eq!(*one.oaep_seed, *two.oaep_seed);
    }
}
