//! `<vault:secret/db#password#2>`: key-value secrets of Vault and OpenBao, versions 1 and 2 of the engine.
//!
//! A key is a field, or a path into a field that is an object or a list. Without a key, the value is the whole secret as
//! compact JSON. Only version 2 of the engine supports secret versions.
//! If it is mounted at `secret`, `secret/db` and the API path `secret/data/db` are the same secret.
//!
//! The server, the login and the mounts come from the operator file. A path is literal, segment by segment, and always
//! below a KV mount: no other endpoint of the server can be reached. The token is sent only to the configured address;
//! redirects are not followed. Errors never contain the server's responses.
//!
//! `store` writes secrets, for `sealwave put`.
//!
//! A token from a login is revoked at the end of the fetch, whether the fetch succeeds or not.

#[cfg(feature = "vault")]
mod api;
#[cfg(feature = "vault")]
mod locate;
#[cfg(feature = "vault")]
mod path;
#[cfg(feature = "vault")]
mod provider;
#[cfg(feature = "vault")]
mod response;
#[cfg(feature = "vault")]
mod revocation;
#[cfg(feature = "vault")]
mod session;
mod settings;
#[cfg(feature = "vault")]
mod settings_error;
#[cfg(feature = "vault")]
pub mod store;

pub(crate) use self::settings::VaultSettings;
