//! sealwave renders Kubernetes manifests in which no secret is readable.
//!
//! ```text
//! discover → load → render → resolve → seal → annotate → emit
//! ```

pub mod crypto;
pub mod diagnostic;
pub mod model;
pub mod pipeline;
pub mod yaml;
