//! What a placeholder Secret becomes: one file per backend. Nothing here sees a secret value; `pipeline::seal` puts the sealed
//! items in.

pub(crate) mod sealed_secrets;
