//! Finds the controller's Service.

use serde_json::Value as Json;

use sealwave_core::diagnostic::printable;
use sealwave_core::text::quoted_list;
use sealwave_providers::{ApiObject, ApiResource, ClusterClient, ClusterError, ServiceProxy};

use super::error::ControllerError;
use super::service::Controller;

/// The names of the Service: that of the plain manifests and of kubeseal, and that of the Helm chart.
const DEFAULT_NAMES: [&str; 2] = ["sealed-secrets-controller", "sealed-secrets"];
const DEFAULT_NAMESPACE: &str = "kube-system";
const LABEL: &str = "app.kubernetes.io/name=sealed-secrets";
/// The most candidates in a message.
const MAX_CANDIDATES: usize = 5;

/// The names that the user gives, if any.
#[derive(Clone, Debug, Default)]
pub struct ControllerNames {
    /// The name of the Service.
    pub name: Option<String>,
    /// Its namespace.
    pub namespace: Option<String>,
}

impl ControllerNames {
    /// Returns the namespace, `kube-system` by default.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE)
    }

    /// Finds the controller and the port of its Service.
    ///
    /// # Errors
    /// The Service does not exist, or several do.
    pub fn find<'c>(&self, client: &'c ClusterClient) -> Result<Controller<'c>, ControllerError> {
        let namespace = self.namespace();
        let names = self.name.as_deref().map_or_else(|| DEFAULT_NAMES.to_vec(), |name| vec![name]);
        let mut found = Vec::new();
        let mut denied = None;
        for name in &names {
            match client.get(&ApiObject::named(ApiResource::SERVICES, namespace, name)) {
                Ok(service) => found.push((*name, service)),
                // A Role may allow only the name that exists.
                Err(error) if error.is_denied() => denied = Some(error),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error.into()),
            }
        }
        match (&found[..], denied) {
            ([(name, service)], _) => {
                let service = ServiceProxy {
                    namespace: namespace.to_owned(),
                    service: (*name).to_owned(),
                    port: port(service).ok_or_else(|| {
                        let service = ApiObject::named(ApiResource::SERVICES, namespace, name).to_string();
                        ControllerError::NoPort { cluster: client.peer().to_string(), service }
                    })?,
                };
                Ok(Controller { client, service })
            }
            ([], Some(denied)) => Err(denied.into()),
            ([], None) => Err(ControllerError::NotFound {
                cluster: client.peer().to_string(),
                names: quoted_list(&names),
                namespace: printable(namespace),
                candidates: candidates(client).unwrap_or_default(),
            }),
            _ => Err(ControllerError::Ambiguous {
                names: names.into_iter().map(str::to_owned).collect(),
                cluster: client.peer().to_string(),
            }),
        }
    }
}

/// Returns the name of the port: `http` if there is one, else that of the first port, which may have no name.
fn port(service: &Json) -> Option<String> {
    let ports = service.pointer("/spec/ports")?.as_array()?;
    let name = |port: &Json| port.get("name").and_then(Json::as_str).unwrap_or_default().to_owned();
    ports.iter().map(name).find(|name| name == "http").or_else(|| ports.first().map(name))
}

/// Returns the Services that look like a controller, but not those of its metrics.
fn candidates(client: &ClusterClient) -> Result<Vec<String>, ClusterError> {
    let services = client.list(&ApiObject::all(ApiResource::SERVICES), LABEL)?;
    let mut names: Vec<String> = services
        .iter()
        .filter_map(|service| {
            let text = |path| service.pointer(path).and_then(Json::as_str);
            let name = text("/metadata/name").filter(|name| !name.ends_with("-metrics"))?;
            Some(printable(format!("{}/{name}", text("/metadata/namespace")?)))
        })
        .collect();
    names.sort();
    names.truncate(MAX_CANDIDATES);
    Ok(names)
}
