//! Stand-in for nodes: kubelet, scheduler, volume provisioner and load balancer. The CSI driver is in [`super::csi`].
//!
//! It runs no container. A pod becomes ready when the Secrets, ConfigMaps and claims that its containers need exist, as with a
//! real kubelet; what it then reads is recorded. Everything else is left to the real control plane.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use super::cluster::{CONFIG_MAP, Cluster, Kind, POD, SECRET};
use super::csi::{CsiDriver, PROVIDER_CLASS};
use super::locked;
use super::pod_inputs::{Input, InputKind, inputs};

const NODE: &str = "stand-in";
/// An address for documentation: a Service accepts no endpoint of the loopback interface.
const POD_ADDRESS: &str = "192.0.2.1";
const CLAIM: Kind = Kind("v1", "PersistentVolumeClaim");
const INGRESS: Kind = Kind("networking.k8s.io/v1", "Ingress");
const SERVICE: Kind = Kind("v1", "Service");

/// A pod that started, with the data that it read at that moment.
#[derive(Clone, Debug)]
pub struct PodStart {
    pub namespace: String,
    pub pod: String,
    /// The name of the ReplicaSet, StatefulSet or Job, or that of a pod without an owner.
    pub workload: String,
    /// The data of each `Secret/name` and `ConfigMap/name`, in base64 and plain.
    pub data: BTreeMap<String, Value>,
}

/// A pod that could not start, and what was missing: on a real node, `CreateContainerConfigError`.
#[derive(Clone, Debug)]
pub struct PodWait {
    pub namespace: String,
    pub pod: String,
    pub missing: String,
}

/// The stand-in, on a thread of its own.
pub struct Kubelet {
    node: Arc<Node>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Node {
    cluster: Arc<Cluster>,
    csi: CsiDriver,
    ends: AtomicBool,
    starts: Mutex<Vec<PodStart>>,
    waits: Mutex<Vec<PodWait>>,
}

impl Kubelet {
    pub fn start(cluster: Arc<Cluster>) -> Self {
        cluster.apply(&json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}}));
        cluster.patch_status(Kind("v1", "Node"), None, NODE, &json!({
            "allocatable": {"cpu": "1000", "memory": "1000Gi", "pods": "10000"},
            "capacity": {"cpu": "1000", "memory": "1000Gi", "pods": "10000"},
            "conditions": [{"type": "Ready", "status": "True", "reason": "StandIn", "message": "no node"}],
        }));
        // A new node has the taint `not-ready`, with which no DaemonSet creates a pod.
        cluster.patch(Kind("v1", "Node"), None, NODE, &json!({"spec": {"taints": null}}));
        let node = Arc::new(Node {
            cluster,
            csi: CsiDriver::default(),
            ends: AtomicBool::new(false),
            starts: Mutex::default(),
            waits: Mutex::default(),
        });
        let running = Arc::clone(&node);
        let thread = std::thread::spawn(move || running.run());
        Self { node, thread: Mutex::new(Some(thread)) }
    }

    pub fn stop(&self) {
        self.node.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = locked(&self.thread).take() {
            thread.join().expect("the stand-in for nodes did not fail");
        }
    }

    pub fn csi(&self) -> &CsiDriver {
        &self.node.csi
    }

    /// Returns all starts of pods in a namespace, in order.
    pub fn starts(&self, namespace: &str) -> Vec<PodStart> {
        let starts = locked(&self.node.starts);
        starts.iter().filter(|start| start.namespace == namespace).cloned().collect()
    }

    /// Returns the pods in a namespace that could not start at once, once for each thing that was missing.
    pub fn waits(&self, namespace: &str) -> Vec<PodWait> {
        let waits = locked(&self.node.waits);
        waits.iter().filter(|wait| wait.namespace == namespace).cloned().collect()
    }
}

