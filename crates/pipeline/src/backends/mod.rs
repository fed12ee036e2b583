//! What a placeholder Secret becomes: one file per backend. Nothing here puts a secret value into an object; `pipeline::seal`
//! puts the sealed items in, and only `secret_type` looks at values. The two backends that store references see the text of
//! items as it was committed.

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

pub(crate) use common::ReferredItem;
