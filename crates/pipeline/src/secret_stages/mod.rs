//! The room of secret values: the two stages that handle them, and nothing else.
//!
//! [`resolve()`] creates a `ResolvedApp`, and [`seal()`] consumes it. This module does not export that type, nor anything
//! that is part of it. Other modules of this crate can pass it from one stage to the other, but no stage, helper, rule,
//! printer or command can name it or read a value.
//!
//! Other crates cannot import it. This compiles:
//!
//! ```
//! use sealwave_pipeline::SealedApp;
//! ```
//!
//! This does not:
//!
//! ```compile_fail
//! use sealwave_pipeline::ResolvedApp;
//! ```
//!
//! Nor can they reach it by its path. This compiles:
//!
//! ```
//! use sealwave_pipeline::render::RenderedApp;
//! ```
//!
//! This does not:
//!
//! ```compile_fail
//! use sealwave_pipeline::secret_stages::ResolvedApp;
//! ```

mod resolve;
mod resolved;
mod seal;

pub use self::resolve::{AccessPolicy, AuditRecord, AuditSink, FetchOutcome, PlaceholderUse, ValueSource};
pub(crate) use self::resolve::{placeholder_uses, placeholder_uses_in, resolve};
pub use self::seal::{ItemExpiry, RandomSealing, SealMode, SealedApp};
pub(crate) use self::seal::{SealSettings, SecretDigests, seal};

#[cfg(test)]
mod tests {
    use std::fmt::{Debug, Display};

    use serde::Serialize;

    use super::resolved::ResolvedApp;

    /// Does not compile if the type implements one of the traits: the method is ambiguous then.
    macro_rules! assert_not_implemented {
        ($type:ty: $($forbidden:path),+) => {$({
            trait AmbiguousIfImplemented<Marker> {
                fn check() {}
            }
            struct TraitMarker;
            impl<T: ?Sized> AmbiguousIfImplemented<()> for T {}
            impl<T: ?Sized + $forbidden> AmbiguousIfImplemented<TraitMarker> for T {}
            <$type as AmbiguousIfImplemented<_>>::check();
        })+};
    }

    #[test]
    fn resolved_values_cannot_be_printed_or_copied() {
        assert_not_implemented!(ResolvedApp: Clone, Debug, Display, Serialize);
    }
}
