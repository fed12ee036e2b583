//! The Deployment of the controller, which is found by the selector of its Service.

use serde_json::{Value as Json, json};

use sealwave_providers::{ApiObject, ApiResource};

use super::error::KeyRotationError;
use crate::controller::Controller;

/// Restarts its pods, as `kubectl rollout restart` does.
const RESTARTED: &str = "kubectl.kubernetes.io/restartedAt";

/// Returns the name of the one Deployment whose pods the Service selects; `None` if that is unknown.
pub(super) fn find(controller: &Controller<'_>) -> Result<Option<String>, KeyRotationError> {
    let service = controller.service();
    let (client, namespace) = (controller.client(), service.namespace.as_str());
    let object = client.get(&ApiObject::named(ApiResource::SERVICES, namespace, &service.service))?;
    let Some(selector) = object.pointer("/spec/selector").and_then(Json::as_object) else { return Ok(None) };
    let deployments = match client.list(&ApiObject::all_in(ApiResource::DEPLOYMENTS, namespace), "") {
        Err(error) if error.is_denied() || error.is_not_found() => return Ok(None),
        deployments => deployments?,
    };
    let is_selected = |deployment: &&Json| {
        let labels = deployment.pointer("/spec/template/metadata/labels");
        !selector.is_empty()
            && selector.iter().all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
    };
    let mut selected = deployments.iter().filter(is_selected);
    let name = selected.next().and_then(|found| found.pointer("/metadata/name")?.as_str().map(str::to_owned));
    Ok(name.filter(|_| selected.next().is_none()))
}

/// Restarts the pods of a Deployment.
pub(super) fn restart(controller: &Controller<'_>, name: &str, now: &str) -> Result<(), KeyRotationError> {
    let namespace = &controller.service().namespace;
    let object = ApiObject::named(ApiResource::DEPLOYMENTS, namespace, name);
    let patch = json!({"spec": {"template": {"metadata": {"annotations": {RESTARTED: now}}}}});
    Ok(controller.client().merge_patch(&object, &patch)?)
}
