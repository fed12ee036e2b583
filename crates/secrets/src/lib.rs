//! Secrets before they are fetched and after: placeholders, policy, settings, values, sealing.
//!
//! | module | holds |
//! |---|---|
//! | [`placeholder`] | the language of placeholders |
//! | [`policy`] | which project may use which secret for which destination |
//! | [`resealed`] | the record of re-sealing, which keeps checksums as they were |
//! | [`settings`] | the app file and the operator file |
//! | [`values`] | values that cannot be printed, and paths into documents that hold them |
//! | [`crypto`] | keys, certificates, deterministic sealing, keyed digests |
//!
//! Nothing here fetches a value or prints one.

pub mod crypto;
pub mod placeholder;
pub mod policy;
pub mod resealed;
mod sealing_scope;
pub mod settings;
pub mod values;

pub use sealing_scope::SealingScope;
