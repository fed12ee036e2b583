//! Unknown fields: the field that is probably meant, or what replaces a field of Kustomize, Helm or another place.

use sealwave_core::text::{closest_choice, quoted_list};

/// A field that does not exist.
#[derive(Debug)]
pub(super) struct UnknownField {
    pub(super) field: String,
    hint: String,
}

impl UnknownField {
    /// Creates the error for a field of a mapping that has other fields.
    pub(super) fn new(field: &str, known: &'static [&'static str]) -> Self {
        let hint = match (advice(field, known), closest_choice(field, known)) {
            (Some(advice), _) => advice.to_owned(),
            (None, Some(closest)) => format!("did you mean `{closest}`?"),
            (None, None) => format!("known fields: {}", quoted_list(known)),
        };
        Self { field: field.to_owned(), hint }
    }

    /// Returns what to write instead.
    pub(super) fn hint(&self) -> &str {
        &self.hint
    }
}

/// A mapping of the settings, recognized by a field that only it has.
struct Owner(&'static str);

const APP: Owner = Owner("environments");
const ENVIRONMENT: Owner = Owner("secretBackends");
const PATCH: Owner = Owner("patch");
const TARGET: Owner = Owner("group");
const WAVES: Owner = Owner("kinds");
const OPERATOR: Owner = Owner("sealKeyFile");
const CLUSTER: Owner = Owner("certificate");

const CHANGE_BY_PATCH: &str =
    "write the change as a patch: `patches` of the environment, each with `target` and `patch`";
const NO_LIST: &str = "a kustomization stays in its own file: `sources: [{kustomize: {path: DIRECTORY}}]`; manifests in `base/` and `envs/NAME/` need no list";
const WRITE_CONFIG_MAP: &str =
    "write the ConfigMap in `base/`: pods restart when it changes, without a hash in its name";
const WRITE_SECRET: &str =
    "write the Secret in `base/`, with placeholders such as `<vault:path#key>` as values";
const LABELS: &str =
    "write labels and annotations in the manifests, for example with a partial in `partials/`";
const NO_PREFIX: &str = "write the whole names in the manifests, for example `{{app}}-web` in a `.hbs` file";
const IMAGES: &str = "write the image with values in a `.hbs` file, for example `image: web:{{tag}}`, and set `tag` in `envs/NAME/values.yaml`";
const VALUES: &str = "those of a chart belong to its source: `sources: [{helm: {valueFiles: [FILE]}}]`; those of templates are in `values.yaml` and `envs/NAME/values.yaml`";
const OF_ENVIRONMENT: &str = "it is a setting of an environment: move it to `environments.NAME`";
const OF_VALIDATE: &str = "it is a setting of `validate`: move it below `validate:`";
const TARGETS: &str = "a target selects by `group`, `kind`, `name` and `namespace`; without `name` it selects all objects of the kind";

/// Fields that people write who know another tool, or another place of the same file, with what replaces each.
const ADVICE: &[(Owner, &[&str], &str)] = &[
    (APP, &["resources", "bases", "components", "generators", "transformers"], NO_LIST),
    (APP, &["namePrefix", "nameSuffix"], NO_PREFIX),
    (APP, &["commonLabels", "commonAnnotations", "labels", "annotations"], LABELS),
    (APP, &["images"], IMAGES),
    (
        APP,
        &["replicas", "replacements", "vars"],
        "write the value with an expression in a `.hbs` file, for example `{{replicas}}`, and set it in `values.yaml`",
    ),
    (APP, &["configMapGenerator", "generatorOptions"], WRITE_CONFIG_MAP),
    (APP, &["secretGenerator"], WRITE_SECRET),
    (
        APP,
        &["patchesStrategicMerge", "patchesJson6902", "patches"],
        "write patches in `environments.NAME.patches`, each with `target` and `patch` or `file`",
    ),
    (
        APP,
        &["helmCharts", "helmChartInflationGenerator", "dependencies", "chart"],
        "add the chart to the sources: `sources: [{helm: {chart: DIRECTORY}}]`",
    ),
    (APP, &["values", "valueFiles", "valuesFile", "valuesFiles"], VALUES),
    (
        APP,
        &["metadata", "name", "spec", "version"],
        "remove it: the settings are at the top level, and the app is named by Argo CD",
    ),
    (APP, &["cluster", "secretBackends"], OF_ENVIRONMENT),
    (APP, &["rules", "ignore", "external", "kubeVersions", "crds", "packedDefinitions"], OF_VALIDATE),
    (
        APP,
        &["stores", "refreshInterval"],
        "it is a setting of `externalSecrets`: move it below `externalSecrets:`",
    ),
    (
        APP,
        &["clusters", "policy", "providers", "sealKeyFile"],
        "it is a setting of the operator file, which is not in the repository",
    ),
    (
        ENVIRONMENT,
        &["patchesStrategicMerge"],
        "write it as `patches`, each with `target`, `type: strategic` and `patch` or `file`",
    ),
    (ENVIRONMENT, &["patchesJson6902"], "write it as `patches`, each with `target` and `patch` or `file`"),
    (ENVIRONMENT, &["resources", "bases", "components"], NO_LIST),
    (ENVIRONMENT, &["images"], IMAGES),
    (ENVIRONMENT, &["replicas", "namePrefix", "nameSuffix", "labels", "commonLabels"], CHANGE_BY_PATCH),
    (ENVIRONMENT, &["configMapGenerator"], WRITE_CONFIG_MAP),
    (ENVIRONMENT, &["secretGenerator"], WRITE_SECRET),
    (ENVIRONMENT, &["values", "valueFiles", "valuesFile", "valuesFiles"], VALUES),
    (PATCH, &["path"], "the file of a patch is `file`"),
    (PATCH, &["options"], "remove it: a patch may change `kind` and `metadata.name`"),
    (PATCH, &["op", "value"], "write the operations as a list in `patch`"),
    (TARGET, &["labelSelector", "annotationSelector", "version", "apiVersion"], TARGETS),
    (OPERATOR, &["environments", "namespace"], "it is a setting of the app file `sealwave.yaml`"),
    (CLUSTER, &["file", "cert", "certificateFile"], "write `certificate: {file: FILE}`"),
    (CLUSTER, &["server", "url", "context"], "remove it: sealing needs only the certificate of a cluster"),
];

/// Returns the advice for a field of a mapping that has other fields.
fn advice(field: &str, known: &[&str]) -> Option<&'static str> {
    if known.contains(&WAVES.0) && known.len() == 1 {
        return Some("waves are set by kind: move it below `waves.kinds`, as in `kinds: {Job: 2}`");
    }
    let row = ADVICE.iter().find(|(owner, fields, _)| known.contains(&owner.0) && fields.contains(&field));
    row.map(|(_, _, advice)| *advice)
}
