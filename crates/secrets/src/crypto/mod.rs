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
//! | `controller_key` | a new key of a sealed-secrets controller |
//! | `derive` | deterministic sealing: session key and OAEP seed from context and plaintext |
//! | `oaep`, `hybrid` | the format of one sealed item |
//! | `sealer` | sealing of items, on all cores |
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
mod hybrid;
mod key;
mod oaep;
mod owner;
mod pem;
mod seal_key;
mod sealer;
mod tls_pair;

#[cfg(feature = "sops")]
pub use age_identities::{AgeIdentities, is_age_recipient};
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
pub use key::{CHECKSUM_KEY_PREFIX, DERIVATION_KEY_PREFIX, KEY_PREFIX, KeyError, KeyUse, MIN_KEY_BYTES};
pub use owner::{ItemBinding, ItemText, SealOwner};
pub use seal_key::SealKey;
pub use sealer::{SealError, SealItem, Sealer};
pub use tls_pair::{EXPIRED_CERTIFICATE, TlsFault, TlsPair, last_day_of_certificate, tls_fault, tls_pair};
