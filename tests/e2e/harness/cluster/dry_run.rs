//! The API server's answer to an object that it does not store.

use serde_json::Value;

use super::{Cluster, http_get};

/// The API server's answer to a request to create an object.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    Accepted,
    /// With the API server's message.
    Refused(String),
    UnknownKind,
}

impl Cluster {
    /// Asks the API server to create an object, as YAML, with strict decoding and without storing it.
    ///
    /// The text is sent as it is, since a program in between would read some of it differently. `namespace` is for objects that
    /// need one and have none.
    pub fn dry_run(&self, yaml: &str, namespace: &str) -> Answer {
        let (api_version, kind) = (field(yaml, "apiVersion"), field(yaml, "kind"));
        let own = yaml_serde::from_str::<Value>(yaml).unwrap_or_default()["metadata"]["namespace"].clone();
        let namespace = own.as_str().unwrap_or(namespace);
        let Some(collection) = self.collection(api_version, kind, namespace) else {
            return Answer::UnknownKind;
        };
        let request = http::Request::post(format!("{collection}?dryRun=All&fieldValidation=Strict"))
            .header("Content-Type", "application/yaml")
            .body(yaml.as_bytes().to_owned())
            .expect("a request");
        match self.runtime.block_on(self.client.request_text(request)) {
            Ok(_) => Answer::Accepted,
            Err(kube::Error::Api(status)) if status.code < 500 => Answer::Refused(status.message),
            Err(error) => panic!("the API server failed: {error}\n{yaml}"),
        }
    }

    /// Returns the path of the collection of a kind, if the API server has the kind.
    fn collection(&self, api_version: &str, kind: &str, namespace: &str) -> Option<String> {
        let root = if api_version.contains('/') { "/apis" } else { "/api" };
        let answer =
            self.runtime.block_on(self.client.request::<Value>(http_get(&format!("{root}/{api_version}"))));
        let list = match answer {
            Ok(list) => list,
            Err(kube::Error::Api(status)) if status.code == 404 => return None,
            Err(error) => panic!("{api_version}: {error}"),
        };
        let resources = list["resources"].as_array().expect("resources");
        let is_meant =
            |it: &&Value| it["kind"] == kind && it["name"].as_str().is_some_and(|it| !it.contains('/'));
        let resource = resources.iter().find(is_meant)?;
        let name = resource["name"].as_str()?;
        Some(if resource["namespaced"] == true {
            format!("{root}/{api_version}/namespaces/{namespace}/{name}")
        } else {
            format!("{root}/{api_version}/{name}")
        })
    }
}

/// Returns a field at the top of an object that may be invalid in all other respects.
fn field<'a>(yaml: &'a str, name: &str) -> &'a str {
    let value = yaml.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.unwrap_or_else(|| panic!("an object without {name}:\n{yaml}")).trim()
}
