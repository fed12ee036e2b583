//! Data keys that are encrypted with AWS KMS.
//!
//! The operator configures the allowed keys and the identity; a role or profile in a file's metadata is never used. The
//! encryption context of a file is passed on, since KMS requires it for decryption.
//! Error texts of the SDK are not passed on: they may quote responses.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use aws_sdk_kms::Client;
use aws_sdk_kms::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_kms::operation::decrypt::DecryptError;
use aws_sdk_kms::primitives::Blob;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use globset::{Glob, GlobSet, GlobSetBuilder};
use tokio::runtime::Runtime;
use tokio::time::timeout_at;
use zeroize::Zeroizing;

use super::error::SopsError;
use super::metadata::KmsKey;
use super::settings::AwsKms;
use crate::aws::{self, AwsCall, AwsFailure, AwsSession, AwsSettings, call_timeout};
use crate::config_error::BadGlob;
use crate::{EnvLookup, Login, ProviderError, SettingsError};

/// Time reserved before the deadline for reporting errors.
const RESERVE: Duration = Duration::from_millis(250);

/// The operator's keys in AWS KMS.
pub(super) struct KmsKeys {
    settings: AwsKms,
    /// The connection settings and the identity.
    service: AwsSettings,
    keys: GlobSet,
    environment: EnvLookup,
    /// Credentials for tests, instead of those that the SDK finds.
    fixed: Option<Credentials>,
    login: OnceLock<Result<KmsSession, ProviderError>>,
}

/// A session and the runtime of its connections, shared by all files of a run.
struct KmsSession {
    runtime: Option<Runtime>,
    session: AwsSession,
}

impl KmsKeys {
    pub(super) fn new(
        settings: &AwsKms,
        operator_dir: &Path,
        environment: &EnvLookup,
    ) -> Result<Self, SettingsError> {
        let service = settings.service().with_absolute_paths(operator_dir);
        aws::check(&service)?;
        let mut keys = GlobSetBuilder::new();
        for pattern in &settings.keys {
            let bad_pattern = || BadGlob { pattern: pattern.clone() };
            // A catch-all pattern would let a file use a key of an attacker's account.
            if !pattern.starts_with("arn:") {
                return Err(bad_pattern().into());
            }
            keys.add(Glob::new(pattern).map_err(|_| bad_pattern())?);
        }
        let keys = keys.build().map_err(|_| BadGlob { pattern: settings.keys.join(", ") })?;
        Ok(Self {
            settings: settings.clone(),
            service,
            keys,
            environment: Arc::clone(environment),
            fixed: None,
            login: OnceLock::new(),
        })
    }

    /// Reports whether the operator allows files to use this key.
    pub(super) fn allows(&self, key: &KmsKey) -> bool {
        key.shown_arn().is_some_and(|arn| self.keys.is_match(arn))
    }

    /// Returns the allowed patterns as the operator wrote them.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &str> {
        self.settings.keys.iter().map(String::as_str)
    }

    /// Logs in, and asks for the identity.
    pub(super) fn try_login(&self, deadline: Instant) -> Result<Login, ProviderError> {
        let end = before(deadline);
        let session = self.log_in(end)?;
        // Without a region of its own, the provider uses that of a file's key.
        let of_key = |pattern: &str| {
            pattern.split(':').nth(3).filter(|region| aws::is_region(region)).map(str::to_owned)
        };
        let region = self.settings.region.clone().or_else(|| self.patterns().find_map(of_key));
        session.identify(&self.service, region.as_deref(), end)
    }

    fn log_in(&self, end: Instant) -> Result<&KmsSession, ProviderError> {
        let open = || KmsSession::open(&self.service, &self.environment, self.fixed.as_ref(), end);
        self.login.get_or_init(open).as_ref().map_err(ProviderError::clone)
    }

    /// Decrypts a data key with KMS.
    pub(super) fn decrypt(&self, key: &KmsKey, deadline: Instant) -> Result<Zeroizing<Vec<u8>>, SopsError> {
        let is_missing = |(name, value): &(&String, &String)| key.context.get(*name) != Some(*value);
        if self.settings.context.iter().any(|pair| is_missing(&pair)) {
            let names = self.settings.context.keys().cloned().collect::<Vec<_>>().join("`, `");
            return Err(SopsError::KmsContext { arn: key.arn.clone(), names });
        }
        let encrypted =
            STANDARD.decode(key.encrypted.trim()).map_err(|_| SopsError::DataKey(key.arn.clone()))?;
        let end = before(deadline);
        let login = self.log_in(end).map_err(SopsError::Aws)?;
        let region = self.settings.region.as_deref().or_else(|| key.region());
        login.decrypt(key, region, encrypted, end)
    }
}

fn before(deadline: Instant) -> Instant {
    deadline.checked_sub(RESERVE).unwrap_or(deadline)
}

