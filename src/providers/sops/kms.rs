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
use aws_smithy_runtime_api::client::http::SharedHttpClient;
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
            let bad = || ProviderConfigError::BadPattern {
                provider: provider.to_owned(),
                pattern: pattern.clone(),
            };
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
        let encrypted =
            STANDARD.decode(key.encrypted.trim()).map_err(|_| SopsError::DataKey(key.arn.clone()))?;
        let end = deadline.checked_sub(RESERVE).unwrap_or(deadline);
        let login = self.login.get_or_init(|| Login::open(&self.settings, end)).as_ref();
        let (Some(login), Some(region)) = (login, key.region()) else {
            return Err(unreachable(
                "the machine lacks the means to ask AWS KMS",
                "see to threads and memory",
            ));
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
        let config =
            aws_sdk_kms::config::Builder::from(&self.config).region(Region::new(region.to_owned())).build();
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
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http_client());
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

fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https()
}

fn explain(arn: &str, error: &SdkError<DecryptError>) -> SopsError {
    let SdkError::ServiceError(service) = error else {
        return match error {
            SdkError::TimeoutError(_) => late(),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => late(),
            // The SDK files credentials that it could not get under neither of the network's own kinds.
            SdkError::DispatchFailure(failure) if !failure.is_io() => no_credentials(),
            SdkError::ConstructionFailure(_) => no_credentials(),
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

fn no_credentials() -> SopsError {
    denied(
        "there are no AWS credentials for KMS",
        "give the sidecar's ServiceAccount a role (IRSA or Pod Identity), or name a `profile`",
    )
}

fn late() -> SopsError {
    unreachable(
        "AWS KMS did not answer in time",
        "`deadlineSeconds` in the operator file sets how long a run may take",
    )
}

fn denied(reason: &str, hint: &str) -> SopsError {
    SopsError::Aws(ProviderError::denied(reason, hint))
}

fn unreachable(reason: &str, hint: &str) -> SopsError {
    SopsError::Aws(ProviderError::unreachable(reason, hint))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use aws_config::retry::RetryConfig;
    use aws_sdk_kms::config::{Credentials, SharedCredentialsProvider};

    use super::*;

    const ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn settings(keys: &[&str]) -> AwsKms {
        AwsKms {
            keys: keys.iter().map(|&key| key.to_owned()).collect(),
            context: BTreeMap::new(),
            region: None,
            profile: None,
            assume_role: None,
            endpoint_url: None,
        }
    }

    fn key(arn: &str) -> KmsKey {
        let context = BTreeMap::from([("team".to_owned(), "shop".to_owned())]);
        KmsKey { arn: arn.to_owned(), context, encrypted: STANDARD.encode("sealed") }
    }

    #[test]
    fn only_keys_that_the_operator_names_are_used() {
        let kms = Kms::new("sops", &settings(&["arn:aws:kms:*:111122223333:key/*"])).expect("valid");
        assert!(kms.allows(&key(ARN)));
        for arn in [
            "arn:aws:kms:eu-west-1:999999999999:key/1234abcd",
            "arn:aws:kms:eu-west-1:999999999999:key/x:111122223333:key/y",
            "arn:aws:kms:evil.example/:111122223333:key/x",
            "arn:aws:kms:eu-west-1#:111122223333:key/x",
            "arn:aws:kms::111122223333:key/x",
            "arn:aws:kms:eu-west-1:111122223333:key/",
            "arn:aws:kms:eu-west-1:111122223333:key/\u{0435}",
            "arn:aws:kms:eu-west-1:111122223333:alias/x",
            "ARN:aws:kms:eu-west-1:111122223333:key/x",
            "alias/x",
            "",
        ] {
            assert!(!kms.allows(&key(arn)), "{arn}");
        }
        for pattern in ["*", "**", "{arn:,}*", "arn:aws:kms:[", ""] {
            assert!(Kms::new("sops", &settings(&[pattern])).is_err(), "{pattern}");
        }
        assert!(!Kms::new("sops", &settings(&[])).expect("valid").allows(&key(ARN)));
    }

    /// Answers one request, and gives its head and body back.
    fn stub(status: &'static str, body: &'static str) -> (String, JoinHandle<(String, String)>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a caller");
            let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                assert_ne!(reader.read_line(&mut head).expect("a line"), 0);
            }
            let lower = head.to_ascii_lowercase();
            let length = lower.split("content-length:").nth(1).and_then(|rest| rest.lines().next());
            let mut asked = vec![0; length.expect("a length").trim().parse().expect("a number")];
            reader.read_exact(&mut asked).expect("a body");
            write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            )
            .expect("written");
            (lower, String::from_utf8(asked).expect("UTF-8"))
        });
        (url, thread)
    }

    fn ask(url: &str, context: &[(&str, &str)]) -> Result<Zeroizing<Vec<u8>>, SopsError> {
        let credentials = Credentials::new("AKIDEXAMPLE", "CANARY-secret", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(url)
            .http_client(http_client())
            .retry_config(RetryConfig::disabled())
            .build();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut settings = settings(&["arn:aws:kms:*:111122223333:key/*"]);
        settings.context = context.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let kms = Kms::new("sops", &settings).expect("valid");
        assert!(kms.login.set(Some(Login { runtime: Some(runtime), config })).is_ok());
        kms.decrypt(&key(ARN), Instant::now() + Duration::from_secs(20))
    }

    #[test]
    fn a_data_key_is_asked_for_with_its_context() {
        let (url, asked) = stub(
            "200 OK",
            r#"{"KeyId":"x","Plaintext":"Q0FOQVJZ","EncryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#,
        );
        let answer = ask(&url, &[("team", "shop")]).expect("a key");
        assert_eq!(answer.as_slice(), b"CANARY");
        let (head, body) = asked.join().expect("asked");
        assert!(head.contains("x-amz-target: trentservice.decrypt"), "{head}");
        assert!(head.contains("/eu-west-1/kms/aws4_request") && !head.contains("canary"), "{head}");
        let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(body["KeyId"], ARN);
        assert_eq!(body["CiphertextBlob"], STANDARD.encode("sealed"));
        assert_eq!(body["EncryptionContext"], serde_json::json!({"team": "shop"}));
    }

    #[test]
    fn refusals_are_told_apart() {
        for (status, body, why) in [
            ("400 Bad Request", r#"{"__type":"AccessDeniedException","message":"CANARY"}"#, "does not let"),
            ("400 Bad Request", r#"{"__type":"InvalidCiphertextException"}"#, "data key is damaged"),
            ("400 Bad Request", r#"{"__type":"NotFoundException","message":"CANARY"}"#, "not there"),
            ("400 Bad Request", r#"{"__type":"ExpiredTokenException","message":"CANARY"}"#, "credentials"),
            ("500 Oops", r#"{"__type":"KMSInternalException","message":"CANARY"}"#, "could not answer"),
            ("200 OK", "{}", "data key is damaged"),
        ] {
            let (url, asked) = stub(status, body);
            let error = ask(&url, &[]).expect_err("an error").to_string();
            assert!(error.contains(why) && !error.contains("CANARY"), "{body}: {error}");
            asked.join().expect("asked");
        }
    }

    #[test]
    fn a_file_of_another_context_is_not_even_asked_for() {
        for context in [[("team", "other")], [("stage", "prod")]] {
            let error = ask("http://127.0.0.1:1", &context).expect_err("an error");
            assert!(matches!(error, SopsError::KmsContext { .. }), "{error}");
        }
    }
}