impl Node {
    fn run(&self) {
        while !self.ends.load(Ordering::Relaxed) {
            self.cluster.list(POD, None).iter().for_each(|pod| self.care_for(pod));
            self.provision();
            self.balance();
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn care_for(&self, pod: &Value) {
        let (namespace, name) = address(pod);
        if pod["metadata"]["deletionTimestamp"].is_string() {
            return self.cluster.delete(POD, Some(namespace), name);
        }
        if pod["spec"]["nodeName"].is_null() {
            self.cluster.bind(namespace, name, NODE);
        }
        if matches!(pod["status"]["phase"].as_str(), Some("Running" | "Succeeded" | "Failed")) {
            return;
        }
        match self.read_inputs(pod, namespace) {
            Ok(data) => self.begin(pod, namespace, name, data),
            Err(missing) => self.wait(pod, namespace, name, &missing),
        }
    }

    /// Reads what the containers need; the error says what is missing.
    fn read_inputs(&self, pod: &Value, namespace: &str) -> Result<BTreeMap<String, Value>, String> {
        let mut data = BTreeMap::new();
        for input in inputs(pod) {
            if let Some(read) = self.read_input(&input, namespace)? {
                data.insert(format!("{:?}/{}", input.kind, input.name), read);
            }
        }
        Ok(data)
    }

    fn read_input(&self, input: &Input, namespace: &str) -> Result<Option<Value>, String> {
        let kind = match input.kind {
            InputKind::ConfigMap => CONFIG_MAP,
            InputKind::Secret => SECRET,
            InputKind::Claim => CLAIM,
            InputKind::ProviderClass => PROVIDER_CLASS,
        };
        let Some(object) = self.cluster.get(kind, Some(namespace), &input.name) else {
            return if input.optional {
                Ok(None)
            } else {
                Err(format!("{} \"{}\" not found", kind.1, input.name))
            };
        };
        match input.kind {
            InputKind::Claim if object["status"]["phase"] != "Bound" => {
                Err(format!("claim {} is not bound", input.name))
            }
            InputKind::ProviderClass => self.csi.mirror(&self.cluster, &object, namespace).map(|()| None),
            _ => match input
                .key
                .as_ref()
                .filter(|key| object["data"][key.as_str()].is_null() && !input.optional)
            {
                Some(key) => Err(format!("couldn't find key {key} in {} {namespace}/{}", kind.1, input.name)),
                None => Ok(Some(object["data"].clone())),
            },
        }
    }

    fn begin(&self, pod: &Value, namespace: &str, name: &str, data: BTreeMap<String, Value>) {
        let workload =
            pod["metadata"]["generateName"].as_str().unwrap_or(name).trim_end_matches('-').to_owned();
        let start = PodStart { namespace: namespace.to_owned(), pod: name.to_owned(), workload, data };
        locked(&self.starts).push(start);
        let now = &pod["metadata"]["creationTimestamp"];
        let is_job = pod["metadata"]["ownerReferences"][0]["kind"] == "Job";
        let (phase, state) = if is_job {
            (
                "Succeeded",
                json!({"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}}),
            )
        } else {
            ("Running", json!({"running": {"startedAt": now}}))
        };
        let ready = if is_job { "False" } else { "True" };
        let condition =
            |kind: &str, status: &str| json!({"type": kind, "status": status, "lastTransitionTime": now});
        self.cluster.patch_status(POD, Some(namespace), name, &json!({
            "phase": phase, "startTime": now, "podIP": POD_ADDRESS,
            "conditions": [condition("Initialized", "True"), condition("PodScheduled", "True"), condition("ContainersReady", ready), condition("Ready", ready)],
            "containerStatuses": container_statuses(pod, !is_job, &state),
        }));
    }

    fn wait(&self, pod: &Value, namespace: &str, name: &str, missing: &str) {
        let state = json!({"waiting": {"reason": "CreateContainerConfigError", "message": missing}});
        let statuses = container_statuses(pod, false, &state);
        if pod["status"]["containerStatuses"] != statuses {
            let missing = missing.to_owned();
            let wait = PodWait { namespace: namespace.to_owned(), pod: name.to_owned(), missing };
            locked(&self.waits).push(wait);
            let status = json!({"phase": "Pending", "containerStatuses": statuses});
            self.cluster.patch_status(POD, Some(namespace), name, &status);
        }
    }

    /// Creates a volume for each claim that waits for one; the real controller binds them.
    fn provision(&self) {
        for claim in self.cluster.list(CLAIM, None) {
            let (namespace, name) = address(&claim);
            let volume = format!("{namespace}-{name}");
            if claim["status"]["phase"] == "Bound" || claim["spec"]["volumeName"].is_string() {
                continue;
            }
            self.cluster.apply(&json!({
                "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": volume},
                "spec": {
                    "accessModes": claim["spec"]["accessModes"], "capacity": claim["spec"]["resources"]["requests"],
                    "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": name, "namespace": namespace},
                    "hostPath": {"path": "/nowhere"}, "persistentVolumeReclaimPolicy": "Retain",
                    "storageClassName": claim["spec"]["storageClassName"].as_str().unwrap_or_default(),
                },
            }));
        }
    }

    /// Gives an address to what waits for a load balancer.
    fn balance(&self) {
        let address_of = json!({"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}});
        let services = self.cluster.list(SERVICE, None).into_iter();
        let services =
            services.filter(|service| service["spec"]["type"] == "LoadBalancer").map(|it| (SERVICE, it));
        let ingresses = self.cluster.list(INGRESS, None).into_iter().map(|ingress| (INGRESS, ingress));
        for (kind, object) in services.chain(ingresses) {
            if object["status"]["loadBalancer"]["ingress"].is_null() {
                let (namespace, name) = address(&object);
                self.cluster.patch_status(kind, Some(namespace), name, &address_of);
            }
        }
    }
}

fn container_statuses(pod: &Value, ready: bool, state: &Value) -> Value {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let status = |container: &Value| json!({"name": container["name"], "image": container["image"], "imageID": "", "ready": ready, "started": ready, "restartCount": 0, "state": state});
    containers.map(status).collect()
}

fn address(object: &Value) -> (&str, &str) {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    (text("namespace"), text("name"))
}
