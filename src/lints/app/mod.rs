//! Rules under which the pipeline reports an app that does not render, or not as its author expects.

use super::Rule;
use crate::diagnostic::Severity;

/// Problems with waves and checksums.
pub(crate) static ANNOTATE: Rule = Rule::stage(
    "app/annotate",
    Severity::Error,
    "waves or checksums cannot be set, or do not do what their author thinks",
    "sealwave gives every object a sync wave and every workload the checksums of its configuration. Settings of the app \
     file or annotations of an object stand in the way of that.",
    "waves:\n  kinds: {\"batch/\": 1}\n",
    "Follow the hint of the message; `sealwave render` shows the waves and checksums that are set.",
);

/// A Secret that the backend cannot convert.
pub(crate) static BACKEND: Rule = Rule::stage(
    "app/backend",
    Severity::Error,
    "a Secret cannot become what the environment's backend makes of it",
    "`sealwave generate` would refuse it, so Argo CD could not sync the app: an item that no SealedSecret can hold, a \
     modifier that an ExternalSecret has no template for, a store that is not named.",
    "environments:\n  prod: {backend: external-secrets}   # and no `externalSecrets.store`\n",
    "Follow the hint of the message; docs/backends.md has what each backend can express.",
);

/// An app file that cannot be read.
pub(crate) static LOAD: Rule = Rule::stage(
    "app/load",
    Severity::Error,
    "a file of the app cannot be read",
    "`sealwave generate` would refuse it, so Argo CD could not sync the app: a link that leaves the repository, a file that \
     is too large or not UTF-8, values that are no mapping.",
    "# envs/prod/values.yaml\n- a list\n",
    "Follow the hint of the message.",
);

/// A malformed or misplaced placeholder.
pub(crate) static PLACEHOLDER: Rule = Rule::stage(
    "app/placeholder",
    Severity::Error,
    "a placeholder is malformed or stands where none may be",
    "Placeholders may stand in `data` and `stringData` of Secrets only: anywhere else the value would be readable in the \
     cluster, in Argo CD and in its cache. `sealwave generate` refuses the app. Outside of Secrets, only text that has the \
     shape of a reference counts.",
    "kind: ConfigMap\ndata:\n  password: <vault:shop/db#password>\n",
    "Put it into a Secret, or write a literal `<` as `<<`. If an object that is not a Secret is full of such text, set the \
     annotation `sealwave.dev/literal: \"true\"` on it, or list it under `literals` in `sealwave.yaml`.",
);

/// A template, document or patch that does not yield an object.
pub(crate) static RENDER: Rule = Rule::stage(
    "app/render",
    Severity::Error,
    "a template, a document or a patch does not give an object",
    "`sealwave generate` would refuse it, so Argo CD could not sync the app: an unknown value in a template, a patch whose \
     target does not exist, a document that is no Kubernetes object.",
    "image: \"{{ imgae.tag }}\"\n",
    "Follow the hint of the message.",
);
