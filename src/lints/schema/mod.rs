//! Rules about objects and the schemas of their kinds. [`crate::schema`] finds violations; this module only holds the pages.

use super::Rule;
use crate::diagnostic::Severity;

/// A violated validation rule of a CustomResourceDefinition.
pub(crate) static CEL: Rule = Rule::stage(
    "schema/cel",
    Severity::Error,
    "an object breaks a validation rule of its CustomResourceDefinition",
    "Definitions carry rules in CEL (`x-kubernetes-validations`) for what schemas cannot express, and the API server \
     refuses an object that breaks one. The message is that of the rule; a `messageExpression` is not evaluated, as \
     its text may quote values.",
    "spec: {minReplicas: 5, maxReplicas: 3}   # rule: self.minReplicas <= self.maxReplicas\n",
    "Change the object so that the rule holds.",
)
.refused();

/// A configuration file of a program.
pub(crate) static CONFIGURATION: Rule = Rule::stage(
    "schema/configuration",
    Severity::Note,
    "a document is configuration of a program, not a Kubernetes object",
    "The API server, the kubelet, kubeadm, kind and others read configuration from files in the shape of Kubernetes \
     objects. No cluster takes such a document, and there is no schema for it here, so it was not checked. Of each kind \
     one document is reported.",
    "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n",
    "Nothing, if the file is read as a file. Do not put it into a directory that is applied.",
);

/// An invalid CustomResourceDefinition.
pub(crate) static DEFINITION: Rule = Rule::stage(
    "schema/definition",
    Severity::Error,
    "a CustomResourceDefinition is one that the API server refuses",
    "Its schema is not structural, a version has no schema, not exactly one version is stored, a default does not fit, or \
     its names, its columns or its conversion are not right, or a CEL rule does not compile. The API server refuses such a definition, and with it every \
     object of its kind.",
    "properties:\n  size: {type: strign}\n",
    "Follow the message; structural schemas are described in the documentation of Kubernetes.",
)
.refused();

/// A value that is not one of the allowed values.
pub(crate) static ENUM: Rule = Rule::stage(
    "schema/enum",
    Severity::Error,
    "a value is none of those that the field allows",
    "The API server refuses the object. The published schemas do not hold these values, so most offline checks pass it.",
    "imagePullPolicy: Sometimes\n",
    "Write one of the values that the message lists; case counts.",
).refused();

/// A string without the format that its field requires.
pub(crate) static FORMAT: Rule = Rule::stage(
    "schema/format",
    Severity::Error,
    "a text does not have the form that the field asks for",
    "The API server cannot read a quantity, a duration, a date, an address or base64 that is none, and refuses the object.",
    "resources: {limits: {memory: 1 GiB}}\n",
    "Write it in the form that the message names, for example `1Gi`.",
).refused();

/// Two list items with the same key.
pub(crate) static LIST_KEY: Rule = Rule::stage(
    "schema/list-key",
    Severity::Error,
    "two items of a list have the same key",
    "Kubernetes tells items of these lists apart by their key (ports by number and protocol, for example). The API server \
     refuses a second one, or a server-side apply loses one of the two. Ports of a container, pull secrets, aliases of hosts, \
     secrets of a ServiceAccount and finalizers it takes twice: that is a warning, as server-side apply does not.",
    "ports:\n- {port: 80}\n- {port: 80, protocol: TCP}\n",
    "Remove one, or give it a key of its own.",
).refused();

/// A missing required field.
pub(crate) static REQUIRED: Rule = Rule::stage(
    "schema/required",
    Severity::Error,
    "a required field is missing",
    "The API server refuses the object.",
    "kind: Deployment\nspec:\n  template: {}   # and no selector\n",
    "Add the field.",
)
.refused();

/// Different definitions of one kind.
pub(crate) static SEVERAL_DEFINITIONS: Rule = Rule::stage(
    "schema/several-definitions",
    Severity::Note,
    "a kind has several definitions that differ",
    "A cluster has one. Each object is checked against a definition that serves its version; of those against the nearest \
     one: in the same file, in the same directory, or with the most leading directories in common. Of each kind one object \
     is reported.",
    "# one/crd.yaml and two/crd.yaml define Raft, with other versions or fields\nkind: Raft\n",
    "Validate the manifests of one cluster at a time, or remove the definition that is out of date.",
);

/// An object or definition that is too large or deep to check.
pub(crate) static TOO_COMPLEX: Rule = Rule::stage(
    "schema/too-complex",
    Severity::Warning,
    "an object or a definition takes more work to check than any honest one",
    "What was found until then is reported; the rest of the object was not checked.",
    "# a schema whose alternatives multiply\n",
    "Split the object, or simplify its definition.",
);

/// A value of a wrong type.
pub(crate) static TYPE: Rule = Rule::stage(
    "schema/type",
    Severity::Error,
    "a value is of another type than the field",
    "The API server cannot decode the object and refuses it.",
    "replicas: \"3\"\n",
    "Write a value of the type that the message names; quotes make a string, and their absence may make something else.",
).refused();

/// Validation rules that are not evaluated.
pub(crate) static UNEVALUATED: Rule = Rule::stage(
    "schema/unevaluated-rules",
    Severity::Note,
    "validation rules of a definition are not evaluated",
    "These rules in CEL (`x-kubernetes-validations`) use a function that is not implemented here, depend on what only a \
     cluster knows, or take too much work. The object may pass and still be refused.",
    "x-kubernetes-validations:\n- rule: url(self.endpoint).getScheme() == 'https'\n",
    "Nothing, or try the object with `kubectl apply --dry-run=server`.",
);

/// A field that does not exist.
pub(crate) static UNKNOWN_FIELD: Rule = Rule::stage(
    "schema/unknown-field",
    Severity::Error,
    "an object has a field that its kind does not have",
    "The API server drops it without a word, or refuses the object under `fieldValidation: Strict`. Most often it is a slip \
     of the keyboard or of the indentation, and what the author wants does not happen.",
    "spec:\n  replicass: 3\n",
    "Correct the name or the indentation, or remove the field. `--lenient` makes it a warning.",
).refused();

/// A kind without a schema.
pub(crate) static UNKNOWN_KIND: Rule = Rule::stage(
    "schema/unknown-kind",
    Severity::Note,
    "there is no schema for the kind of an object",
    "Its fields were not checked. For a kind of Kubernetes itself this means that it does not exist in that version, and \
     the API server refuses the object: that is an error.",
    "apiVersion: example.com/v1\nkind: Widget\n",
    "Put its CustomResourceDefinition into the repository, give it with `--crds` or `validate.crds`, or pull it from a \
     cluster with `sealwave schemas pull`. Definitions of common projects are built in; docs/schemas.md lists them. \
     `--strict-kinds` makes it an error, `--skip Widget` silences it.",
).refused();

/// A kind that the caller rejects.
pub(crate) static REJECTED_KIND: Rule = Rule::stage(
    "schema/rejected-kind",
    Severity::Error,
    "an object is of a kind that `--reject` names",
    "Whoever runs the check does not want objects of this kind here.",
    "# sealwave validate --reject v1/Secret\nkind: Secret\n",
    "Remove the object.",
);

/// A value out of bounds.
pub(crate) static VALUE: Rule = Rule::stage(
    "schema/value",
    Severity::Error,
    "a value is outside of what its schema allows",
    "The API server refuses the object: a number out of range, a text that does not match a pattern, too many items, none of \
     the alternatives of the schema.",
    "spec: {minReplicas: -1}\n",
    "Follow the message; it has the bound or the pattern.",
).refused();
