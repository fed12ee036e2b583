//! What the reader says of a document: no YAML, or no Kubernetes object.

use super::{Check, Rule};
use crate::diagnostic::{RuleInfo, Severity};

/// The same key twice in a mapping.
pub(crate) static DUPLICATE_KEY: Rule = stage(
    "yaml/duplicate-key",
    "a mapping has the same key twice",
    "Kubernetes' reader keeps the last of the two and drops the other without a word: one of them is not what its author \
     thinks. A merge of two branches often leaves this behind.",
    "data:\n  LOG_LEVEL: debug\n  LOG_LEVEL: warn\n",
    "Remove one of the two.",
);

/// No Kubernetes object.
pub(crate) static MANIFEST: Rule = stage(
    "schema/manifest",
    "a document is no Kubernetes object",
    "Every object has `apiVersion`, `kind` and a name; without them nothing can be applied, and Argo CD refuses the whole app.",
    "metadata: {name: web}\nspec: {}\n",
    "Add what is missing, or move the file out of the manifests.",
);

/// Not YAML, as Kubernetes reads it.
pub(crate) static SYNTAX: Rule = stage(
    "yaml/syntax",
    "a document cannot be read as Kubernetes reads it",
    "kubectl and Argo CD stop at the first such document; sealwave names each. What libyaml and Kubernetes refuse is refused \
     here, and so is what they lose or multiply without a word.",
    "command: [\"sh\", \"-c\"\n",
    "Follow the hint of the message; the position is where the reader gave up, and the cause may stand a line above.",
);

const fn stage(
    id: &'static str,
    summary: &'static str,
    explanation: &'static str,
    example: &'static str,
    remedy: &'static str,
) -> Rule {
    let severity = Severity::Error;
    Rule {
        info: RuleInfo { id, severity, enabled: true, summary, explanation, example, remedy },
        check: Check::Stage,
    }
}
