//! sealwave's own files: the app file, which is hostile input, and the operator file, which is trusted.

mod app;
mod backends;
mod environment_path;
mod format;
mod generated;
mod kept_checksum;
mod object_pattern;
mod operator;
mod reader;
mod remote_chart;
mod repository_url;
mod requirements;
mod rotation;
mod schema;
mod setting_path;
mod sources;
mod validation;

pub use app::{
    APP_FILE, App, Compatibility, EnvironmentSettings, PatchEntry, PatchTarget, PatchType,
    PlaceholderSettings,
};
pub use backends::{
    BackendChoice, BackendKind, CsiProvider, CsiProviderSettings, EnvironmentBackends, ExternalSecretVersion,
    ExternalSecrets, ExternalSecretsSettings, ExternalStore, KvMounts, SecretService,
    SecretsStoreCsiSettings, StoreKind, StoreSettings,
};
pub use environment_path::EnvironmentPath;
pub use format::{API_GROUP, API_VERSION};
pub use generated::{ConfigMapEntry, FileEntry, GeneratedEntry, SecretEntry};
pub use kept_checksum::{ChecksumText, KeptChecksum};
pub use object_pattern::{InvalidObjectPattern, ObjectPattern};
pub use operator::{
    AuditConfig, CertificateSource, ChartRepository, ClusterConfig, Concurrency, DerivationVersion,
    MAX_OUTPUT_MIB, MemoryLimit, OperatorCharts, OperatorConfig, OperatorTools, PolicyRule, SidecarMemory,
    ToolSettings,
};
pub use reader::{SettingsFile, read_config};
pub use remote_chart::{ChartDigest, ChartId, ChartName, ChartVersion, PinnedChart};
pub use repository_url::{RepositoryHost, RepositoryScheme, RepositoryUrl};
pub use requirements::{Requirements, VersionRequirement};
pub use rotation::{
    IamUserName, MaxAge, RotationEntry, RotationMode, RotationPolicy, RunbookAddress, SecretPattern,
    ShortText,
};
pub use schema::settings_schema;
pub use setting_path::SettingPath;
pub use sources::{ChartLocation, ChartLocationError, FilesSource, HelmSource, KustomizeSource, SourceEntry};
pub use validation::{IgnoreEntry, RuleLevel, SetEntry, ValidationFile, ValidationSettings, ignore_origins};

pub use crate::values::kv_path::KvVersion;
