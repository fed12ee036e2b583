//! More mistakes than [`crate::fast::faults`], with their whole messages in the condition.

use std::net::TcpListener;
use std::sync::Arc;

use crate::fast::faults::{Fault, Mistake, assert_message, prepare};
use crate::harness::{Stack, TestApp};

const PARTIAL: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: port\n  labels:\n    {{> labels}}\n";
const SECOND_SECRET: &str =
    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData: {key: CANARY-second}\n";

const KUBECONFIG: &str = "\
apiVersion: v1
kind: Config
current-context: away
contexts: [{name: away, context: {cluster: away, user: away}}]
clusters: [{name: away, cluster: {server: 'https://127.0.0.1:PORT'}}]
users: [{name: away, user: {token: CANARY-token}}]
";

const FAULTS: &[Fault] = &[
    Fault {
        name: "missing file",
        mistake: Mistake::App("base/secret.yaml", "app/db.yaml", "app/gone.yaml"),
        message: "\
error: reference `file:app/gone.yaml#password` is not found: file not found
  --> base/secret.yaml:6:13
   = help: the path is relative to the provider's root",
        advises_refresh: true,
    },
    Fault {
        name: "two errors at once",
        mistake: Mistake::App(
            "base/secret.yaml",
            "<file:app/db.yaml#password>",
            "<file:app/gone.yaml#password>\n  user: <vault:app/db#user>",
        ),
        message: "\
error: reference `file:app/gone.yaml#password` is not found: file not found
  --> base/secret.yaml:6:13
   = help: the path is relative to the provider's root; Argo CD caches this error: after a repair outside of Git, use Hard \
Refresh on the Application
error: provider `vault` is unknown
  --> base/secret.yaml:7:9
   = help: providers are `api`, `file`, `slow`; if it is meant as text, double its `<`: `<<name:…`",
        advises_refresh: false,
    },
    Fault {
        name: "placeholder that is not closed",
        mistake: Mistake::App("base/secret.yaml", "#password>", "#password"),
        message: "\
error: item `password`: placeholder is not closed
  --> base/secret.yaml:6:13
   = help: close it with `>` on the same line; if it is meant as text, double its `<`: `<<name:…`",
        advises_refresh: false,
    },
    Fault {
        name: "unknown modifier",
        mistake: Mistake::App("base/secret.yaml", "#password>", "#password | upper>"),
        message: "\
error: item `password`: modifier `upper` is unknown
  --> base/secret.yaml:6:42
   = help: modifiers are `base64`, `base64decode`, `default`, `indent`, `json`, `jsonParse`, `jsonPath`, `sha256`, `trim`, \
`urlencode`, `yamlParse`",
        advises_refresh: false,
    },
    Fault {
        name: "value that is not base64",
        mistake: Mistake::App("base/secret.yaml", "#password>", "#password | base64decode>"),
        message: "\
error: item `password`: modifier `base64decode` of `file:app/db.yaml#password` cannot be applied: the value is not base64
  --> base/secret.yaml:6:13
   = help: check the value of the reference, and the modifiers before this one",
        advises_refresh: true,
    },
    Fault {
        name: "broken file in the store",
        mistake: Mistake::Operator("secrets/app/db.yaml", "password: ", "password: \""),
        message: "\
error: reference `file:app/db.yaml#password` is not valid: the file cannot be parsed: it is not well-formed YAML (line 2)
  --> base/secret.yaml:6:13
   = help: correct the file in the secret store",
        advises_refresh: true,
    },
    Fault {
        name: "cluster's API that is not reachable",
        mistake: Mistake::App("base/secret.yaml", "file:app/db.yaml#", "api:db#"),
        message: "\
error: reference `api:db#password` cannot be fetched: the cluster's API cannot be reached (6 attempts)
  --> base/secret.yaml:6:13
   = help: check that the cluster's API is reachable from here",
        advises_refresh: true,
    },
    Fault {
        name: "source that does not answer",
        mistake: Mistake::App("base/secret.yaml", "file:app/db.yaml#", "slow:app/db#"),
        message: "\
error: reference `slow:app/db#password` cannot be fetched: the run's deadline was exceeded; still waiting for: `slow:app/db`
  --> base/secret.yaml:6:13
   = help: `deadlineSeconds` in the operator file sets it; stay under Argo CD's own limit",
        advises_refresh: true,
    },
    Fault {
        name: "unknown cluster",
        mistake: Mistake::Environment(Some("prod")),
        message: "\
error: cluster `prod` is not in the operator file
  --> sealwave.yaml:5:10
   = help: correct `cluster` of the environment in `sealwave.yaml`, or ask the operator to add it under `clusters` with its \
sealing certificate",
        advises_refresh: true,
    },
    Fault {
        name: "missing certificate",
        mistake: Mistake::Operator("operator.yaml", "certs/dev.pem", "certs/gone.pem"),
        message: "\
error: certificate of cluster `dev`: `/run/sealwave-e2e/sidecars/all-faults/operator/certs/gone.pem` cannot be read: file not found
  --> /run/sealwave-e2e/sidecars/all-faults/operator/operator.yaml:6:32
   = help: fetch it from the cluster's sealed-secrets controller: \
`kubeseal --fetch-cert > /run/sealwave-e2e/sidecars/all-faults/operator/certs/gone.pem`; \
paths in the operator file are relative to its directory",
        advises_refresh: true,
    },
    Fault {
        name: "seal key that is not random",
        mistake: Mistake::Operator("seal-key", "sealwave-seal-key-v1:", "CANARY "),
        message: "\
error: `/run/sealwave-e2e/sidecars/all-faults/operator/seal-key`: key is plain text, not 32 random bytes (raw, base64 or hexadecimal)
  --> /run/sealwave-e2e/sidecars/all-faults/operator/operator.yaml:3:1
   = help: `sealwave key generate` prints a new key; keep it in a file that only sealwave can read",
        advises_refresh: true,
    },
    Fault {
        name: "unknown field of the app file",
        mistake: Mistake::App("sealwave.yaml", "kind: App", "kind: App\nkustomize: {}"),
        message: "\
error: unknown field `kustomize`
  --> sealwave.yaml:3:1
   = help: known fields: `apiVersion`, `kind`, `namespace`, `backend`, `compatibility`, `configMaps`, `secrets`, `externalSecrets`, \
`secretsStoreCsi`, `provider`, `environments`, `literals`, `requires`, `rotation`, `sources`, `validate`, `waves`, `workloads`",
        advises_refresh: false,
    },
    Fault {
        name: "missing partial",
        mistake: Mistake::NewFile("base/port.yaml.hbs", PARTIAL),
        message: "\
error: partial `labels` does not exist
  --> base/port.yaml.hbs:6:9
   = help: partials are `partials/NAME.hbs` and `base/_NAME.hbs`",
        advises_refresh: false,
    },
    Fault {
        name: "patch without an object",
        mistake: Mistake::App(
            "sealwave.yaml",
            "dev: {}",
            "dev: {patches: [{target: {kind: Deployment}, patch: {spec: {replicas: 2}}}]}",
        ),
        message: "\
error: patch does not match any object (kind `Deployment`)
  --> sealwave.yaml:4:19
   = help: only `kind` differs; in the objects it is one of `ConfigMap`, `Secret`",
        advises_refresh: false,
    },
    Fault {
        name: "object that exists twice",
        mistake: Mistake::NewFile("base/second.yaml", SECOND_SECRET),
        message: "\
error: Secret `all-faults/db` is already defined at base/second.yaml:1:1
  --> base/secret.yaml:1:1
   = help: remove one; to change an object in one environment, use `patches`",
        advises_refresh: false,
    },
    Fault {
        name: "key that exists twice",
        mistake: Mistake::App("base/config.yaml", "\ndata:", "\ndata:\n  host: other.example.internal"),
        message: "\
error: key `host` is already defined on line 6
  --> base/config.yaml:7:3
   = help: remove one of them; Kubernetes silently uses the last",
        advises_refresh: false,
    },
];

