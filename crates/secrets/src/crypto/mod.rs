//! Keys, certificates, sealing and digests: the only files that touch the crypto crates.
//!
//! | file | holds |
//! |---|---|
//! | `key` | key files: parsing, generation, checks |
//! | `seal_key` | the seal key, and the keys derived from it |
//! | `checksum` | keyed digests of configuration |
//! | `derivation_key` | the derivation key, and the secrets derived from it |
//! | `alphabet` | the characters of a derived secret |
//! | `owner` | the Argo CD app that items are sealed for, and what each item is bound to |
//! | `certificate` | the public half of a cluster's sealing key |
//! | `private_key` | a controller's private key, which opens sealed items |
//! | `random_sealing` | sealing with fresh randomness, for committed files |
//! | `controller_key` | a new key of a sealed-secrets controller |
//! | `derive` | deterministic sealing: session key and OAEP seed from context and plaintext |
//! | `expiry` | the dates that values tell: certificates, JSON web tokens |
//! | `oaep`, `hybrid` | the format of one sealed item |
//! | `sealed_item` | what is known about an item without a private key |
//! | `sealer` | sealing of items, on all cores |
//! | `tls_chain` | dates and order of the certificates of a TLS Secret |
//! | `tls_check` | all problems of a TLS Secret |
//! | `tls_pair` | certificate and key of a TLS Secret |
//! | `age_identities`, `data_key` | reading SOPS files |

#[cfg(feature = "sops")]
mod age_identities;
mod alphabet;
mod certificate;
mod checksum;
mod controller_key;
#[cfg(feature = "sops")]
mod data_key;
mod derivation_key;
mod derive;
mod encoding;
mod expiry;
mod hybrid;
mod key;
mod oaep;
mod owner;
mod pem;
mod private_key;
mod random_sealing;
mod seal_key;
mod sealed_item;
mod sealer;
mod tls_chain;
mod tls_check;
mod tls_pair;

#[cfg(feature = "sops")]
pub use age_identities::{AgeFileError, AgeIdentities, is_age_file, is_age_recipient};
pub use alphabet::Alphabet;
pub use certificate::{
    Certificate, CertificateDetails, CertificateError, CertificateValidity, CertificateWarning,
    EXPIRY_WARNING,
};
pub use checksum::{ChecksumKey, ItemParts, KeyedDigest};
pub use controller_key::{
    CONTROLLER_KEY_BITS, CONTROLLER_KEY_LABEL, ControllerKeyPair, certificate_of_key_secret,
};
#[cfg(feature = "sops")]
pub use data_key::{DataKey, NONCE_BYTES, TAG_BYTES, ValuesDigest};
pub use derivation_key::{DerivationKey, DerivedSecret};
pub use expiry::{ExpiringValue, ValueExpiry, value_expiry};
pub use key::{CHECKSUM_KEY_PREFIX, DERIVATION_KEY_PREFIX, KEY_PREFIX, KeyError, KeyUse, MIN_KEY_BYTES};
pub use owner::{ItemBinding, ItemText, SealOwner};
pub use private_key::{UnsealKey, UnsealKeyError};
pub use seal_key::SealKey;
pub use sealed_item::sealed_size;
pub use sealer::{SealError, SealItem, Sealer};
pub use tls_check::{TlsFiles, TlsProblem, TlsProblemKind, tls_problems};
pub use tls_pair::{TlsFault, TlsForm, TlsItem};
