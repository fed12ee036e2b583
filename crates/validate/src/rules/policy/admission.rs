//! `policy/admission`.

use std::collections::BTreeMap;

use super::matching::{Match, ObjectIndex, matches};
use super::object::object as converted;
use super::{BINDING, GROUP, POLICY, shown};
use crate::rules::fields::{entries, items, text, value};
use crate::rules::{Check, Draft, Environment, Object, Reporter, Rule};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, group_and_version};
use sealwave_kube::cel::{Budget, MapKind, Program, Stop, Value};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "policy/admission",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::BuiltInKinds,
        summary: "an object breaks a ValidatingAdmissionPolicy in the manifests",
        page: include_str!("admission.md"),
    },
    check: Check::Environment(check),
};

/// Constraints that are compared with objects.
const MAX_COMPARISONS: usize = 2_000_000;
/// Variables of a policy; the API server takes fewer.
const MAX_VARIABLES: usize = 100;

/// A policy that a binding puts into force.
struct Enforced<'a> {
    environment: &'a Environment<'a>,
    policy: &'a Object<'a>,
    spec: &'a Node,
    binding: &'a Node,
    severity: Severity,
    /// Whether an error of an expression counts as a denial.
    fails_closed: bool,
    programs: Programs<'a>,
    /// How much there is to compare with an object.
    weight: usize,
}

