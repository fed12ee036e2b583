//! sealwave's own files: the app file, which is hostile input, and the operator file, which is trusted.

mod app;
mod backends;
mod object_pattern;
mod operator;
mod reader;
mod remote;
mod validation;

pub use app::{
    API_GROUP, API_VERSION, APP_FILE, App, Compatibility, Environment, PatchEntry, PatchType, Reading, Target,
};
pub use backends::{
    Backend, Backends, CsiProvider, CsiProviderSettings, ExternalSecretVersion, ExternalSecrets,
    ExternalSecretsSettings, KvMounts, SecretsStoreCsiSettings, Service, Store, StoreKind, StoreSettings,
};
pub use object_pattern::{NotAPattern, ObjectPattern};
pub use operator::{
    AssumeRole, AuditConfig, AwsKms, AwsSettings, CertificateSource, Cluster, Concurrency, Derivation,
    MAX_OUTPUT_MIB, MemoryLimit, Operator, PolicyRule, ProviderConfig, SidecarMemory,
};
pub use reader::{read_config, setting_at};
pub use remote::{K8sSettings, KvVersion, VaultAuth, VaultSettings};
pub use validation::{IgnoreEntry, RuleLevel, ValidationFile, ValidationSettings, ignore_places};
