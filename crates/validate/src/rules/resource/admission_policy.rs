//! `resource/admission-policy`.

use std::collections::HashSet;

use super::matched_rules::check_rules;
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{items, key_origin, set_entries, start_origin, text, value};
use crate::facts::rule_context::RuleContext;
use crate::field_checks::forms::{PATH_SEGMENT, QUALIFIED, SUBDOMAIN};
use crate::field_checks::{FieldCheck, FieldChecker, FieldSection};
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "resource/admission-policy",
        severity: Severity::Error,
        summary: "an admission policy or its binding is incomplete or invalid",
        text: include_str!("admission_policy.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Fields of a policy's spec.
const POLICY: &[FieldSection] = &[
    FieldSection { at: "", fields: &[FieldCheck::present("matchConstraints")] },
    FieldSection { at: "matchConstraints", fields: &[FieldCheck::present("resourceRules")] },
    FieldSection {
        at: "matchConditions[]",
        fields: &[
            FieldCheck::not_empty("expression"),
            FieldCheck::not_empty("name"),
            FieldCheck::form("name", &QUALIFIED),
        ],
    },
    FieldSection {
        at: "paramKind",
        fields: &[FieldCheck::present("apiVersion"), FieldCheck::present("kind")],
    },
    FieldSection {
        at: "validations[]",
        fields: &[
            FieldCheck::not_empty("expression"),
            FieldCheck::one_of("reason", &["Forbidden", "Invalid", "RequestEntityTooLarge"]),
        ],
    },
    FieldSection {
        at: "auditAnnotations[]",
        fields: &[
            FieldCheck::not_empty("key"),
            FieldCheck::form("key", &QUALIFIED),
            FieldCheck::not_empty("valueExpression"),
        ],
    },
    FieldSection {
        at: "variables[]",
        fields: &[FieldCheck::not_empty("expression"), FieldCheck::not_empty("name")],
    },
];
/// Fields of a mutating policy's spec.
const MUTATING: &[FieldSection] = &[
    FieldSection {
        at: "",
        fields: &[
            FieldCheck::present("matchConstraints"),
            FieldCheck::present("mutations"),
            FieldCheck::present("reinvocationPolicy"),
            FieldCheck::one_of("reinvocationPolicy", &["IfNeeded", "Never"]),
        ],
    },
    FieldSection { at: "matchConstraints", fields: &[FieldCheck::present("resourceRules")] },
    FieldSection {
        at: "matchConditions[]",
        fields: &[
            FieldCheck::not_empty("expression"),
            FieldCheck::not_empty("name"),
            FieldCheck::form("name", &QUALIFIED),
        ],
    },
    FieldSection {
        at: "mutations[]",
        fields: &[
            FieldCheck::present("patchType"),
            FieldCheck::one_of("patchType", &["ApplyConfiguration", "JSONPatch"]),
        ],
    },
    FieldSection { at: "mutations[].applyConfiguration", fields: &[FieldCheck::present("expression")] },
    FieldSection { at: "mutations[].jsonPatch", fields: &[FieldCheck::present("expression")] },
    FieldSection {
        at: "variables[]",
        fields: &[FieldCheck::not_empty("expression"), FieldCheck::not_empty("name")],
    },
];
/// Fields of a binding's spec.
const BINDING: &[FieldSection] = &[
    FieldSection {
        at: "",
        fields: &[FieldCheck::not_empty("policyName"), FieldCheck::form("policyName", &SUBDOMAIN)],
    },
    FieldSection {
        at: "paramRef",
        fields: &[FieldCheck::form("name", &PATH_SEGMENT), FieldCheck::present("parameterNotFoundAction")],
    },
];

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    if object.group != "admissionregistration.k8s.io" {
        return;
    }
    let Some(spec) = object.manifest.root().get("spec").filter(|spec| spec.as_mapping().is_some()) else {
        return;
    };
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    match object.kind {
        "ValidatingAdmissionPolicy" => {
            checker.check_table(spec, POLICY);
            check_policy(spec, &mut checker);
        }
        "ValidatingAdmissionPolicyBinding" => {
            checker.check_table(spec, BINDING);
            checker.check_field(spec, &FieldCheck::present("validationActions"));
            check_actions(spec, &mut checker);
            check_parameters(spec, &mut checker);
        }
        "MutatingAdmissionPolicy" => {
            checker.check_table(spec, MUTATING);
            check_mutations(spec, &mut checker);
        }
        "MutatingAdmissionPolicyBinding" => {
            checker.check_table(spec, BINDING);
            check_parameters(spec, &mut checker);
        }
        _ => return,
    }
    for field in ["matchConstraints", "matchResources"] {
        if let Some(resources) = value(spec, field) {
            check_match_resources(resources, &mut checker);
        }
    }
}

