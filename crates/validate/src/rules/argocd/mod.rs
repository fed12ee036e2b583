//! What is meant for Argo CD.

pub(super) mod annotation;
