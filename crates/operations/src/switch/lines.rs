//! The lines of `sealwave.yaml` for the next commit.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::committed::{REFERENCE_PROVIDER, to_yaml};
use super::request::{Switch, SwitchRequest, SwitchScope};
use sealwave_secrets::settings::{
    BackendChoice, BackendKind, ChecksumText, EnvironmentBackends, KeptChecksum, SecretService,
};

/// The text for a checksum that is known only when the references are.
const COMPUTED: &str = "CHECKSUM";

impl Switch {
    /// Returns the lines of the next commit; empty if no commit is left.
    #[must_use]
    pub fn lines(&self, kept: &BTreeMap<String, KeptChecksum>) -> String {
        let kept = kept.iter().map(|(workload, entry)| {
            let entry = json!({"computed": entry.computed.as_str(), "kept": entry.kept.as_str()});
            (workload.clone(), entry)
        });
        self.lines_with(kept.collect())
    }

    /// Returns the lines of the commit that replaces committed SealedSecrets. The checksums of workloads under the new backend
    /// depend on the references that a person fills in.
    #[must_use]
    pub fn skeleton_lines(&self, kept: &BTreeMap<String, ChecksumText>) -> String {
        let kept = kept
            .iter()
            .map(|(workload, kept)| (workload.clone(), json!({"computed": COMPUTED, "kept": kept.as_str()})));
        self.lines_with(kept.collect())
    }

    fn lines_with(&self, kept: Map<String, Json>) -> String {
        self.next_choice().map_or_else(String::new, |choice| app_file_lines(&self.request, choice, kept))
    }
}

/// Returns the providers among those of references that have no settings for a backend.
pub fn missing_providers<'p>(
    to: BackendKind,
    backends: &EnvironmentBackends,
    providers: impl IntoIterator<Item = &'p str>,
) -> BTreeSet<String> {
    let is_missing = |provider: &&str| match to {
        BackendKind::ExternalSecrets => !backends.external_secrets().stores.contains_key(*provider),
        BackendKind::SecretsStoreCsi => !backends.csi_providers().contains_key(*provider),
        BackendKind::SealedSecrets => false,
    };
    providers.into_iter().filter(is_missing).map(str::to_owned).collect()
}

/// Returns the providers that the references of placeholder Secrets to fill in may need: that of the template text, unless the
/// backend has settings for others.
#[must_use]
pub fn template_providers(to: BackendKind, backends: Option<&EnvironmentBackends>) -> BTreeSet<String> {
    let has_settings = backends.is_some_and(|backends| match to {
        BackendKind::ExternalSecrets => !backends.external_secrets().stores.is_empty(),
        BackendKind::SecretsStoreCsi => !backends.csi_providers().is_empty(),
        BackendKind::SealedSecrets => true,
    });
    let is_needed = !has_settings && to != BackendKind::SealedSecrets;
    is_needed.then(|| REFERENCE_PROVIDER.to_owned()).into_iter().collect()
}

/// Returns the lines of the app file that describe providers to a backend, with words in capitals for what a person fills in.
#[must_use]
pub fn provider_lines(to: BackendKind, providers: &BTreeSet<String>) -> String {
    if providers.is_empty() {
        return String::new();
    }
    let entries: Map<String, Json> =
        providers.iter().map(|provider| (provider.clone(), provider_entry(to, provider))).collect();
    match to {
        BackendKind::ExternalSecrets => to_yaml(&json!({"externalSecrets": {"stores": entries}})),
        BackendKind::SecretsStoreCsi => to_yaml(&json!({"secretsStoreCsi": {"providers": entries}})),
        BackendKind::SealedSecrets => String::new(),
    }
}

fn provider_entry(to: BackendKind, provider: &str) -> Json {
    let mut entry = Map::new();
    let service = SecretService::from_name(provider);
    if service.is_none() {
        entry.insert("provider".to_owned(), json!("SERVICE"));
    }
    match (to, service) {
        (BackendKind::SecretsStoreCsi, Some(SecretService::Vault)) => {
            entry.insert("roleName".to_owned(), json!("ROLE"))
        }
        (BackendKind::SecretsStoreCsi, Some(_)) => entry.insert("region".to_owned(), json!("REGION")),
        (BackendKind::SecretsStoreCsi, None) => None,
        _ => entry.insert("name".to_owned(), json!("NAME")),
    };
    Json::Object(entry)
}

/// Returns the part of the app file that the next commit sets. Other settings of the environment stay as they are;
/// `keptChecksums` is replaced as a whole.
fn app_file_lines(request: &SwitchRequest, choice: BackendChoice, kept: Map<String, Json>) -> String {
    let backend = match choice.release_to {
        None => Json::from(choice.kind.to_string()),
        Some(to) => json!({"from": choice.kind.to_string(), "to": to.to_string()}),
    };
    let mut environment = Map::new();
    match &request.scope {
        SwitchScope::Environment => environment.insert("backend".to_owned(), backend),
        SwitchScope::Entry(entry) => {
            environment.insert("secretBackends".to_owned(), json!({ entry.as_str(): backend }))
        }
    };
    if !kept.is_empty() {
        environment.insert("keptChecksums".to_owned(), Json::Object(kept));
    }
    to_yaml(&json!({"environments": {request.environment.as_str(): environment}}))
}
