//! The stored verdicts on objects, which `tests/integration/api_verdicts.rs` compares with `sealwave validate`, are those of
//! the real API server.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::harness::{Answer, Kind, NAMESPACE, Stack, until};

const DEFINITION: Kind = Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition");
const FILES: [&str; 2] = ["api-verdicts.jsonl", "api-verdicts-more.jsonl"];

/// The namespace of all objects.
const VAL: &str = "val";

/// Objects whose verdict differs here, each with the reason.
const DIFFERENT: &[(&str, &str)] =
    &[("g19-pod-sidecar", "it was refused in a namespace without a service account")];

/// Objects of these groups cannot be judged, because the stack does not have their definitions.
const WITHOUT_DEFINITION: [&str; 1] = ["external-secrets.io/v1"];

#[derive(Deserialize)]
struct Verdict {
    name: String,
    yaml: String,
    api: String,
    message: String,
}

/// Replays all objects against the API server.
pub fn match_the_api_server(stack: &Arc<Stack>) {
    stack
        .cluster()
        .apply(&json!({"apiVersion": NAMESPACE.0, "kind": NAMESPACE.1, "metadata": {"name": VAL}}));
    wait_for_account(stack);

    let mut different = Vec::new();
    let verdicts = verdicts();
    assert!(verdicts.len() > 300, "{} verdicts", verdicts.len());
    for verdict in &verdicts {
        let (api, message) = match judge(stack, &verdict.yaml) {
            Answer::Accepted => ("ok", String::new()),
            Answer::Refused(message) => ("refused", message),
            Answer::UnknownKind if WITHOUT_DEFINITION.iter().any(|group| verdict.yaml.contains(group)) => {
                continue;
            }
            Answer::UnknownKind => ("refused", "no such kind".to_owned()),
        };
        if api != verdict.api {
            different.push((
                verdict.name.as_str(),
                format!("stored: {} {}\n  here: {api} {message}", verdict.api, verdict.message),
            ));
        }
    }

    let is_listed = |name: &str| DIFFERENT.iter().any(|(listed, _)| *listed == name);
    let unlisted = different.iter().filter(|(name, _)| !is_listed(name));
    let mut wrong: Vec<String> = unlisted.map(|(name, how)| format!("{name}: {how}")).collect();
    let stale = DIFFERENT.iter().filter(|(listed, _)| different.iter().all(|(name, _)| name != listed));
    wrong.extend(stale.map(|(name, _)| format!("{name} is listed, and the verdicts are the same")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn verdicts() -> Vec<Verdict> {
    let read = |name: &str| {
        fs_err::read_to_string(sealwave_testkit::repository_root().join("testdata").join(name))
            .expect("readable")
    };
    let texts = FILES.map(read);
    let lines = texts.iter().flat_map(|text| text.lines());
    lines.map(|line| serde_json::from_str(line).expect("a verdict")).collect()
}

/// Judges an object. The definition of a custom resource may come before it; it is removed again.
fn judge(stack: &Stack, yaml: &str) -> Answer {
    let Some((definition, object)) = yaml.split_once("\n---\n") else {
        return stack.cluster().dry_run(yaml, VAL);
    };
    let definition = crate::harness::documents(definition).remove(0);
    let name = definition["metadata"]["name"].as_str().expect("a name");
    stack.cluster().apply(&definition);
    let answer = until("a new kind of the API server", || match stack.cluster().dry_run(object, VAL) {
        Answer::UnknownKind => Err("it is still unknown".to_owned()),
        Answer::Refused(message) if message.contains("could not find the requested resource") => Err(message),
        answer => Ok(answer),
    });
    stack.cluster().delete(DEFINITION, None, name);
    until("the end of a definition", || {
        stack
            .cluster()
            .get(DEFINITION, None, name)
            .map_or(Ok(()), |_: Value| Err("it is still there".to_owned()))
    });
    answer
}

/// Pods are refused until the controller manager has made the namespace's account.
fn wait_for_account(stack: &Stack) {
    until("the account of a new namespace", || {
        let account = stack.cluster().get(Kind("v1", "ServiceAccount"), Some(VAL), "default");
        account.map(|_| ()).ok_or_else(|| "it is missing".to_owned())
    });
}
