//! sealwave's own files: the app file, which is hostile input, and the operator file, which is trusted.

mod app;
mod backends;
mod object_pattern;
mod operator;
mod reader;
mod remote;
mod validation;

pub use app::{
    API_GROUP, API_VERSION, APP_FILE, App, Compatibility, EnvironmentSettings, PatchEntry, PatchTarget,
    PatchType, PlaceholderSettings,
};
pub use backends::{
    BackendKind, CsiProvider, CsiProviderSettings, EnvironmentBackends, ExternalSecretVersion,
    ExternalSecrets, ExternalSecretsSettings, ExternalStore, KvMounts, SecretService,
    SecretsStoreCsiSettings, StoreKind, StoreSettings,
};
pub use object_pattern::{InvalidObjectPattern, ObjectPattern};
pub use operator::{
    AssumeRole, AuditConfig, AwsKms, AwsSettings, CertificateSource, ClusterConfig, Concurrency,
    DerivationVersion, MAX_OUTPUT_MIB, MemoryLimit, OperatorConfig, PolicyRule, ProviderConfig,
    SidecarMemory,
};
pub use reader::{SettingsFile, read_config};
pub use remote::{K8sSettings, KvVersion, VaultAuth, VaultSettings};
pub use validation::{IgnoreEntry, RuleLevel, ValidationFile, ValidationSettings, ignore_origins};
