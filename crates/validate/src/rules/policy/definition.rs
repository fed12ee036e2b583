//! `policy/definition`.

use std::collections::BTreeSet;

use super::names::{GROUP, POLICY, shorten};
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{items, quoted_list, text, value};
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_kube::cel::{CelProgram, FieldType, ResultType, SyntaxError, TypeId, TypeSource};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "policy/definition",
        severity: Severity::Error,
        summary: "a ValidatingAdmissionPolicy or an admission webhook has an expression that does not compile",
        text: include_str!("definition.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Names that expressions of policies may use.
const POLICY_NAMES: &[&str] = &["object", "oldObject", "request", "namespaceObject", "authorizer"];
/// Names that expressions of webhooks may use.
const WEBHOOK_NAMES: &[&str] = &["object", "oldObject", "request", "authorizer"];
/// Names whose fields are untyped.
const DYNAMIC: &[&str] = &["object", "oldObject", "params"];

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    if object.group != GROUP {
        return;
    }
    let root = object.manifest.root();
    match object.kind {
        POLICY => value(root, "spec").into_iter().for_each(|spec| policy(spec, reporter)),
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => {
            let types = DeclaredVariables::default();
            for condition in
                items(root, "webhooks").iter().flat_map(|webhook| items(webhook, "matchConditions"))
            {
                let condition = condition.get("expression");
                PolicyExpression { names: WEBHOOK_NAMES, types: &types, expected: ExpectedResult::Condition }
                    .check(condition, reporter);
            }
        }
        _ => {}
    }
}

fn policy(spec: &Node, reporter: &mut Reporter) {
    let mut names = POLICY_NAMES.to_vec();
    if value(spec, "paramKind").is_some() {
        names.push("params");
    }
    let mut types = DeclaredVariables::default();
    for condition in items(spec, "matchConditions") {
        PolicyExpression { names: &names, types: &types, expected: ExpectedResult::Condition }
            .check(condition.get("expression"), reporter);
    }
    names.push("variables");
    for variable in items(spec, "variables") {
        PolicyExpression { names: &names, types: &types, expected: ExpectedResult::Any }
            .check(variable.get("expression"), reporter);
        types.names.extend(text(variable, "name"));
    }
    let expression = |expected| PolicyExpression { names: &names, types: &types, expected };
    for validation in items(spec, "validations") {
        expression(ExpectedResult::Condition).check(validation.get("expression"), reporter);
        expression(ExpectedResult::Text).check(validation.get("messageExpression"), reporter);
    }
    for annotation in items(spec, "auditAnnotations") {
        expression(ExpectedResult::TextOrNull).check(annotation.get("valueExpression"), reporter);
    }
}

/// The type that an expression must have.
#[derive(Clone, Copy)]
enum ExpectedResult {
    Any,
    Condition,
    Text,
    TextOrNull,
}

impl ExpectedResult {
    fn accepts(self, result: ResultType) -> bool {
        match result {
            ResultType::Unknown => true,
            ResultType::Bool => matches!(self, Self::Any | Self::Condition),
            ResultType::Null => matches!(self, Self::Any | Self::TextOrNull),
            ResultType::Text => !matches!(self, Self::Condition),
            ResultType::Dynamic | ResultType::Other => matches!(self, Self::Any),
        }
    }
}

/// The context of an expression: declared names and expected result.
struct PolicyExpression<'a> {
    names: &'a [&'static str],
    types: &'a DeclaredVariables<'a>,
    expected: ExpectedResult,
}

impl PolicyExpression<'_> {
    fn check(&self, node: Option<&Node>, reporter: &mut Reporter) {
        // An empty string counts as absent; `resource/admission-policy` reports missing expressions.
        let Some((node, source)) = node.and_then(|node| Some((node, node.as_str()?))) else { return };
        if source.is_empty() {
            return;
        }
        match CelProgram::compile(source) {
            Ok(program) => self.check_program(&program, node, reporter),
            Err(SyntaxError { problem: Some(problem), offset }) => {
                let column = source.get(..offset).map_or(0, |before| before.chars().count()) + 1;
                let message =
                    format!("CEL expression is not valid: {problem} (column {column} of the expression)");
                reporter.report(FindingDraft::new(&RULE, node.origin, message));
            }
            Err(SyntaxError { problem: None, .. }) => {}
        }
    }

    fn check_program(&self, program: &CelProgram, node: &Node, reporter: &mut Reporter) {
        let variables: Vec<_> =
            self.names.iter().map(|name| (*name, (*name == "variables").then_some(VARIABLES_TYPE))).collect();
        if let Some(error) = program.check_names(&variables, self.types) {
            let (noun, hint) = match (error.is_field, error.name) {
                (true, _) => ("variable", "declare it under `variables`, before its first use".to_owned()),
                (false, "params") => ("name", "`params` needs `paramKind`".to_owned()),
                (false, _) => ("name", format!("the names are {}", quoted_list(self.names))),
            };
            let message =
                format!("CEL expression uses the {noun} `{}`, which is not declared", shorten(error.name));
            reporter.report(FindingDraft::new(&RULE, node.origin, message).hint(hint));
            return;
        }
        let result = program.result_type(DYNAMIC);
        if self.expected.accepts(result) {
            return;
        }
        let (expected, hint) = match self.expected {
            ExpectedResult::Condition => {
                ("true or false", "compare it with a value, as in `object.spec.replicas <= 5`")
            }
            _ => ("a string", "convert it, as in `string(object.metadata.name)`"),
        };
        let message = if result == ResultType::Dynamic {
            format!("the type of the CEL expression is unknown; it must evaluate to {expected}")
        } else {
            format!("the CEL expression does not evaluate to {expected}")
        };
        reporter.report(FindingDraft::new(&RULE, node.origin, message).hint(hint));
    }
}

/// The type of `variables`.
const VARIABLES_TYPE: TypeId = 0;

/// Variables that are declared before an expression.
#[derive(Default)]
struct DeclaredVariables<'a> {
    names: BTreeSet<&'a str>,
}

impl TypeSource for DeclaredVariables<'_> {
    fn field(&self, parent: TypeId, name: &str) -> FieldType {
        if parent == VARIABLES_TYPE && !self.names.contains(name) {
            FieldType::Undeclared
        } else {
            FieldType::Unknown
        }
    }

    fn element(&self, _: TypeId) -> Option<TypeId> {
        None
    }

    fn is_list(&self, _: TypeId) -> bool {
        false
    }
}
