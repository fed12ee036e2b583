//! `policy/definition`.

use std::collections::BTreeSet;

use super::{GROUP, POLICY, shown};
use crate::cel::{FieldType, Program, SyntaxError, TypeId, TypeSource};
use crate::diagnostic::{RuleInfo, Severity};
use crate::lints::fields::{items, text, value};
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::model::Node;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "policy/definition",
        severity: Severity::Error,
        enabled: true,
        refused_by_api_server: true,
        summary: "a ValidatingAdmissionPolicy has an expression that does not compile",
        explanation: "The API server compiles the expressions of a policy when it is created, and refuses one with a \
                      syntax error or with a name that nothing declares. Functions and types are not checked here.",
        example: "kind: ValidatingAdmissionPolicy\nspec:\n  validations:\n  - expression: 'object.spec.replicas <= '\n",
        remedy: "```yaml\nvalidations:\n- expression: object.spec.replicas <= 5\n```",
    },
    check: Check::Object(check),
};

/// Names that every expression may use.
const VARIABLES: [&str; 7] =
    ["object", "oldObject", "request", "params", "namespaceObject", "authorizer", "variables"];

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    if !object.is(GROUP, POLICY) {
        return;
    }
    let Some(spec) = value(object.manifest.root(), "spec").filter(|spec| spec.as_mapping().is_some()) else {
        return;
    };
    let mut types = Variables { names: BTreeSet::new(), has_params: value(spec, "paramKind").is_some() };
    for variable in items(spec, "variables") {
        expression(variable.get("expression"), &types, reporter);
        types.names.extend(text(variable, "name"));
    }
    for validation in items(spec, "validations") {
        expression(validation.get("expression"), &types, reporter);
        expression(validation.get("messageExpression"), &types, reporter);
    }
    for annotation in items(spec, "auditAnnotations") {
        expression(annotation.get("valueExpression"), &types, reporter);
    }
    for condition in items(spec, "matchConditions") {
        expression(condition.get("expression"), &types, reporter);
    }
}

fn expression(node: Option<&Node>, types: &Variables<'_>, reporter: &mut Reporter) {
    let Some((node, source)) = node.and_then(|node| Some((node, node.as_str()?))) else { return };
    let program = match Program::compile(source) {
        Ok(program) => program,
        Err(SyntaxError { problem: Some(problem), offset }) => {
            let column = source.get(..offset).map_or(0, |before| before.chars().count()) + 1;
            let message =
                format!("CEL expression is not valid: {problem} (column {column} of the expression)");
            reporter.report(Draft::new(&RULE, node.origin, message));
            return;
        }
        Err(SyntaxError { problem: None, .. }) => return,
    };
    let known = VARIABLES.iter().filter(|name| **name != "params" || types.has_params);
    let variables: Vec<_> =
        known.map(|name| (*name, (*name == "variables").then_some(OF_VARIABLES))).collect();
    let Some(error) = program.check_names(&variables, types) else { return };
    let (what, hint) = match (error.is_field, error.name) {
        (true, _) => ("variable", "declare it under `variables`, before its first use"),
        (false, "params") => ("name", "`params` needs `paramKind`"),
        (false, _) => (
            "name",
            "the names are `object`, `oldObject`, `request`, `params`, `namespaceObject`, `authorizer` and `variables`",
        ),
    };
    let message = format!("CEL expression uses the {what} `{}`, which is not declared", shown(error.name));
    reporter.report(Draft::new(&RULE, node.origin, message).hint(hint));
}

/// The type of `variables`.
const OF_VARIABLES: TypeId = 0;

/// The variables that are declared before an expression.
struct Variables<'a> {
    names: BTreeSet<&'a str>,
    has_params: bool,
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
