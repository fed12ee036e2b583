//! A request to an S3 bucket with an access key, which proves that the key works where it is used.
//!
//! It lists at most zero keys of the bucket: unlike a `HEAD` request, its error has a code, which tells a key that is not
//! known yet from one that lacks the permission. The permission is the same, `s3:ListBucket`.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_types::service_config::ServiceConfigKey;

use super::error::AwsError;
use super::session::{AwsAccount, key_credentials};
use crate::aws::client;
use crate::aws::failure::{AwsCall, AwsFailure};
use crate::aws::identity::emulator;
use crate::aws::target::is_region;
use sealwave_secrets::values::SecretValue;

/// The time for one request.
const REQUEST_TIME: Duration = Duration::from_secs(20);

/// The most bytes of a response that are read.
const MAX_RESPONSE: usize = 64 << 10;

/// A bucket that a new access key must be able to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketProbe {
    /// The name of the bucket.
    pub bucket: String,
    /// Its region, if it is not that of the session.
    pub region: Option<String>,
    /// The address of S3, if it is not that of AWS.
    pub endpoint: Option<String>,
}

impl BucketProbe {
    /// Reports whether the name can be that of a bucket. It becomes a part of an address.
    #[must_use]
    pub fn is_bucket_name(name: &str) -> bool {
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
        (3..=63).contains(&name.len())
            && name.bytes().all(is_name)
            && !name.starts_with(['.', '-'])
            && !name.contains("..")
    }

    /// Reports whether a text has the form of a region. It becomes a part of an address.
    #[must_use]
    pub fn is_region(text: &str) -> bool {
        is_region(text)
    }

    /// Reports whether an address can be used: encrypted, or on this machine.
    #[must_use]
    pub fn is_endpoint(url: &str) -> bool {
        crate::aws::check::is_endpoint(url)
    }
}

impl AwsAccount {
    /// Lists a bucket with an access key.
    ///
    /// # Errors
    /// The key is not known yet, lacks the permission, or the bucket cannot be reached.
    pub fn probe_bucket(&self, probe: &BucketProbe, id: &str, secret: &SecretValue) -> Result<(), AwsError> {
        let credentials = key_credentials(id, secret)?;
        let caller = format!("access key `{id}`");
        let explain = |failure: &AwsFailure| AwsError::new(failure, AwsCall::ListBucket, &caller);
        let session_region = self.config()?.region().map(|region| region.as_ref().to_owned());
        let region = probe.region.clone().or(session_region).unwrap_or_default();
        let url = self.bucket_url(probe, &region)?;
        let request =
            signed_request(&url, &region, credentials).ok_or_else(|| explain(&AwsFailure::malformed()))?;
        let settings = &self.settings;
        let connector = client::connector(settings.ca_file.as_deref(), settings.proxy.as_deref());
        let connector = connector.map_err(|error| AwsError::of_login(&error))?;
        let answer = self.runtime.block_on(async {
            tokio::time::timeout(REQUEST_TIME, async {
                let response =
                    connector.call(request).await.map_err(|error| AwsFailure::of_connector(&error))?;
                BucketAnswer::read(response).await
            })
            .await
        });
        match answer {
            Err(_) => Err(explain(&AwsFailure::timed_out())),
            Ok(Err(failure)) => Err(explain(&failure)),
            Ok(Ok(answer)) => answer.check(&probe.bucket, &region, &caller),
        }
    }

    /// Checks the address of a probe. Sends nothing.
    ///
    /// # Errors
    /// The address in the AWS configuration is malformed.
    pub fn check_probe(&self, probe: &BucketProbe) -> Result<(), AwsError> {
        self.bucket_url(probe, "").map(drop)
    }

    fn bucket_url(&self, probe: &BucketProbe, region: &str) -> Result<String, AwsError> {
        let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let endpoint = match &probe.endpoint {
            Some(url) => Some(url.clone()),
            None => self.configured_s3()?.or_else(|| emulator(&self.settings).map(str::to_owned)),
        };
        let endpoint = endpoint.map_or_else(
            || format!("https://s3.{region}.{suffix}"),
            |url| url.trim_end_matches('/').to_owned(),
        );
        Ok(format!("{endpoint}/{}?list-type=2&max-keys=0", probe.bucket))
    }

    /// Returns the address of S3 in the environment or the profile, as the SDK finds those of other services.
    fn configured_s3(&self) -> Result<Option<String>, AwsError> {
        let config = self.config()?;
        let key = ServiceConfigKey::builder()
            .service_id("S3")
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build()
            .ok();
        let found = config.service_config().zip(key).and_then(|(service, key)| service.load_config(key));
        match found {
            Some(url) if !BucketProbe::is_endpoint(&url) => Err(AwsError::other(
                "the address of S3 in the AWS configuration is not valid".to_owned(),
                "write an `https://` address (`http://` only on this machine) in `AWS_ENDPOINT_URL_S3` or `endpoint_url` of the profile, or pass `--probe-endpoint`",
            )),
            found => Ok(found),
        }
    }
}

/// Returns the signed request; `None` if the address cannot be one.
fn signed_request(url: &str, region: &str, credentials: Credentials) -> Option<HttpRequest> {
    let mut settings = SigningSettings::default();
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    let identity = credentials.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("s3")
        .time(SystemTime::now())
        .settings(settings)
        .build()
        .ok()?
        .into();
    let signable = SignableRequest::new("GET", url, std::iter::empty(), SignableBody::Bytes(&[])).ok()?;
    let (instructions, _) = sign(signable, &parameters).ok()?.into_parts();
    let mut request = HttpRequest::new(SdkBody::empty());
    request.set_method("GET").ok()?;
    request.set_uri(url).ok()?;
    for (name, value) in instructions.headers() {
        request.headers_mut().try_insert(name.to_owned(), value.to_owned()).ok()?;
    }
    Some(request)
}

/// The response to a request for a bucket.
struct BucketAnswer {
    status: u16,
    /// The region that S3 names.
    region: Option<String>,
    code: Option<String>,
}

impl BucketAnswer {
    async fn read(response: HttpResponse) -> Result<Self, AwsFailure> {
        let status = response.status().as_u16();
        let region =
            response.headers().get("x-amz-bucket-region").filter(|text| is_region(text)).map(str::to_owned);
        let mut body = ByteStream::new(response.into_body());
        let mut text = Vec::new();
        while let Some(part) = body.next().await {
            text.extend_from_slice(&part.map_err(|_| AwsFailure::malformed())?);
            if text.len() > MAX_RESPONSE {
                return Err(AwsFailure::malformed());
            }
        }
        let text = String::from_utf8_lossy(&text);
        if status == 200 && !text.contains("<ListBucketResult") {
            // A proxy may answer with a page of its own.
            return Err(AwsFailure::malformed());
        }
        let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
        Ok(Self { status, region, code: code.map(|(code, _)| code.to_owned()) })
    }

    fn check(self, bucket: &str, region: &str, caller: &str) -> Result<(), AwsError> {
        if self.status == 200 {
            return Ok(());
        }
        if let Some(actual) = self.region.filter(|actual| actual != region) {
            return Err(AwsError::other(
                format!("bucket `{bucket}` is in region `{actual}`, not in `{region}`"),
                &format!("pass `--probe-region {actual}`"),
            ));
        }
        let failure = AwsFailure::from_response(self.status, self.code.as_deref(), false);
        Err(AwsError::new(&failure, AwsCall::ListBucket, caller))
    }
}