fn check_policy(spec: &Node, checker: &mut FieldChecker<'_>) {
    if items(spec, "validations").is_empty() && items(spec, "auditAnnotations").is_empty() {
        let message = "the policy has neither `validations` nor `auditAnnotations`";
        checker.report(start_origin(spec), message, "add what the policy checks");
    }
    for validation in items(spec, "validations") {
        if text(validation, "message").is_some_and(|message| !message.is_empty() && message.trim().is_empty())
        {
            let message = "`message` of a validation is blank";
            checker.report(
                key_origin(validation, "message"),
                message,
                "describe the violation, or remove it",
            );
        }
        if text(validation, "message").is_some_and(|message| message.trim().contains(['\n', '\r'])) {
            let message = "`message` of a validation has more than one line";
            checker.report(key_origin(validation, "message"), message, "write it on one line");
        }
    }
    if text(spec, "failurePolicy").is_some_and(str::is_empty) {
        checker.report(
            key_origin(spec, "failurePolicy"),
            "`failurePolicy` is empty",
            "write `Fail` or `Ignore`",
        );
    }
}

/// Checks that each mutation has the part that its type names, and no other.
fn check_mutations(spec: &Node, checker: &mut FieldChecker<'_>) {
    for mutation in items(spec, "mutations").iter().filter(|mutation| mutation.as_mapping().is_some()) {
        let (own, other) = match text(mutation, "patchType") {
            Some("ApplyConfiguration") => ("applyConfiguration", "jsonPatch"),
            Some("JSONPatch") => ("jsonPatch", "applyConfiguration"),
            _ => continue,
        };
        if value(mutation, own).is_none() {
            let message = format!("the mutation has no `{own}`, which its `patchType` names");
            checker.report(key_origin(mutation, "patchType"), message, format!("add `{own}`"));
        }
        checker.check_field(mutation, &FieldCheck::absent(other, "with another `patchType`"));
    }
}

fn check_actions(spec: &Node, checker: &mut FieldChecker<'_>) {
    let mut seen = HashSet::new();
    for action in items(spec, "validationActions") {
        if action.as_str().is_some_and(|action| !seen.insert(action)) {
            checker.report(action.origin, "an action is named twice", "remove one of them");
        }
    }
    if seen.contains("Deny") && seen.contains("Warn") {
        let message = "`validationActions` has both `Deny` and `Warn`";
        checker.report(
            key_origin(spec, "validationActions"),
            message,
            "remove `Warn`: a denied request gets the message anyway",
        );
    }
}

fn check_parameters(spec: &Node, checker: &mut FieldChecker<'_>) {
    let Some(reference) = value(spec, "paramRef").filter(|reference| reference.as_mapping().is_some()) else {
        return;
    };
    let names = set_entries(reference, &["name", "selector"]);
    if names.len() != 1 {
        let message = "`paramRef` does not have exactly one of `name` and `selector`";
        checker.report(key_origin(spec, "paramRef"), message, "give it one of them");
    }
    if let Some(selector) = value(reference, "selector") {
        checker.check_selector(selector);
    }
}

fn check_match_resources(resources: &Node, checker: &mut FieldChecker<'_>) {
    check_rules(items(resources, "resourceRules"), checker);
    check_rules(items(resources, "excludeResourceRules"), checker);
    for field in ["namespaceSelector", "objectSelector"] {
        if let Some(selector) = value(resources, field) {
            checker.check_selector(selector);
        }
    }
}
