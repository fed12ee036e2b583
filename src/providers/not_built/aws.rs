//! In the place of AWS' providers where the binary was built without them: says so.

use super::{Environment, Provider, ProviderConfigError};
use crate::model::AwsSettings;

#[derive(Clone, Copy)]
pub(super) enum Service {
    ParameterStore,
    SecretsManager,
}

pub(super) fn provider(
    name: &str,
    _service: Service,
    _settings: &AwsSettings,
    _environment: &Environment,
) -> Result<Box<dyn Provider>, ProviderConfigError> {
    Err(ProviderConfigError::NotBuilt { provider: name.to_owned(), feature: "aws" })
}
