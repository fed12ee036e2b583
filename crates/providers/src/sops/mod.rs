//! `<sops:secrets/db.enc.yaml#password>`: files in the app's own repository, encrypted with SOPS.
//!
//! The path is literal, below the directory of the app file. Its target must, after all symbolic links, still be in the
//! repository and be a regular file. A key is first looked up as one key, then as a path joined with dots, in which list
//! items count from 0; without a key, only a binary file has a value.
//!
//! Committers can copy another team's encrypted file. Keys keep teams apart: give each team an instance of this provider
//! with its own keys, and allow only that team's projects to use it.
//!
//! Anyone can encrypt to a public age recipient. A committer who cannot decrypt could replace a file by a guess and
//! compare the sealed text with the deployed one. So the SHA-256 of the whole encrypted file is an input of sealed texts
//! and checksums ([`crate::Evidence`]). Less is not enough: the MAC does not cover keys, and unauthenticated metadata determines
//! the values that it covers. The cost: when a file is edited, rotated or gets another recipient, all values from it are
//! sealed again, and their consumers restart once, even if the values are the same. Keep values that change independently
//! in separate files.

#[cfg(feature = "sops")]
mod document;
#[cfg(feature = "sops")]
mod error;
#[cfg(feature = "sops")]
mod format;
#[cfg(feature = "sops")]
mod ini;
#[cfg(feature = "sops")]
mod keys;
#[cfg(all(feature = "aws", feature = "sops"))]
mod kms;
#[cfg(feature = "sops")]
mod metadata;
#[cfg(feature = "sops")]
mod provider;
mod settings;
#[cfg(feature = "sops")]
mod value;

pub(crate) use self::settings::SopsSettings;