/// Each other mistake appears whole, without values, and is gone after the repair. One waits for the deadline, about 50 s.
pub fn all_mistakes(stack: &Arc<Stack>) {
    let app = prepare(stack, "all-faults");
    // Accepts connections, and answers nothing.
    let slow = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    add_providers(&app, slow.local_addr().expect("an address").port());
    let commit = app.deploy("all-faults", "dev");
    app.wait_healthy(&commit);
    for fault in FAULTS {
        assert_message(&app, fault);
    }
}

/// Adds a Vault that does not answer, and a cluster that does not exist.
fn add_providers(app: &TestApp, slow: u16) {
    let file = app.sidecar().operator_directory().join("operator.yaml");
    let operator = fs_err::read_to_string(&file).expect("a file");
    let more = format!(
        "file: {{kind: file, root: secrets}}, api: {{kind: k8s, namespace: shop, kubeconfig: kubeconfig}}, \
         slow: {{kind: vault, address: 'http://127.0.0.1:{slow}', auth: {{token: {{file: token}}}}}}"
    );
    let changed = operator
        .replace("file: {kind: file, root: secrets}", &more)
        .replace("'file:app/*#*'", "'file:app/*#*', 'api:*#*', 'slow:app/*#*'");
    app.write_operator_file("operator.yaml", &changed);
    app.write_operator_file("token", "CANARY-token");
    // A port below 1024 that no program of the stack uses.
    app.write_operator_file("kubeconfig", &KUBECONFIG.replace("PORT", "9"));
}
