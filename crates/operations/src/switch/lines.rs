//! The lines of `sealwave.yaml` for the next commit.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::committed::to_yaml;
use super::request::{Switch, SwitchRequest, SwitchScope};
use sealwave_secrets::settings::{BackendChoice, ChecksumText, KeptChecksum};

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
