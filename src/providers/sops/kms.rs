//! Data keys under AWS KMS.
//!
//! Which keys may be used is the operator's word, and so is as whom: the role and the profile that a file's metadata
//! may name are never used. The encryption context of a file is handed on, since KMS opens nothing under another one.
//! No error text of the SDK is passed on: it may quote what was answered.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_kms::Client;
use aws_sdk_kms::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_kms::operation::decrypt::DecryptError;
use aws_sdk_kms::primitives::Blob;
use aws_smithy_http_client::tls;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use globset::{Glob, GlobSet, GlobSetBuilder};
use tokio::runtime::Runtime;
use tokio::time::timeout_at;
use zeroize::Zeroizing;

use super::error::SopsError;
use super::metadata::KmsKey;
use crate::model::AwsKms;
use crate::providers::{ProviderConfigError, ProviderError};

/// Time before the deadline that is kept for saying what went wrong.
const RESERVE: Duration = Duration::from_millis(250);

/// The operator's keys in AWS KMS.
pub(super) struct Kms {
    settings: AwsKms,
    keys: GlobSet,
    login: OnceLock<Option<Login>>,
}

/// A client's settings, and the runtime that its connections live in.
struct Login {
    runtime: Option<Runtime>,
    config: SdkConfig,
}

impl Kms {
    pub(super) fn new(provider: &str, settings: &AwsKms) -> Result<Self, ProviderConfigError> {
        let mut keys = GlobSetBuilder::new();
        for pattern in &settings.keys {
            let bad = || ProviderConfigError::BadPattern { provider: provider.to_owned(), pattern: pattern.clone() };
            // A pattern that fits everything would let a file name a key of an attacker's own account.
            if !pattern.starts_with("arn:") {
                return Err(bad());
            }
            keys.add(Glob::new(pattern).map_err(|_| bad())?);
        }
        let keys = keys.build().map_err(|_| ProviderConfigError::BadPattern {
            provider: provider.to_owned(),
            pattern: settings.keys.join(", "),
        })?;
        Ok(Self { settings: settings.clone(), keys, login: OnceLock::new() })
    }

    /// Whether the operator lets files use this key.
    pub(super) fn allows(&self, key: &KmsKey) -> bool {
        key.shown_arn().is_some_and(|arn| self.keys.is_match(arn))
    }

    /// What the operator allows, as it was written.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &str> {
        self.settings.keys.iter().map(String::as_str)
    }

    /// Asks KMS for a data key.
    pub(super) fn decrypt(&self, key: &KmsKey, deadline: Instant) -> Result<Zeroizing<Vec<u8>>, SopsError> {
        let missing = |(name, value): &(&String, &String)| key.context.get(*name) != Some(*value);
        if self.settings.context.iter().any(|pair| missing(&pair)) {
            let names = self.settings.context.keys().cloned().collect::<Vec<_>>().join("`, `");
            return Err(SopsError::KmsContext { arn: key.arn.clone(), names });
        }
        let encrypted = STANDARD.decode(key.encrypted.trim()).map_err(|_| SopsError::DataKey(key.arn.clone()))?;
        let end = deadline.checked_sub(RESERVE).unwrap_or(deadline);
        let login = self.login.get_or_init(|| Login::open(&self.settings, end)).as_ref();
        let (Some(login), Some(region)) = (login, key.region()) else {
            return Err(unreachable("the machine lacks the means to ask AWS KMS", "see to threads and memory"));
        };
        login.decrypt(key, self.settings.region.as_deref().unwrap_or(region), encrypted, end)
    }
}

impl Login {
    fn open(settings: &AwsKms, end: Instant) -> Option<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        let loading = async { timeout_at(end.into(), load(settings)).await };
        let config = runtime.block_on(loading).ok()?;
        Some(Self { runtime: Some(runtime), config })
    }

    fn decrypt(
        &self,
        key: &KmsKey,
        region: &str,
        encrypted: Vec<u8>,
        end: Instant,
    ) -> Result<Zeroizing<Vec<u8>>, SopsError> {
        let config = aws_sdk_kms::config::Builder::from(&self.config).region(Region::new(region.to_owned())).build();
        let context = (!key.context.is_empty()).then(|| key.context.clone().into_iter().collect());
        let asking = Client::from_conf(config)
            .decrypt()
            .key_id(&key.arn)
            .ciphertext_blob(Blob::new(encrypted))
            .set_encryption_context(context)
            .send();
        let Some(runtime) = &self.runtime else { return Err(late()) };
        let answer = runtime.block_on(async { timeout_at(end.into(), asking).await });
        let answer = answer.map_err(|_| late())?.map_err(|error| explain(&key.arn, &error))?;
        let plaintext = answer.plaintext.ok_or_else(|| SopsError::DataKey(key.arn.clone()))?;
        Ok(Zeroizing::new(plaintext.into_inner()))
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        // Else this would wait for blocking calls, such as the system's name resolution.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn load(settings: &AwsKms) -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http);
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    let config = loader.load().await;
    let config = match &settings.assume_role {
        None => config,
        Some(role) => {
            let provider =
                AssumeRoleProvider::builder(role).session_name("sealwave").configure(&config).build().await;
            let credentials = aws_sdk_kms::config::SharedCredentialsProvider::new(provider);
            config.into_builder().credentials_provider(credentials).build()
        }
    };
    match &settings.endpoint_url {
        None => config,
        Some(url) => config.into_builder().endpoint_url(url).build(),
    }
}

fn explain(arn: &str, error: &SdkError<DecryptError>) -> SopsError {
    let SdkError::ServiceError(service) = error else {
        return match error {
            SdkError::TimeoutError(_) => late(),
            SdkError::ConstructionFailure(_) => denied(
                "there are no AWS credentials for KMS",
                "give the sidecar's ServiceAccount a role (IRSA or Pod Identity), or name a `profile`",
            ),
            _ => unreachable("AWS KMS cannot be reached", "see whether the sidecar reaches the KMS endpoint"),
        };
    };
    match service.err().code().unwrap_or_default() {
        "InvalidCiphertextException" | "IncorrectKeyException" => SopsError::DataKey(arn.to_owned()),
        "AccessDeniedException" => denied(
            &format!("AWS KMS does not let sealwave decrypt with `{arn}`"),
            "allow `kms:Decrypt` in the key's policy and in that of the sidecar's role",
        ),
        "NotFoundException" | "DisabledException" | "KMSInvalidStateException" => {
            denied(&format!("`{arn}` is not there, or not enabled"), "see to the key in AWS KMS")
        }
        code if code.contains("Token") || code.contains("Signature") || code.contains("Credential") => {
            denied("AWS KMS does not take the credentials", "see whether they have expired")
        }
        _ => unreachable("AWS KMS could not answer", "try again; AWS' health page may say more"),
    }
}

fn late() -> SopsError {
    unreachable("AWS KMS did not answer in time", "`deadlineSeconds` in the operator file sets how long a run may take")
}

fn denied(reason: &str, hint: &str) -> SopsError {
    SopsError::Aws(ProviderError::denied(reason, hint))
}

fn unreachable(reason: &str, hint: &str) -> SopsError {
    SopsError::Aws(ProviderError::unreachable(reason, hint))
}
