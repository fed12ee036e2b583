//! `policy/definition`.

use std::collections::BTreeSet;

use super::{GROUP, POLICY, shown};
use crate::rules::fields::{items, listed, text, value};
use crate::rules::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_kube::cel::{FieldType, Program, ResultType, SyntaxError, TypeId, TypeSource};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "policy/definition",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::BuiltInKinds,
        summary: "a ValidatingAdmissionPolicy or an admission webhook has an expression that does not compile",
        page: include_str!("definition.md"),
    },
    check: Check::Object(check),
};

/// Names that expressions of policies may use.
const OF_POLICIES: &[&str] = &["object", "oldObject", "request", "namespaceObject", "authorizer"];
/// Names that expressions of webhooks may use.
const OF_WEBHOOKS: &[&str] = &["object", "oldObject", "request", "authorizer"];
/// Names whose fields have no types.
const DYNAMIC: &[&str] = &["object", "oldObject", "params"];

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    if object.group != GROUP {
        return;
    }
    let root = object.manifest.root();
    match object.kind {
        POLICY => value(root, "spec").into_iter().for_each(|spec| policy(spec, reporter)),
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => {
            let types = Variables::default();
            for condition in
                items(root, "webhooks").iter().flat_map(|webhook| items(webhook, "matchConditions"))
            {
                let condition = condition.get("expression");
                Expression { names: OF_WEBHOOKS, types: &types, wanted: Wanted::Condition }
                    .check(condition, reporter);
            }
        }
        _ => {}
    }
}

fn policy(spec: &Node, reporter: &mut Reporter) {
    let mut names = OF_POLICIES.to_vec();
    if value(spec, "paramKind").is_some() {
        names.push("params");
    }
    let mut types = Variables::default();
    for condition in items(spec, "matchConditions") {
        Expression { names: &names, types: &types, wanted: Wanted::Condition }
            .check(condition.get("expression"), reporter);
    }
    names.push("variables");
    for variable in items(spec, "variables") {
        Expression { names: &names, types: &types, wanted: Wanted::Any }
            .check(variable.get("expression"), reporter);
        types.names.extend(text(variable, "name"));
    }
    let of = |wanted| Expression { names: &names, types: &types, wanted };
    for validation in items(spec, "validations") {
        of(Wanted::Condition).check(validation.get("expression"), reporter);
        of(Wanted::Text).check(validation.get("messageExpression"), reporter);
    }
    for annotation in items(spec, "auditAnnotations") {
        of(Wanted::TextOrNull).check(annotation.get("valueExpression"), reporter);
    }
}

/// The type that an expression must have.
#[derive(Clone, Copy)]
enum Wanted {
    Any,
    Condition,
    Text,
    TextOrNull,
}

impl Wanted {
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

/// An expression, and the names that are declared for it.
struct Expression<'a> {
    names: &'a [&'static str],
    types: &'a Variables<'a>,
    wanted: Wanted,
}

impl Expression<'_> {
    fn check(&self, node: Option<&Node>, reporter: &mut Reporter) {
        // An empty text is absent; `resource/admission-policy` demands what must be there.
        let Some((node, source)) = node.and_then(|node| Some((node, node.as_str()?))) else { return };
        if source.is_empty() {
            return;
        }
        match Program::compile(source) {
            Ok(program) => self.check_program(&program, node, reporter),
            Err(SyntaxError { problem: Some(problem), offset }) => {
                let column = source.get(..offset).map_or(0, |before| before.chars().count()) + 1;
                let message =
                    format!("CEL expression is not valid: {problem} (column {column} of the expression)");
                reporter.report(Draft::new(&RULE, node.origin, message));
            }
            Err(SyntaxError { problem: None, .. }) => {}
        }
    }

    fn check_program(&self, program: &Program, node: &Node, reporter: &mut Reporter) {
        let variables: Vec<_> =
            self.names.iter().map(|name| (*name, (*name == "variables").then_some(OF_VARIABLES))).collect();
        if let Some(error) = program.check_names(&variables, self.types) {
            let (what, hint) = match (error.is_field, error.name) {
                (true, _) => ("variable", "declare it under `variables`, before its first use".to_owned()),
                (false, "params") => ("name", "`params` needs `paramKind`".to_owned()),
                (false, _) => ("name", format!("the names are {}", listed(self.names))),
            };
            let message =
                format!("CEL expression uses the {what} `{}`, which is not declared", shown(error.name));
            reporter.report(Draft::new(&RULE, node.origin, message).hint(hint));
            return;
        }
        let result = program.result(DYNAMIC);
        if self.wanted.accepts(result) {
            return;
        }
        let (wanted, hint) = match self.wanted {
            Wanted::Condition => {
                ("true or false", "compare it with a value, as in `object.spec.replicas <= 5`")
            }
            _ => ("a text", "convert it, as in `string(object.metadata.name)`"),
        };
        let message = if result == ResultType::Dynamic {
            format!("the type of the CEL expression is not known, and {wanted} is needed")
        } else {
            format!("the CEL expression does not evaluate to {wanted}")
        };
        reporter.report(Draft::new(&RULE, node.origin, message).hint(hint));
    }
}

/// The type of `variables`.
const OF_VARIABLES: TypeId = 0;

/// The variables that are declared before an expression.
#[derive(Default)]
struct Variables<'a> {
    names: BTreeSet<&'a str>,
}

impl TypeSource for Variables<'_> {
    fn field(&self, of: TypeId, name: &str) -> FieldType {
        if of == OF_VARIABLES && !self.names.contains(name) {
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
