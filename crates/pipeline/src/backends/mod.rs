//! The backends that replace a Secret with another object, one per file. Each implements [`Backend`] and has one line in
//! the registry.
//!
//! No backend sees a secret value. Backends that store references get an [`UnresolvedSecret`], with the text of items as
//! it was committed. The backend that stores sealed values gets a [`MeasuredSecret`], with sizes only, and later the
//! ciphertexts that the stage `seal` makes.

mod backend;
mod common;
mod external_secrets;
mod metadata;
mod naming;
mod refusal;
mod registry;
pub(crate) mod sealed_secrets;
mod secrets_store_csi;
#[cfg(test)]
mod testing;

pub(crate) use backend::{
    Backend, MeasuredItem, MeasuredSecret, ReplacedSecret, UnresolvedItem, UnresolvedSecret,
};
pub(crate) use registry::{RegisteredBackend, ReplacedSecrets, after_build, backend};