impl KmsSession {
    fn identify(
        &self,
        settings: &AwsSettings,
        region: Option<&str>,
        end: Instant,
    ) -> Result<Login, ProviderError> {
        let timeout = || call_timeout(AwsCall::GetCallerIdentity);
        let Some(runtime) = &self.runtime else { return Err(timeout()) };
        let request = self.session.identify(settings, region);
        runtime.block_on(async { timeout_at(end.into(), request).await }).unwrap_or_else(|_| Err(timeout()))
    }

    fn open(
        settings: &AwsSettings,
        environment: &EnvLookup,
        fixed: Option<&Credentials>,
        end: Instant,
    ) -> Result<Self, ProviderError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| ProviderError::cannot_start("the network runtime", error.kind()))?;
        let opening =
            async { timeout_at(end.into(), AwsSession::open(settings, environment, fixed, end)).await };
        match runtime.block_on(opening).unwrap_or_else(|_| Err(login_timeout())) {
            Ok(session) => Ok(Self { runtime: Some(runtime), session }),
            Err(error) => {
                runtime.shutdown_background();
                Err(error)
            }
        }
    }

    fn decrypt(
        &self,
        key: &KmsKey,
        region: Option<&str>,
        encrypted: Vec<u8>,
        end: Instant,
    ) -> Result<Zeroizing<Vec<u8>>, SopsError> {
        let config = self.session.config(region).map_err(SopsError::Aws)?;
        let context = (!key.context.is_empty()).then(|| key.context.clone().into_iter().collect());
        let request = Client::new(&config)
            .decrypt()
            .key_id(&key.arn)
            .ciphertext_blob(Blob::new(encrypted))
            .set_encryption_context(context)
            .send();
        let timeout = || SopsError::Aws(call_timeout(AwsCall::Decrypt));
        let Some(runtime) = &self.runtime else { return Err(timeout()) };
        let answer = runtime.block_on(async { timeout_at(end.into(), request).await });
        let answer = answer
            .map_err(|_| timeout())?
            .map_err(|error| explain(&key.arn, &self.session.caller, &error))?;
        let plaintext = answer.plaintext.ok_or_else(|| SopsError::DataKey(key.arn.clone()))?;
        Ok(Zeroizing::new(plaintext.into_inner()))
    }
}

