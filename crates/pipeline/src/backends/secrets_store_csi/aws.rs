//! Remote objects of the driver's AWS provider, and parts of those that are JSON.

use serde_json::{Map, Value as Json, json};

use super::jmespath::{self, JoinPiece};
use super::reason::ProviderClassReason;
use super::{AliasAllocator, CsiProviders, display_reference, sole_placeholder};
use crate::backends::common::is_version_id;
use crate::backends::refusal::CommonReason;
use crate::modifiers::{decoder_row, encoder_row};
use sealwave_secrets::placeholder::{Placeholder, PlaceholderText, SecretReference, TextPart};
use sealwave_secrets::settings::{CsiProvider, SecretService};
use sealwave_secrets::values::KeyPath;

/// The remote objects of a class, in order of first use.
#[derive(Default)]
pub(super) struct AwsObjects(Vec<AwsObject>);

/// A remote object.
struct AwsObject {
    path: String,
    service: SecretService,
    version: Option<String>,
    alias: String,
    /// `JMESPath` expressions and their aliases.
    parts: Vec<(String, String)>,
}

impl AwsObjects {
    /// Adds the object of an item and returns its alias.
    pub(super) fn add(
        &mut self,
        key: &str,
        text: &PlaceholderText,
        providers: &CsiProviders,
        aliases: &mut AliasAllocator,
    ) -> Result<String, ProviderClassReason> {
        let expression = expression(text)?;
        let mut placeholders = text.placeholders();
        let Some(Placeholder { reference, .. }) = placeholders.next() else {
            return Err(CommonReason::Literal.into());
        };
        let provider = providers.get(reference.provider.as_str());
        let service = provider.map_or(SecretService::AwsSm, |provider| provider.service);
        check(reference, service, provider)?;
        let service_of = |reference: &SecretReference| {
            providers.get(reference.provider.as_str()).map(|provider| provider.service)
        };
        for Placeholder { reference: other, .. } in placeholders {
            let is_same = other.path == reference.path && other.version == reference.version;
            if !is_same || service_of(other) != Some(service) {
                return Err(ProviderClassReason::ManyObjects {
                    first: reference.to_string(),
                    second: other.to_string(),
                });
            }
        }
        let object = self.object(reference, service, aliases);
        let Some(expression) = expression else { return Ok(object.alias.clone()) };
        let alias = aliases.allocate(key);
        object.parts.push((expression, alias.clone()));
        Ok(alias)
    }

    fn object(
        &mut self,
        reference: &SecretReference,
        service: SecretService,
        aliases: &mut AliasAllocator,
    ) -> &mut AwsObject {
        let known = self.0.iter().position(|object| {
            object.path == reference.path && object.version == reference.version && object.service == service
        });
        let at = known.unwrap_or_else(|| {
            self.0.push(AwsObject {
                path: reference.path.clone(),
                service,
                version: reference.version.clone(),
                alias: aliases.allocate(&reference.path),
                parts: Vec::new(),
            });
            self.0.len() - 1
        });
        &mut self.0[at]
    }

    pub(super) fn to_json(&self) -> Json {
        self.0.iter().map(AwsObject::to_json).collect()
    }
}

impl AwsObject {
    fn to_json(&self) -> Json {
        let mut out = Map::new();
        let mut put = |field: &str, value: Json| out.insert(field.to_owned(), value);
        put("objectName", self.path.as_str().into());
        let kind = if self.service == SecretService::AwsSsm { "ssmparameter" } else { "secretsmanager" };
        put("objectType", kind.into());
        put("objectAlias", self.alias.as_str().into());
        if let Some(version) = &self.version {
            let is_id = self.service == SecretService::AwsSsm || is_version_id(version);
            put(if is_id { "objectVersion" } else { "objectVersionLabel" }, version.as_str().into());
        }
        if !self.parts.is_empty() {
            let parts = self.parts.iter().map(|(path, alias)| json!({"path": path, "objectAlias": alias}));
            put("jmesPath", parts.collect());
        }
        out.into()
    }
}

/// Returns the expression for a text, or `None` for the whole object.
fn expression(text: &PlaceholderText) -> Result<Option<String>, ProviderClassReason> {
    if let Some(placeholder) = sole_placeholder(text) {
        return placeholder_expression(placeholder);
    }
    let mut pieces = Vec::new();
    for piece in text.parts() {
        pieces.push(match piece {
            TextPart::Literal(literal) => JoinPiece::Literal(literal.as_str()),
            TextPart::Placeholder(placeholder) => {
                JoinPiece::Expression(placeholder_expression(placeholder)?.ok_or_else(|| {
                    ProviderClassReason::WholeInText { reference: placeholder.reference.to_string() }
                })?)
            }
        });
    }
    Ok(Some(jmespath::join(&pieces)))
}

/// Returns the expression for a placeholder, or `None` for the whole value.
fn placeholder_expression(placeholder: &Placeholder) -> Result<Option<String>, ProviderClassReason> {
    let key = placeholder.reference.key.as_deref();
    let modifiers = &placeholder.modifiers;
    let path = modifiers.decoders.as_slice().first().and_then(|decoder| decoder_row(decoder).csi_aws);
    if path.is_some() && key.is_some() {
        return Err(CommonReason::JsonPathInKey.into());
    }
    if modifiers.encoder.as_ref().is_some_and(|encoder| encoder_row(encoder).is_json_path) {
        return Err(CommonReason::JsonPath.into());
    }
    if let Some(name) = modifiers.names().nth(usize::from(path.is_some())) {
        return Err(CommonReason::Modifier { name }.into());
    }
    match path {
        None => {
            let path = key.map(KeyPath::parse).transpose().map_err(|_| CommonReason::JsonPath)?;
            Ok(path.as_ref().map(jmespath::key))
        }
        Some(path) if path.steps().is_empty() => Err(CommonReason::JsonPath.into()),
        Some(path) => Ok(Some(jmespath::path(path.steps()))),
    }
}

/// Checks the name and the version of an object.
fn check(
    reference: &SecretReference,
    service: SecretService,
    provider: Option<&CsiProvider>,
) -> Result<(), ProviderClassReason> {
    if service == SecretService::AwsSsm
        && reference.version.as_ref().is_some_and(|version| version.parse::<u64>().is_err())
    {
        return Err(CommonReason::Version { reference: reference.to_string() }.into());
    }
    let Some(arn) = reference.path.strip_prefix("arn:") else { return Ok(()) };
    let mut fields = arn.split(':').skip(1);
    let (arn_service, region) = (fields.next().unwrap_or(""), fields.next().unwrap_or(""));
    let wrong_arn = |expected: String| {
        Err(ProviderClassReason::Arn { reference: display_reference(reference), expected })
    };
    let (expected, name) = if service == SecretService::AwsSsm {
        ("ssm", "Parameter Store")
    } else {
        ("secretsmanager", "Secrets Manager")
    };
    if arn_service != expected {
        return wrong_arn(name.to_owned());
    }
    match provider.and_then(|provider| provider.parameters.get("region")) {
        Some(own) if own != region => wrong_arn(format!("region `{own}`")),
        _ => Ok(()),
    }
}
