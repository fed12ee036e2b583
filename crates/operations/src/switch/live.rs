//! Checks of the live state before each step: only metadata of objects is read.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::Value as Json;

use super::request::{SecretName, Switch, SwitchStep};
use sealwave_core::diagnostic::first_on_line;
use sealwave_core::document::group_and_version;
use sealwave_core::names::{ARGOCD_SYNC_OPTIONS, KUBECTL_LAST_APPLIED, MANAGED_BY_SEALED_SECRETS};
use sealwave_core::text::shell_quoted;
use sealwave_kube::sync::{NO_PRUNING, without_pruning};
use sealwave_providers::{ApiObject, ApiResource, ClusterClient, ClusterError};
use sealwave_secrets::settings::{BackendKind, ExternalSecretVersion};

/// A Secret in the cluster, without its items.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveSecret {
    /// The UID, which another Secret of this name would not have.
    pub uid: String,
    /// Its owners.
    pub owners: Vec<LiveOwner>,
    /// Whether the sealed-secrets controller may take it over.
    pub is_open_to_sealed_secrets: bool,
    /// Whether Argo CD keeps it when it is no longer in the output.
    pub is_never_pruned: bool,
    /// Whether an annotation repeats what Argo CD or kubectl applied, with its values.
    pub repeats_values: bool,
}

/// An owner of an object in the cluster. Any text can be in it: who writes objects can invent owners.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveOwner {
    /// The API group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The name.
    pub name: String,
    /// Whether it is the only one that may change the object.
    pub is_controller: bool,
}

impl LiveOwner {
    fn new(reference: &Json) -> Self {
        let text = |field: &str| reference.get(field).and_then(Json::as_str).unwrap_or_default();
        let (group, _) = group_and_version(text("apiVersion"));
        Self {
            group: group.to_owned(),
            kind: text("kind").to_owned(),
            name: text("name").to_owned(),
            is_controller: reference.get("controller").and_then(Json::as_bool).unwrap_or_default(),
        }
    }

    /// Reports whether it is the object of a backend for a Secret of this name.
    fn is(&self, kind: BackendKind, name: &str) -> bool {
        let resource = resource(kind, ExternalSecretVersion::V1);
        (self.group.as_str(), self.kind.as_str(), self.name.as_str()) == (resource.group, resource.kind, name)
    }
}

impl fmt::Display for LiveOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", first_on_line(&self.kind), first_on_line(&self.name))
    }
}

impl LiveSecret {
    /// Reports whether the object of a backend owns it.
    fn is_owned_by(&self, kind: BackendKind, name: &str) -> bool {
        self.owners.iter().any(|owner| owner.is(kind, name))
    }
}

/// An object that supplies a Secret, in the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveSupplier {
    /// Whether Argo CD prunes it at the end of a sync.
    pub is_pruned_last: bool,
}

/// The objects of a cluster, as far as a change of the backend needs them.
pub trait LiveState {
    /// Returns a Secret; `None` if it does not exist.
    ///
    /// # Errors
    /// The cluster cannot be asked.
    fn secret(&self, secret: &SecretName) -> Result<Option<LiveSecret>, ClusterError>;

    /// Returns the object with which a backend supplies a Secret; `None` if it does not exist.
    ///
    /// # Errors
    /// The cluster cannot be asked.
    fn supplier(&self, kind: BackendKind, secret: &SecretName) -> Result<Option<LiveSupplier>, ClusterError>;
}

/// The state of a cluster.
pub struct KubernetesState {
    /// The client.
    pub client: ClusterClient,
    /// The version of the API of the External Secrets Operator.
    pub external_secrets: ExternalSecretVersion,
}

impl LiveState for KubernetesState {
    fn secret(&self, (namespace, name): &SecretName) -> Result<Option<LiveSecret>, ClusterError> {
        let object = ApiObject::named(ApiResource::SECRETS, namespace, name);
        Ok(found(self.client.metadata(&object))?.map(|object| live_secret(&object)))
    }

    fn supplier(
        &self,
        kind: BackendKind,
        (namespace, name): &SecretName,
    ) -> Result<Option<LiveSupplier>, ClusterError> {
        let object = ApiObject::named(resource(kind, self.external_secrets), namespace, name);
        Ok(found(self.client.metadata(&object))?.map(|object| live_supplier(&object)))
    }
}

