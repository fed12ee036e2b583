//! The lines of `sealwave.yaml` for the next commit.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::request::{Switch, SwitchRequest, SwitchScope};
use sealwave_core::document::{Node, Origin, Sources};
use sealwave_core::yaml::write_yaml;
use sealwave_secrets::settings::{BackendChoice, KeptChecksum};

impl Switch {
    /// Returns the lines of the next commit; empty if no commit is left.
    #[must_use]
    pub fn lines(&self, kept: &BTreeMap<String, KeptChecksum>) -> String {
        self.next_choice().map_or_else(String::new, |choice| app_file_lines(&self.request, choice, kept))
    }
}

/// Returns the part of the app file that the next commit sets. Other settings of the environment stay as they are;
/// `keptChecksums` is replaced as a whole.
fn app_file_lines(
    request: &SwitchRequest,
    choice: BackendChoice,
    kept: &BTreeMap<String, KeptChecksum>,
) -> String {
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
        let entries = kept.iter().map(|(workload, entry)| {
            let entry = json!({"computed": entry.computed.as_str(), "kept": entry.kept.as_str()});
            (workload.clone(), entry)
        });
        environment.insert("keptChecksums".to_owned(), Json::Object(entries.collect()));
    }
    let root = json!({"environments": {request.environment.as_str(): environment}});
    let mut text = Vec::new();
    let source = Sources::default().add("sealwave.yaml");
    write_yaml(&Node::from_json(&root, Origin::whole(source)), &mut text);
    let text = String::from_utf8(text).unwrap_or_default();
    text.strip_prefix("---\n").unwrap_or(&text).to_owned()
}
