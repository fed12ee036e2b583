//! The backend of a Secret as an author chooses it: one backend, or the first step from one to another.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use super::kind::BackendKind;

/// A backend, or the release of a Secret by one backend to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackendChoice {
    /// The backend that supplies the Secret.
    pub kind: BackendKind,
    /// The backend that the Secret is released to; `None` unless the supplier is being changed.
    pub release_to: Option<BackendKind>,
}

/// The first step of a change of the backend: `from` still supplies the Secret, but its controller lets go of it, so that
/// `to` can take it over. The second step replaces this by the name of the new backend.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BackendRelease {
    /// The backend that supplies the Secret until the next step.
    from: BackendKind,
    /// The backend that takes the Secret over in the next step.
    to: BackendKind,
}

impl BackendChoice {
    /// Returns the backend that supplies the Secret once the change is complete.
    #[must_use]
    pub fn target(self) -> BackendKind {
        self.release_to.unwrap_or(self.kind)
    }
}

impl From<BackendKind> for BackendChoice {
    fn from(kind: BackendKind) -> Self {
        Self { kind, release_to: None }
    }
}

/// Formats the choice as an author writes it.
impl fmt::Display for BackendChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.release_to {
            None => self.kind.fmt(f),
            Some(to) => write!(f, "{{from: {}, to: {to}}}", self.kind),
        }
    }
}

impl<'de> Deserialize<'de> for BackendChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ChoiceVisitor)
    }
}

struct ChoiceVisitor;

impl<'de> Visitor<'de> for ChoiceVisitor {
    type Value = BackendChoice;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a backend, or `from` and `to` with one each")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<BackendChoice, E> {
        BackendKind::deserialize(StrDeserializer::new(text)).map(BackendChoice::from)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<BackendChoice, A::Error> {
        let BackendRelease { from, to } = BackendRelease::deserialize(MapAccessDeserializer::new(map))?;
        if from == to {
            let expected = "`from` and `to` with different backends";
            return Err(Error::invalid_value(Unexpected::Other("the same backend twice"), &expected));
        }
        Ok(BackendChoice { kind: from, release_to: Some(to) })
    }
}

impl JsonSchema for BackendChoice {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "BackendChoice".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let kind = generator.subschema_for::<BackendKind>();
        let release = generator.subschema_for::<BackendRelease>();
        schemars::json_schema!({
            "description": "A backend, or the first of the two steps that change the backend of a Secret that is in use.",
            "anyOf": [kind, release],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<BackendChoice, String> {
        yaml_serde::from_str(text).map_err(|error: yaml_serde::Error| error.to_string())
    }

    #[test]
    fn both_forms_are_read_and_written() {
        for text in ["external-secrets", "{from: sealed-secrets, to: external-secrets}"] {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
        let choice = read("{from: sealed-secrets, to: secrets-store-csi}").unwrap();
        assert_eq!(
            (choice.kind, choice.target()),
            (BackendKind::SealedSecrets, BackendKind::SecretsStoreCsi)
        );
    }

    #[test]
    fn other_forms_are_refused() {
        for (text, message) in [
            ("{from: sealed-secrets, to: sealed-secrets}", "`from` and `to` with different backends"),
            ("{from: sealed-secrets}", "missing field `to`"),
            ("{from: sealed-secrets, to: vault}", "unknown variant `vault`"),
            ("{from: sealed-secrets, to: external-secrets, step: 2}", "unknown field `step`"),
            ("vault", "unknown variant `vault`"),
            ("[sealed-secrets]", "a backend, or `from` and `to` with one each"),
            ("3", "a backend, or `from` and `to` with one each"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
