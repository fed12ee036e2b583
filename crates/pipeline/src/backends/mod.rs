//! The backends that replace a Secret with another object, one per file. No code here writes a secret value to an object:
//! `pipeline::seal` adds the sealed items, and only `secret_type` reads values. The two backends that store references
//! see the text of items as it was committed.

mod common;
pub(crate) mod external_secrets;
mod metadata;
mod naming;
mod refusal;
pub(crate) mod sealed_secrets;
pub(crate) mod secret_type;
pub(crate) mod secrets_store_csi;
#[cfg(test)]
mod testing;

pub(crate) use common::UnresolvedItem;