impl Drop for KmsSession {
    fn drop(&mut self) {
        // Dropping the runtime would wait for blocking calls, such as the system's name resolution.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Converts an error of KMS. Errors of the key name it; the rest is handled as for other AWS services. None is "not found",
/// which would let `default` apply.
fn explain(arn: &str, caller: &str, error: &SdkError<DecryptError>) -> SopsError {
    let code = error.as_service_error().and_then(|error| error.code()).unwrap_or_default();
    SopsError::Aws(match code {
        "IncorrectKeyException" | "InvalidCiphertextException" => return SopsError::DataKey(arn.to_owned()),
        "AccessDeniedException" => ProviderError::denied(
            format!("{caller} is not allowed to decrypt with `{arn}`"),
            "allow `kms:Decrypt` in the key's policy and in the role's",
        ),
        "DisabledException" | "KMSInvalidStateException" | "NotFoundException" => ProviderError::denied(
            format!("`{arn}` does not exist or is not enabled"),
            "check the key in AWS KMS",
        ),
        _ => AwsFailure::from_sdk_error(error).to_provider_error(AwsCall::Decrypt, caller),
    })
}

fn login_timeout() -> ProviderError {
    ProviderError::unreachable(
        "no AWS credentials were received before the run's deadline",
        "check that the sidecar can reach STS, the Pod Identity agent or the instance metadata",
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use super::*;
    use crate::aws::AssumeRole;

    const ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn settings(keys: &[&str]) -> AwsKms {
        AwsKms {
            keys: keys.iter().map(|&key| key.to_owned()).collect(),
            context: BTreeMap::new(),
            region: None,
            profile: None,
            assume_role: None,
            endpoint_url: None,
            ca_file: None,
            proxy: None,
        }
    }

    /// Creates the keys without any environment variables.
    fn kms(settings: &AwsKms) -> Result<KmsKeys, SettingsError> {
        let environment: EnvLookup = Arc::new(|_| None);
        KmsKeys::new(settings, Path::new("."), &environment)
    }

    fn key(arn: &str) -> KmsKey {
        let context = BTreeMap::from([("team".to_owned(), "shop".to_owned())]);
        KmsKey { arn: arn.to_owned(), context, encrypted: STANDARD.encode("sealed") }
    }

    #[test]
    fn only_allowed_keys_are_used() {
        let ours = kms(&settings(&["arn:aws:kms:*:111122223333:key/*"])).expect("valid");
        assert!(ours.allows(&key(ARN)));
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
            assert!(!ours.allows(&key(arn)), "{arn}");
        }
        for pattern in ["*", "**", "{arn:,}*", "arn:aws:kms:[", ""] {
            assert!(kms(&settings(&[pattern])).is_err(), "{pattern}");
        }
        assert!(!kms(&settings(&[])).expect("valid").allows(&key(ARN)));
    }

    /// Responds to one request, and returns its head and body.
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
        let mut settings = settings(&["arn:aws:kms:*:111122223333:key/*"]);
        settings.context = context.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        settings.endpoint_url = Some(url.to_owned());
        let mut kms = kms(&settings).expect("valid");
        kms.fixed = Some(Credentials::new("AKIDEXAMPLE", "CANARY-secret", None, None, "test"));
        kms.decrypt(&key(ARN), Instant::now() + Duration::from_secs(20))
    }

    #[test]
    fn a_data_key_is_decrypted_with_its_context() {
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
    fn refusals_map_to_messages() {
        for (status, body, why) in [
            (
                "400 Bad Request",
                r#"{"__type":"AccessDeniedException","message":"CANARY"}"#,
                "the sidecar's identity is not allowed to decrypt with `arn:aws:",
            ),
            ("400 Bad Request", r#"{"__type":"InvalidCiphertextException"}"#, "data key is damaged"),
            ("400 Bad Request", r#"{"__type":"NotFoundException","message":"CANARY"}"#, "does not exist"),
            ("400 Bad Request", r#"{"__type":"ExpiredTokenException","message":"CANARY"}"#, "credentials"),
            // Any other status would be retried.
            ("400 Bad Request", r#"{"__type":"KMSInternalException","message":"CANARY"}"#, "on AWS' side"),
            ("400 Bad Request", r#"{"__type":"CANARY","message":"CANARY"}"#, "does not know"),
            ("200 OK", "{}", "data key is damaged"),
        ] {
            let (url, asked) = stub(status, body);
            let error = ask(&url, &[]).expect_err("an error").to_string();
            assert!(error.contains(why) && !error.contains("CANARY"), "{body}: {error}");
            asked.join().expect("asked");
        }
    }

    #[test]
    fn a_file_with_another_context_is_not_requested() {
        for context in [[("team", "other")], [("stage", "prod")]] {
            let error = ask("http://127.0.0.1:1", &context).expect_err("an error");
            assert!(matches!(error, SopsError::KmsContext { .. }), "{error}");
        }
    }

    #[test]
    fn settings_match_other_aws_services() {
        let role = |arn: &str| AssumeRole {
            role_arn: arn.to_owned(),
            external_id: None,
            session_name: None,
            endpoint_url: None,
        };
        let mut settings = settings(&["arn:aws:kms:*:111122223333:key/*"]);
        settings.region = Some("eu-west-1".to_owned());
        settings.profile = Some("shop".to_owned());
        settings.assume_role = Some(role("arn:aws:iam::111122223333:role/sops"));
        settings.endpoint_url = Some("https://kms.example.com".to_owned());
        let service = settings.service();
        assert_eq!(service.region.as_deref(), Some("eu-west-1"));
        assert_eq!(service.profile.as_deref(), Some("shop"));
        assert_eq!(service.endpoint_url.as_deref(), Some("https://kms.example.com"));
        assert_eq!(service.assume_role, settings.assume_role);
        assert!(kms(&settings).is_ok());
        for change in [
            |settings: &mut AwsKms| settings.region = Some("evil.example/".to_owned()),
            |settings: &mut AwsKms| settings.endpoint_url = Some("http://kms.example.com".to_owned()),
            |settings: &mut AwsKms| settings.profile = Some(String::new()),
        ] {
            let mut settings = settings.clone();
            change(&mut settings);
            let error = kms(&settings).err().expect("an error");
            assert!(error.to_string().contains("` must be "), "{error}");
        }
        settings.assume_role = Some(role("sops"));
        assert!(kms(&settings).is_err());
    }

    /// Without `HOME`, the SDK would read profiles below `./~`, which the app controls.
    #[test]
    fn a_profile_in_the_app_is_not_used() {
        let mut settings = settings(&["arn:aws:kms:*:111122223333:key/*"]);
        settings.profile = Some("shop".to_owned());
        settings.endpoint_url = Some("http://127.0.0.1:1".to_owned());
        let variables =
            |name: &str| (name == "AWS_CONFIG_FILE").then(|| "../../testdata/sops/aws-config".into());
        let environment: EnvLookup = Arc::new(variables);
        assert!(std::path::Path::new("../../testdata/sops/aws-config").is_file());
        let kms = KmsKeys::new(&settings, Path::new("."), &environment).expect("valid");
        let error = kms.decrypt(&key(ARN), Instant::now() + Duration::from_secs(20)).expect_err("an error");
        assert!(matches!(error, SopsError::Aws(ProviderError::Denied { .. })), "{error}");
        assert!(error.to_string().contains("credentials"), "{error}");
    }
}
