//! Deterministic input for benchmarks: the same arguments produce the same bytes on every machine.

use std::fmt::Write as _;

/// Returns a manifest of about `bytes` bytes and exactly `objects` objects, similar to a cluster add-on: custom
/// resource definitions with deep schemas, `ConfigMap`s with long block scalars, and workloads.
#[must_use]
pub fn manifest(objects: usize, bytes: usize) -> String {
    let share = bytes / objects.max(1);
    let mut out = String::with_capacity(bytes + bytes / 8);
    for index in 0..objects {
        let end = share * (index + 1);
        let room = end.saturating_sub(out.len());
        out.push_str("---\n");
        match index % 3 {
            0 => definition(&mut out, index, room),
            1 => config_map(&mut out, index, room),
            _ => deployment(&mut out, index, room),
        }
    }
    out
}

/// Returns many `ConfigMap`s with one short key each.
#[must_use]
pub fn tiny_documents(count: usize) -> String {
    let mut out = String::with_capacity(count * 110);
    for index in 0..count {
        let _ = write!(
            out,
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: tiny-{index}\n  namespace: default\ndata:\n  \
             key: \"value {index}\"\n"
        );
    }
    out
}

fn definition(out: &mut String, index: usize, room: usize) {
    let start = out.len();
    let _ = write!(
        out,
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: things{index}.example.com\n\
         spec:\n  group: example.com\n  names:\n    kind: Thing{index}\n    plural: things{index}\n  scope: Namespaced\n  \
         versions:\n  - name: v1\n    served: true\n    storage: true\n    schema:\n      openAPIV3Schema:\n        \
         type: object\n        properties:\n"
    );
    let mut field = 0;
    while out.len() - start < room {
        let depth = field % 9;
        let mut indent = 10;
        let _ = writeln!(out, "{:indent$}field{field}:", "");
        for level in 0..depth {
            indent += 2;
            let _ = write!(
                out,
                "{:indent$}description: |-\n{:indent$}  Level {level} of field {field}; it has an effect only where its parent \
                 is set.\n{:indent$}  More info: https://example.com/docs/{field}\n{:indent$}type: object\n\
                 {:indent$}properties:\n",
                "", "", "", "", ""
            );
            indent += 2;
            let _ = writeln!(out, "{:indent$}nested{level}:", "");
        }
        indent += 2;
        let _ = write!(
            out,
            "{:indent$}description: A value that the controller reads once; it defaults to {field}.\n\
             {:indent$}type: integer\n{:indent$}format: int32\n{:indent$}minimum: 0\n\
             {:indent$}enum: [1, 2, 3, {field}]\n",
            "", "", "", "", ""
        );
        field += 1;
    }
}

fn config_map(out: &mut String, index: usize, room: usize) {
    let start = out.len();
    let _ = write!(
        out,
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config-{index}\n  labels:\n    \
         app.kubernetes.io/name: app-{index}\ndata:\n  LOG_LEVEL: info\n  replicas: \"3\"\n"
    );
    let mut file = 0;
    while out.len() - start < room {
        let _ = writeln!(out, "  file-{file}.conf: |");
        for line in 0..120 {
            if out.len() - start >= room {
                break;
            }
            let _ = writeln!(
                out,
                "    server.option.{file}.{line} = \"value {line}\"  # keep: in step with replica {index}"
            );
        }
        file += 1;
    }
}

fn deployment(out: &mut String, index: usize, room: usize) {
    let start = out.len();
    let _ = write!(
        out,
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{index}\n  labels: {{app: app-{index}}}\nspec:\n  \
         replicas: 2\n  selector:\n    matchLabels:\n      app: app-{index}\n  template:\n    metadata:\n      labels:\n        \
         app: app-{index}\n    spec:\n      containers:\n"
    );
    let mut container = 0;
    while out.len() - start < room {
        let _ = write!(
            out,
            "      - name: c{container}\n        image: registry.example.com/team/app:1.{container}.0\n        args:\n        \
             - --listen=0.0.0.0:8080\n        - '--config=/etc/app/config-{container}.yaml'\n        env:\n        \
             - name: POD_NAME\n          valueFrom:\n            fieldRef:\n              fieldPath: metadata.name\n        \
             - name: FEATURE_{container}\n          value: \"true\"\n        ports:\n        - containerPort: 8080\n          \
             name: http\n        resources:\n          limits: {{cpu: 500m, memory: 128Mi}}\n          requests:\n            \
             cpu: 100m\n            memory: 64Mi\n        volumeMounts:\n        - mountPath: /etc/app\n          \
             name: config\n          readOnly: true\n"
        );
        container += 1;
    }
}
