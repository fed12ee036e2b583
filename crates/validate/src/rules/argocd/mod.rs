//! Rules about annotations for Argo CD.

pub(super) mod annotation;
