//! Kinds of problems.

/// The kind of a problem that `validate` reports under a rule of its own, not under the rule of the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// An annotation of Argo CD has no effect.
    ArgoCdAnnotation,
    /// A value in `data` of a Secret is not base64.
    BadBase64,
    /// An object of a cluster-scoped kind has a namespace.
    ClusterScopedWithNamespace,
    /// A document is a configuration file of a program.
    Configuration,
    /// A mapping has a key twice.
    DuplicateKey,
    /// A value is still encrypted, or still a placeholder of another tool.
    EncryptedLeftover,
    /// An item's key is not valid in a Secret.
    InvalidKey,
    /// An object comes after its consumers.
    LateConfiguration,
    /// A document is not a Kubernetes object.
    Manifest,
    /// Two objects are in one document.
    MissingSeparator,
    /// A `PreSync` hook needs an object of a later phase.
    PreSyncNeedsLater,
    /// A Secret is a hook, and its consumers start earlier or run longer.
    SecretIsHook,
    /// A key is in both `data` and `stringData`.
    ShadowedKey,
    /// A document is not valid YAML.
    Syntax,
    /// A certificate and its key are not usable.
    TlsPair,
    /// A Secret lacks what its type requires.
    TypeKeys,
}
