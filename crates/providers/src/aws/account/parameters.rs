//! Reading and writing parameters of Parameter Store.

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::{ParameterStringFilter, ParameterTier, ParameterType};

use super::error::AwsError;
use super::names::is_requested;
use super::session::AwsAccount;
use crate::aws::failure::{AwsCall, AwsFailure};
use sealwave_secrets::values::SecretValue;

/// A parameter with its value.
pub struct StoredParameter {
    /// The decrypted value.
    pub value: SecretValue,
    /// The number of the version.
    pub version: i64,
}

/// The settings of a parameter, which a new version must keep.
///
/// `PutParameter` resets what a request leaves out, even the KMS key.
#[derive(Clone, Debug)]
pub struct ParameterDescription {
    kind: ParameterType,
    key: Option<String>,
    tier: Option<ParameterTier>,
    description: Option<String>,
    pattern: Option<String>,
    data_type: Option<String>,
    policies: Vec<String>,
}

impl ParameterDescription {
    /// The most bytes of a value in the standard tier.
    pub const STANDARD_LIMIT: usize = 4 << 10;
    /// The most bytes of a value in the advanced tier.
    pub const ADVANCED_LIMIT: usize = 8 << 10;

    /// Returns the settings of a new parameter, which is encrypted.
    #[must_use]
    pub const fn new_secure() -> Self {
        Self {
            kind: ParameterType::SecureString,
            key: None,
            tier: None,
            description: None,
            pattern: None,
            data_type: None,
            policies: Vec::new(),
        }
    }

    /// Reports whether the value is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.kind == ParameterType::SecureString
    }

    /// Returns the most bytes of a value.
    #[must_use]
    pub fn limit(&self) -> usize {
        match self.tier {
            Some(ParameterTier::Advanced | ParameterTier::IntelligentTiering) => Self::ADVANCED_LIMIT,
            _ => Self::STANDARD_LIMIT,
        }
    }
}

impl AwsAccount {
    fn ssm(&self) -> Result<Client, AwsError> {
        Ok(Client::new(&self.config()?))
    }

    /// Reads a parameter.
    ///
    /// # Errors
    /// There is no such parameter, or the call fails.
    pub fn parameter(&self, name: &str) -> Result<StoredParameter, AwsError> {
        let explain = self.explain(AwsCall::GetParameters);
        let request = self.ssm()?.get_parameters().names(name).with_decryption(true);
        let answer = self.runtime.block_on(request.send());
        let answer = answer.map_err(|error| explain(AwsFailure::from_sdk_error(&error)))?;
        if answer.invalid_parameters.iter().flatten().any(|invalid| invalid == name) {
            return Err(explain(AwsFailure::not_found()).about("parameter", name));
        }
        let mut found = answer.parameters.into_iter().flatten();
        let parameter = found.find(|found| is_requested(name, found.name.as_deref(), found.arn.as_deref()));
        let parameter = parameter.ok_or_else(|| explain(AwsFailure::malformed()))?;
        let version = parameter.version;
        let value = parameter.value.map(|text| SecretValue::new(text.into_bytes()));
        value.map(|value| StoredParameter { value, version }).ok_or_else(|| explain(AwsFailure::malformed()))
    }

    /// Returns the settings of a parameter.
    ///
    /// # Errors
    /// There is no such parameter, or the call fails.
    pub fn describe_parameter(&self, name: &str) -> Result<ParameterDescription, AwsError> {
        let explain = self.explain(AwsCall::DescribeParameters);
        let filter = ParameterStringFilter::builder().key("Name").option("Equals").values(name).build();
        let filter = filter.map_err(|_| explain(AwsFailure::malformed()))?;
        let answer =
            self.runtime.block_on(self.ssm()?.describe_parameters().parameter_filters(filter).send());
        let answer = answer.map_err(|error| explain(AwsFailure::from_sdk_error(&error)))?;
        let found = answer.parameters.into_iter().flatten().find(|found| found.name.as_deref() == Some(name));
        let found = found.ok_or_else(|| explain(AwsFailure::not_found()).about("parameter", name))?;
        Ok(ParameterDescription {
            kind: found.r#type.unwrap_or(ParameterType::SecureString),
            key: found.key_id,
            tier: found.tier,
            description: found.description,
            pattern: found.allowed_pattern,
            data_type: found.data_type,
            policies: found.policies.into_iter().flatten().filter_map(|policy| policy.policy_text).collect(),
        })
    }

    /// Writes a version of a parameter with these settings, and returns its number.
    ///
    /// # Errors
    /// It exists although it must not, or the call fails.
    pub fn put_parameter(
        &self,
        name: &str,
        value: &SecretValue,
        settings: &ParameterDescription,
        overwrite: bool,
    ) -> Result<i64, AwsError> {
        let explain = self.explain(AwsCall::PutParameter);
        let text = value.expose_str().ok_or_else(|| {
            AwsError::other(
                format!("the value for parameter `{name}` is not text"),
                "Parameter Store holds only text: encode the value, or use Secrets Manager",
            )
        })?;
        let policies = &settings.policies;
        let policies = (!policies.is_empty()).then(|| format!("[{}]", policies.join(",")));
        let request = self
            .ssm()?
            .put_parameter()
            .name(name)
            .value(text)
            .overwrite(overwrite)
            .r#type(settings.kind.clone())
            .set_key_id(settings.key.clone().filter(|_| settings.is_encrypted()))
            .set_tier(settings.tier.clone())
            .set_description(settings.description.clone())
            .set_allowed_pattern(settings.pattern.clone())
            .set_data_type(settings.data_type.clone())
            .set_policies(policies);
        let answer = self.runtime.block_on(request.send());
        answer.map(|answer| answer.version).map_err(|error| explain(AwsFailure::from_sdk_error(&error)))
    }
}