fn found(answer: Result<Json, ClusterError>) -> Result<Option<Json>, ClusterError> {
    match answer {
        Ok(object) => Ok(Some(object)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn live_secret(object: &Json) -> LiveSecret {
    let text = |path: &[&str]| {
        let found = path.iter().try_fold(object, |node, key| node.get(key));
        found.and_then(Json::as_str).unwrap_or_default()
    };
    let owners = object.pointer("/metadata/ownerReferences").and_then(Json::as_array);
    LiveSecret {
        // It is shown and recorded; the API server's have 36 characters.
        uid: Some(text(&["metadata", "uid"])).filter(|uid| is_uid(uid)).unwrap_or_default().to_owned(),
        owners: owners.into_iter().flatten().map(LiveOwner::new).collect(),
        is_open_to_sealed_secrets: text(&["metadata", "annotations", MANAGED_BY_SEALED_SECRETS]) == "true",
        is_never_pruned: without_pruning(text(&["metadata", "annotations", ARGOCD_SYNC_OPTIONS])).is_none(),
        repeats_values: ["data", "stringData"].iter().any(|field| {
            text(&["metadata", "annotations", KUBECTL_LAST_APPLIED]).contains(&format!("\"{field}\""))
        }),
    }
}

fn is_uid(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn live_supplier(object: &Json) -> LiveSupplier {
    let options = object.get("metadata").and_then(|metadata| metadata.get("annotations"));
    let options = options.and_then(|all| all.get(ARGOCD_SYNC_OPTIONS)?.as_str()).unwrap_or_default();
    LiveSupplier { is_pruned_last: options.split(',').any(|option| option.trim() == "PruneLast=true") }
}

/// Returns the resource of the objects of a backend.
const fn resource(kind: BackendKind, external_secrets: ExternalSecretVersion) -> ApiResource<'static> {
    match kind {
        BackendKind::ExternalSecrets => ApiResource {
            group: "external-secrets.io",
            version: match external_secrets {
                ExternalSecretVersion::V1 => "v1",
                ExternalSecretVersion::V1beta1 => "v1beta1",
            },
            plural: "externalsecrets",
            kind: "ExternalSecret",
        },
        BackendKind::SealedSecrets => ApiResource::SEALED_SECRETS,
        BackendKind::SecretsStoreCsi => ApiResource {
            group: "secrets-store.csi.x-k8s.io",
            version: "v1",
            plural: "secretproviderclasses",
            kind: "SecretProviderClass",
        },
    }
}

/// The UIDs that an earlier run saw, by `namespace/name`.
pub type RecordedUids = BTreeMap<String, String>;

/// A reason why the live state does not allow the next step, or the change is not complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SwitchFinding {
    /// The Secret, as `namespace/name`.
    pub secret: String,
    /// The message.
    pub message: String,
    /// The remedy.
    pub hint: String,
}

/// Compares the live state with what the next step needs, and adds the UIDs of Secrets that are seen for the first time.
///
/// # Errors
/// The cluster cannot be asked.
pub fn live_findings(
    switch: &Switch,
    live: &dyn LiveState,
    uids: &mut RecordedUids,
) -> Result<Vec<SwitchFinding>, ClusterError> {
    let mut found = Vec::new();
    for secret in &switch.secrets {
        let id = format!("{}/{}", secret.0, secret.1);
        let mut report = |(message, hint): (String, String)| {
            found.push(SwitchFinding { secret: id.clone(), message, hint });
        };
        let Some(object) = live.secret(secret)? else {
            report(missing(switch));
            continue;
        };
        if object.uid.is_empty() {
            let hint = "check that the context is that of an API server".to_owned();
            report((
                "the UID of the Secret is not known, so it cannot be told whether it was kept".to_owned(),
                hint,
            ));
            continue;
        }
        let uid = uids.entry(id.clone()).or_insert_with(|| object.uid.clone());
        if *uid != object.uid {
            let message = format!(
                "the Secret was deleted and created again (its UID is not `{}` any more)",
                first_on_line(&*uid)
            );
            report((
                message,
                "look in its events for what deleted it, and check that its pods run".to_owned(),
            ));
            uid.clone_from(&object.uid);
        }
        match switch.step {
            SwitchStep::TakeOver => take_over_findings(switch, secret, &object, live, &mut report)?,
            SwitchStep::Complete => complete_findings(switch, secret, &object, live, &mut report)?,
            SwitchStep::Cancel | SwitchStep::Release => {}
        }
    }
    Ok(found)
}

fn missing(switch: &Switch) -> (String, String) {
    let hint = match switch.step {
        SwitchStep::Release => "a Secret that is not in use needs one commit only: write the new backend",
        _ => "restore it before the next step, for example with the previous commit",
    };
    ("the Secret does not exist in the cluster".to_owned(), hint.to_owned())
}

/// Checks that the old controller has let go of the Secret, and that the new one may have it.
fn take_over_findings(
    switch: &Switch,
    secret: &SecretName,
    object: &LiveSecret,
    live: &dyn LiveState,
    report: &mut dyn FnMut((String, String)),
) -> Result<(), ClusterError> {
    const WAIT: &str = "sync the commit with the release, and wait until its controller has acted";
    if switch.is_plain {
        plain_findings(switch.request.to, object, report);
        return Ok(());
    }
    let (from, to) = (switch.current.kind, switch.request.to);
    let owner = resource(from, ExternalSecretVersion::V1).kind;
    let csi = BackendKind::SecretsStoreCsi;
    if from != csi && object.is_owned_by(from, &secret.1) {
        report((format!("the Secret is still owned by its {owner}"), WAIT.to_owned()));
    }
    // The operator takes over no Secret that has another controller. Other owners, such as those of the CSI driver, can stay.
    let is_foreign =
        |other: &&LiveOwner| other.is_controller && !other.is(from, &secret.1) && !other.is(to, &secret.1);
    let foreign = object.owners.iter().find(is_foreign).filter(|_| to == BackendKind::ExternalSecrets);
    if let Some(other) = foreign {
        let hint =
            "find out what supplies it, and let that release it: the operator would fail to take ownership";
        report((format!("the Secret is owned by {other}, not by its {owner}"), hint.to_owned()));
    }
    let joins = (from, to) == (BackendKind::SecretsStoreCsi, BackendKind::ExternalSecrets);
    if joins && !object.is_owned_by(to, &secret.1) {
        report(("the Secret is not owned by its ExternalSecret yet".to_owned(), WAIT.to_owned()));
    }
    if to == BackendKind::SealedSecrets && !object.is_open_to_sealed_secrets {
        let hint = if from == BackendKind::SecretsStoreCsi {
            format!(
                "the driver sets annotations only when it creates a Secret: `kubectl annotate secret --namespace {} {} {MANAGED_BY_SEALED_SECRETS}=true`",
                shell_quoted(&secret.0),
                shell_quoted(&secret.1)
            )
        } else {
            WAIT.to_owned()
        };
        report((format!("the Secret lacks the annotation `{MANAGED_BY_SEALED_SECRETS}`"), hint));
    }
    match live.supplier(from, secret)? {
        Some(LiveSupplier { is_pruned_last: true }) | None => {}
        Some(LiveSupplier { is_pruned_last: false }) => report((
            format!("the {owner} in the cluster lacks the sync option `PruneLast=true`"),
            "sync the commit with the release; without the option, Argo CD may delete it before the Secret is taken over"
                .to_owned(),
        )),
    }
    Ok(())
}

/// Checks that a plain Secret is released: it survives the commit that removes its manifest, and the new controller may have it.
fn plain_findings(to: BackendKind, object: &LiveSecret, report: &mut dyn FnMut((String, String))) {
    const SYNC: &str = "sync the commit with the release";
    if let Some(owner) = object.owners.first() {
        let message = format!("the Secret is owned by {owner}, so it is not plain");
        let hint = "change what supplies it now: `sealwave switch` with the directory of its app";
        report((message, hint.to_owned()));
        return;
    }
    if !object.is_never_pruned {
        let message = format!("the Secret in the cluster lacks the sync option `{NO_PRUNING}`");
        report((
            message,
            format!("{SYNC}; without the option, Argo CD may delete it before it is taken over"),
        ));
    }
    if to == BackendKind::SealedSecrets && !object.is_open_to_sealed_secrets {
        report((format!("the Secret lacks the annotation `{MANAGED_BY_SEALED_SECRETS}`"), SYNC.to_owned()));
    }
}

/// Checks that the new controller owns the Secret, and that the old object is gone.
fn complete_findings(
    switch: &Switch,
    secret: &SecretName,
    object: &LiveSecret,
    live: &dyn LiveState,
    report: &mut dyn FnMut((String, String)),
) -> Result<(), ClusterError> {
    let to = switch.request.to;
    let owner = resource(to, ExternalSecretVersion::V1).kind;
    let is_owned = match to {
        // The driver's Secret is owned by what runs the pods.
        BackendKind::SecretsStoreCsi => !object.owners.is_empty(),
        _ => object.is_owned_by(to, &secret.1),
    };
    if !is_owned {
        let hint = "sync the commit with the new backend, and wait until its controller has acted";
        report((format!("the Secret is not owned by its {owner} yet"), hint.to_owned()));
    }
    if is_owned && object.repeats_values {
        let message =
            format!("the Secret still has the values of before in its annotation `{KUBECTL_LAST_APPLIED}`");
        let (namespace, name) = (shell_quoted(&secret.0), shell_quoted(&secret.1));
        let hint =
            format!("`kubectl annotate secret --namespace {namespace} {name} {KUBECTL_LAST_APPLIED}-`");
        report((message, hint));
    }
    for other in BackendKind::ALL.into_iter().filter(|kind| *kind != to) {
        if live.supplier(other, secret)?.is_some() {
            let kind = resource(other, ExternalSecretVersion::V1).kind;
            let hint = "sync with pruning; Argo CD deletes it at the end of the sync";
            report((format!("the {kind} of the old backend still exists"), hint.to_owned()));
        }
    }
    Ok(())
}
