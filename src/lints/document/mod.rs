//! Rules about documents that are not valid YAML or not Kubernetes objects.

use super::Rule;
use crate::diagnostic::Severity;

/// A mapping with a duplicate key.
pub(crate) static DUPLICATE_KEY: Rule = Rule::stage(
    "yaml/duplicate-key",
    Severity::Error,
    "a mapping has the same key twice",
    "Kubernetes' reader keeps the last of the two and drops the other without a word: one of them is not what its author \
     thinks. A merge of two branches often leaves this behind.",
    "data:\n  LOG_LEVEL: debug\n  LOG_LEVEL: warn\n",
    "Remove one of the two.",
);

/// A document that is not a Kubernetes object.
pub(crate) static MANIFEST: Rule = Rule::stage(
    "schema/manifest",
    Severity::Error,
    "a document is no Kubernetes object",
    "Every object has `apiVersion`, `kind` and a name; without them nothing can be applied, and Argo CD refuses the whole app.",
    "metadata: {name: web}\nspec: {}\n",
    "Add what is missing, or move the file out of the manifests.",
)
.refused();

/// A document that Kubernetes cannot parse.
pub(crate) static SYNTAX: Rule = Rule::stage(
    "yaml/syntax",
    Severity::Error,
    "a document cannot be read as Kubernetes reads it",
    "kubectl and Argo CD stop at the first such document; sealwave names each. What libyaml and Kubernetes refuse is refused \
     here, and so is what they lose or multiply without a word.",
    "command: [\"sh\", \"-c\"\n",
    "Follow the hint of the message; the position is where the reader gave up, and the cause may stand a line above.",
);
