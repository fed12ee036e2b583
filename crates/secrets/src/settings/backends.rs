//! The backends of placeholder Secrets, and the cluster objects that they use: as written in the app file, and, in
//! [`decided`], as decided for one environment. A backend with settings is a file here with its `BackendSection`.
//!
//! These are names of cluster objects and settings of their controllers. They never contain an address that sealwave
//! connects to, or a credential.

mod choice;
mod decided;
mod external_secrets;
mod kind;
mod kv_mounts;
mod secrets_store_csi;
mod section;
mod service;

pub use self::choice::BackendChoice;
pub use self::decided::EnvironmentBackends;
pub use self::external_secrets::{
    ExternalSecretVersion, ExternalSecrets, ExternalSecretsSettings, ExternalStore, StoreKind, StoreSettings,
};
pub use self::kind::BackendKind;
pub use self::kv_mounts::KvMounts;
pub use self::secrets_store_csi::{CsiProvider, CsiProviderSettings, SecretsStoreCsiSettings};
pub use self::service::SecretService;
