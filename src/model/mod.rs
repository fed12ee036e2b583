//! The data model: plain values without I/O.

mod app;
mod backends;
pub(crate) mod catalogue;
mod closest;
mod configuration;
mod date;
pub(crate) mod dns;
pub(crate) mod duration;
mod foreign_files;
mod item_key;
mod json;
pub(crate) mod json_text;
mod key_path;
mod key_source;
pub(crate) mod kv_path;
mod manifest;
pub mod names;
mod node;
mod object_pattern;
mod operator;
mod placeholder;
pub(crate) mod pods;
mod policy;
pub(crate) mod quantity;
mod remote;
mod scopes;
mod sealing_scope;
mod secret_entries;
mod secret_like;
pub(crate) mod secret_type;
mod secret_value;
mod short_text;
mod source;
pub(crate) mod sync;
#[cfg(test)]
pub(crate) mod testing;
mod texts;
mod trace;
mod unused_value;
mod validation;
mod written;

pub use app::{
    API_GROUP, API_VERSION, APP_FILE, App, Compatibility, Environment, PatchEntry, PatchType, Reading,
    Target, Waves, WorkloadKind,
};
pub use backends::{
    Backend, Backends, CsiProviderSettings, ExternalSecretVersion, ExternalSecretsSettings,
    SecretsStoreCsiSettings, Service, StoreKind, StoreSettings,
};
pub(crate) use backends::{CsiProvider, ExternalSecrets, KvMounts, Store};
pub(crate) use closest::closest;
pub(crate) use configuration::configuration;
pub use date::{Date, NotADate};
pub(crate) use foreign_files::{ForeignFile, sops_block};
pub(crate) use item_key::{MAX_ITEM_KEY, UNKNOWN_KEYS, is_item_key, item_called};
pub use key_path::KeyPathError;
pub(crate) use key_path::{KEY_HINT, KeyPath, KeyedValue, MissingStep, Shape, WalkError};
pub(crate) use key_source::{KeyPatterns, KeySource};
pub(crate) use manifest::group_and_version;
pub use manifest::{Manifest, NotAManifest, ObjectId};
pub use node::{Entry, Mapping, Node, Number, Value};
pub use object_pattern::{NotAPattern, ObjectPattern};
pub use operator::{
    AssumeRole, AuditConfig, AwsKms, AwsSettings, CertificateSource, Cluster, Concurrency, Derivation,
    MAX_OUTPUT_MIB, MemoryLimit, Operator, PolicyRule, ProviderConfig, SidecarMemory,
};
pub use placeholder::{
    DEFAULT_PROVIDER, Decoder, Decoders, Encoder, Generic, GrammarError, GrammarErrorKind, JsonPath,
    JsonTemplate, Misplacement, Modifiers, PROVIDER_KINDS, Part, Placeholder, Reference, Text,
};
pub(crate) use placeholder::{
    JsonStep, LookAlike, LookAlikeKind, SelectError, list, look_alike, provider_name, suspects,
};
pub(crate) use policy::climbs;
pub use policy::{
    BoundPolicy, Decision, Destination, Mismatch, Policy, PolicyError, PolicyRefusal, Subject,
    without_credentials,
};
pub(crate) use quantity::Quantity;
pub use remote::{K8sSettings, KvVersion, VaultAuth, VaultSettings};
pub(crate) use scopes::Scopes;
pub use sealing_scope::Scope;
pub use secret_entries::{EntriesError, MAX_SECRET_ENTRIES, SecretEntries};
pub(crate) use secret_like::{PlainData, is_secret_like, may_name, plain_data};
pub(crate) use secret_value::SecretBuffer;
pub use secret_value::SecretValue;
pub(crate) use short_text::{same_key, split_at_byte};
pub use source::{LineMap, Origin, Place, Source, SourceId, Sources, display_path};
pub(crate) use texts::{SourceText, Texts};
pub(crate) use trace::{Element, Printed, Stretch};
pub(crate) use unused_value::UnusedValue;
pub(crate) use validation::ignore_places;
pub use validation::{IgnoreEntry, RuleLevel, ValidationFile, ValidationSettings};
pub(crate) use written::WrittenScalars;