/// The expressions of a policy, compiled; `None` for those that cannot be evaluated.
struct Programs<'a> {
    conditions: Vec<Option<Program>>,
    variables: Vec<(&'a str, Option<Program>)>,
    validations: Vec<(&'a Node, Option<Program>)>,
}

fn check(environment: &Environment<'_>, reporter: &mut Reporter) {
    let enforced = enforced(environment);
    if enforced.is_empty() {
        return;
    }
    let mut budget = Budget::for_objects(environment.objects.len());
    let index = ObjectIndex::new(environment);
    let mut values: BTreeMap<usize, Value> = BTreeMap::new();
    let mut comparisons = 0_usize;
    for enforced in enforced {
        let mut is_sure = true;
        for (number, object) in environment.objects.iter().enumerate() {
            // Policies do not apply to policies.
            if object.group == GROUP {
                continue;
            }
            comparisons = comparisons.saturating_add(enforced.weight);
            let is_match =
                if comparisons > MAX_COMPARISONS { None } else { enforced.matches(object, &index) };
            if is_match == Some(true) {
                let value = values.entry(number).or_insert_with(|| converted(object)).clone();
                is_sure &= enforced.judge((number, object), value, &index, &mut budget, reporter);
            }
            is_sure &= is_match.is_some();
        }
        if !is_sure {
            let message = "policy is not evaluated for all objects that it may match";
            let at = environment.objects.iter().position(|object| std::ptr::eq(object, enforced.policy));
            let draft = Draft::new(&RULE, enforced.policy.name_at(), message).severity(Severity::Note);
            reporter.report(draft.about(at.unwrap_or(usize::MAX)));
        }
    }
}

/// Counts what is compared with each object.
fn weight(constraints: Option<&Node>) -> usize {
    let Some(constraints) = constraints else { return 1 };
    let lists = ["resourceRules", "excludeResourceRules"].map(|key| items(constraints, key));
    let keys = ["apiGroups", "apiVersions", "operations", "resources", "resourceNames"];
    let of_rule = |rule: &Node| 1 + keys.iter().map(|key| items(rule, key).len()).sum::<usize>();
    let selectors = ["namespaceSelector", "objectSelector"].map(|key| constraints.get(key));
    let of_selector = |selector: &Node| {
        let expressions = items(selector, "matchExpressions");
        expressions.iter().map(|one| 1 + items(one, "values").len()).sum::<usize>()
            + entries(selector, "matchLabels").len()
    };
    1 + lists.into_iter().flatten().map(of_rule).sum::<usize>()
        + selectors.into_iter().flatten().map(of_selector).sum::<usize>()
}

fn enforced<'a>(environment: &'a Environment<'a>) -> Vec<Enforced<'a>> {
    let named = |name: &str| {
        let number = environment.catalogue.find(GROUP, POLICY, "", name)?;
        environment.objects.get(number)
    };
    let bindings = environment.objects.iter().filter(|object| object.is(GROUP, BINDING));
    bindings
        .filter_map(|binding| {
            let binding = value(binding.manifest.root(), "spec")?;
            let policy = named(text(binding, "policyName")?)?;
            let spec = value(policy.manifest.root(), "spec")?;
            let actions =
                items(binding, "validationActions").iter().filter_map(|action| match action.as_str()? {
                    "Deny" => Some(Severity::Error),
                    "Warn" => Some(Severity::Warning),
                    "Audit" => Some(Severity::Note),
                    _ => None,
                });
            Some(Enforced {
                environment,
                policy,
                spec,
                binding,
                // Plain manifests may be for several clusters, of which only one has the policy.
                severity: if environment.is_plain() {
                    actions.max()?.min(Severity::Warning)
                } else {
                    actions.max()?
                },
                fails_closed: text(spec, "failurePolicy") != Some("Ignore"),
                programs: Programs::of(spec),
                weight: weight(spec.get("matchConstraints")) + weight(binding.get("matchResources")),
            })
        })
        .collect()
}

impl<'a> Programs<'a> {
    fn of(spec: &'a Node) -> Self {
        let program = |node: &Node| Program::compile(text(node, "expression")?).ok();
        Self {
            conditions: items(spec, "matchConditions").iter().map(program).collect(),
            variables: items(spec, "variables")
                .iter()
                .filter_map(|variable| Some((text(variable, "name")?, program(variable))))
                .collect(),
            validations: items(spec, "validations").iter().map(|one| (one, program(one))).collect(),
        }
    }
}

impl Enforced<'_> {
    fn matches(&self, object: &Object<'_>, index: &ObjectIndex<'_>) -> Match {
        let constraints = [self.spec.get("matchConstraints"), self.binding.get("matchResources")];
        let mut result = Some(true);
        for constraints in constraints.into_iter().flatten() {
            match matches(constraints, object, index) {
                Some(true) => {}
                Some(false) => return Some(false),
                None => result = None,
            }
        }
        result
    }

    /// Judges one object; returns whether all that applies to it was evaluated.
    fn judge(
        &self,
        (number, object): (usize, &Object<'_>),
        value: Value,
        index: &ObjectIndex<'_>,
        budget: &mut Budget,
        reporter: &mut Reporter,
    ) -> bool {
        budget.next_look();
        let mut variables = vec![
            ("object", value),
            ("oldObject", Value::Null),
            ("request", request(object)),
            ("params", self.params(object, index)),
            ("namespaceObject", namespace(object, index)),
            ("authorizer", Value::Unknown),
        ];
        for condition in &self.programs.conditions {
            match condition.as_ref().map(|condition| condition.holds(&variables, budget)) {
                Some(Ok(true)) => {}
                Some(Ok(false)) => return true,
                _ => return false,
            }
        }
        let mut own = BTreeMap::new();
        for (name, program) in self.programs.variables.iter().take(MAX_VARIABLES) {
            variables.push(("variables", Value::map(own.clone(), MapKind::Partial(&[]))));
            let value = program.as_ref().and_then(|program| program.evaluate(&variables, budget).ok());
            variables.pop();
            own.insert((*name).into(), value.unwrap_or(Value::Unknown));
        }
        variables.push(("variables", Value::map(own, MapKind::Partial(&[]))));
        let mut is_sure = true;
        for (validation, program) in &self.programs.validations {
            let Some(program) = program else { return false };
            match program.holds(&variables, budget) {
                Ok(false) => self.report(number, object, validation, None, reporter),
                Err(Stop::Fault(fault)) if self.fails_closed => {
                    self.report(number, object, validation, Some(fault.describe()), reporter);
                }
                Ok(true) | Err(Stop::Fault(_)) => {}
                Err(Stop::TooMuch | Stop::Unknown) => is_sure = false,
            }
        }
        is_sure
    }

    fn report(
        &self,
        number: usize,
        object: &Object<'_>,
        validation: &Node,
        fault: Option<&str>,
        reporter: &mut Reporter,
    ) {
        let expression = text(validation, "expression").unwrap_or_default();
        let message = match (text(validation, "message"), fault) {
            (_, Some(fault)) => format!("expression `{}` cannot be evaluated: {fault}", shown(expression)),
            (Some(message), None) => shown(message),
            (None, None) => format!("expression `{}` does not hold", shown(expression)),
        };
        let message = format!("admission policy `{}`: {message}", shown(self.policy.name));
        // The policy of another directory may be that of another cluster.
        let is_apart = self.environment.may_be_apart(self.policy.name_at(), object.name_at());
        let severity = if is_apart { Severity::Note } else { self.severity };
        let draft = Draft::new(&RULE, object.name_at(), message).severity(severity);
        reporter.report(draft.about(number).related(validation.origin, "the validation is here"));
    }

    /// The object that the binding names as parameters, where it is in the set.
    fn params(&self, object: &Object<'_>, index: &ObjectIndex<'_>) -> Value {
        let find = || {
            let kind = value(self.spec, "paramKind")?;
            let (group, _) = group_and_version(text(kind, "apiVersion")?);
            let kind = text(kind, "kind")?;
            let reference = value(self.binding, "paramRef")?;
            let name = text(reference, "name")?;
            let namespace = text(reference, "namespace").unwrap_or(object.namespace);
            let found = index.find(group, kind, namespace, name);
            found.or_else(|| index.find(group, kind, "", name)).map(converted)
        };
        find().unwrap_or(Value::Unknown)
    }
}

/// Returns the known part of the request.
fn request(object: &Object<'_>) -> Value {
    let kind = [("group", object.group), ("version", object.version), ("kind", object.kind)];
    let kind = kind.map(|(key, text)| (key.into(), Value::text(text)));
    let mut all = BTreeMap::from([
        ("kind".into(), Value::map(BTreeMap::from(kind), MapKind::Partial(&[]))),
        ("operation".into(), Value::text("CREATE")),
    ]);
    for (key, text) in [("name", object.name), ("namespace", object.namespace)] {
        if !text.is_empty() {
            all.insert(key.into(), Value::text(text));
        }
    }
    Value::map(all, MapKind::Partial(&[]))
}

/// The namespace of an object, where it is in the set.
fn namespace(object: &Object<'_>, index: &ObjectIndex<'_>) -> Value {
    if index.is_cluster_scoped(object) {
        return Value::Null;
    }
    index.find("", "Namespace", "", object.namespace).map_or(Value::Unknown, converted)
}
