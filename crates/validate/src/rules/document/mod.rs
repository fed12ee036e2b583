//! What the reader says of a document: no YAML, or no Kubernetes object.

use super::Rule;
use sealwave_core::diagnostic::Severity;

/// The same key twice in a mapping.
pub(crate) static DUPLICATE_KEY: Rule = Rule::stage(
    "yaml/duplicate-key",
    Severity::Error,
    "a mapping has the same key twice",
    "Kubernetes' reader keeps the last of the two and drops the other without a word: one of them is not what its author \
     thinks. A merge of two branches often leaves this behind.",
    "data:\n  LOG_LEVEL: debug\n  LOG_LEVEL: warn\n",
    "Remove one of the two.",
);

/// No Kubernetes object.
pub(crate) static MANIFEST: Rule = Rule::stage(
    "schema/manifest",
    Severity::Error,
    "a document is no Kubernetes object",
    "Every object has `apiVersion`, `kind` and a name; without them nothing can be applied, and Argo CD refuses the whole app.",
    "metadata: {name: web}\nspec: {}\n",
    "Add what is missing, or move the file out of the manifests.",
)
.refused();

/// Not YAML, as Kubernetes reads it.
pub(crate) static SYNTAX: Rule = Rule::stage(
    "yaml/syntax",
    Severity::Error,
    "a document cannot be read as Kubernetes reads it",
    "kubectl and Argo CD stop at the first such document; sealwave names each. What libyaml and Kubernetes refuse is refused \
     here, and so is what they lose or multiply without a word.",
    "command: [\"sh\", \"-c\"\n",
    "Follow the hint of the message; the position is where the reader gave up, and the cause may stand a line above.",
);
