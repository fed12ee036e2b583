//! Writes expressions of Go templates as Handlebars does.

use std::collections::BTreeMap;

use super::expression::Expression;
use super::table::{self, ConstructId};
use crate::render::built_in::{BUILT_IN_NAMES, VALUES};
use crate::render::helpers;

/// The maximum length of a quoted text that is shown.
const MAX_TEXT: usize = 40;

/// The surroundings of a tag.
#[derive(Debug, Default)]
pub(super) struct TagScope {
    /// The number of blocks around it in which names are those of an item.
    pub(super) depth: usize,
    /// The names of block parameters.
    pub(super) parameters: Vec<String>,
    /// The expressions of variables.
    pub(super) variables: BTreeMap<String, String>,
    /// Whether texts are replaced, because one could be a secret.
    pub(super) hides_texts: bool,
}

/// The reason why an expression has no translation.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Untranslatable {
    /// A function of Helm, and what to write instead.
    Function(String, &'static str),
    /// An object of Helm, and what to write instead.
    Object(String, &'static str),
    /// A function that neither language has.
    UnknownFunction(String),
    /// A variable that the template does not define.
    Variable(String),
    /// Anything else.
    Other,
}

type Translation = Result<String, Untranslatable>;

/// Translates expressions of a tag.
pub(super) struct Translator<'s> {
    pub(super) scope: &'s TagScope,
    /// The constructs that were replaced, in order.
    pub(super) seen: Vec<ConstructId>,
    /// Whether the tag may belong to another tool, which fills it in later.
    pub(super) may_be_literal: bool,
}

impl<'s> Translator<'s> {
    /// Creates a translator.
    pub(super) const fn new(scope: &'s TagScope) -> Self {
        Self { scope, seen: Vec::new(), may_be_literal: false }
    }

    fn note(&mut self, construct: ConstructId) {
        if !self.seen.contains(&construct) {
            self.seen.push(construct);
        }
    }

    /// Returns an expression as an argument, with a call in parentheses.
    pub(super) fn argument(&mut self, expression: &Expression<'_>) -> Translation {
        let text = self.expression(expression)?;
        let is_call =
            !matches!(expression, Expression::Name(_) | Expression::Number(_) | Expression::Text(_));
        Ok(if is_call { format!("({text})") } else { text })
    }

    /// Returns an expression as the content of a tag.
    pub(super) fn expression(&mut self, expression: &Expression<'_>) -> Translation {
        match expression {
            Expression::Call(name, arguments, named) => self.call(name, arguments, named),
            Expression::Field(value, fields) => {
                let value = self.argument(value)?;
                let mut steps = fields.split('.').filter(|step| !step.is_empty());
                let last = steps.next_back().ok_or(Untranslatable::Other)?;
                let inner = steps.fold(value, |inner, step| format!("(lookup {inner} \"{step}\")"));
                Ok(format!("lookup {inner} \"{last}\""))
            }
            Expression::Index(value, index) => {
                Ok(format!("lookup {} {}", self.argument(value)?, self.argument(index)?))
            }
            Expression::Name(name) => {
                let text = self.name(name)?;
                // The expression of a variable may be a call.
                let call = text.strip_prefix('(').and_then(|call| call.strip_suffix(')'));
                Ok(call.map_or_else(|| text.clone(), str::to_owned))
            }
            Expression::Number(number) => Ok((*number).to_owned()),
            Expression::Text(text) => self.text(text),
        }
    }

    fn text(&self, text: &str) -> Translation {
        let is_hidden = self.scope.hides_texts || text.len() > MAX_TEXT || text.contains("://");
        if is_hidden {
            return Ok("\"…\"".to_owned());
        }
        let Some(raw) = text.strip_prefix('`').and_then(|text| text.strip_suffix('`')) else {
            return Ok(text.to_owned());
        };
        serde_json::to_string(raw).map_err(|_| Untranslatable::Other)
    }

    fn call(
        &mut self,
        name: &str,
        arguments: &[Expression<'_>],
        named: &[(&str, Expression<'_>)],
    ) -> Translation {
        if helpers::arity(name).is_none() && table::function_advice(name).is_some() {
            self.note(ConstructId::Renamed);
        }
        match (name, arguments) {
            ("index", [value, steps @ ..]) if !steps.is_empty() => return self.index(value, steps),
            ("add1", [value]) => return Ok(format!("add {} 1", self.argument(value)?)),
            ("substr", [Expression::Number("0"), end, text]) => {
                return Ok(format!("trunc {} {}", self.argument(end)?, self.argument(text)?));
            }
            ("dig", [steps @ .., fallback, map]) if !steps.is_empty() => {
                return self.dig(steps, fallback, map);
            }
            ("has", [item, Expression::Call("list", items, _)]) if !items.is_empty() => {
                return Ok(format!("eq {} {}", self.argument(item)?, self.arguments(items)?));
            }
            ("print", [value]) => return Ok(format!("toString {}", self.argument(value)?)),
            ("print", values) if values.len() > 1 => {
                let format = format!("\"{}\"", "%v".repeat(values.len()));
                return Ok(format!("printf {format} {}", self.arguments(values)?));
            }
            _ => {}
        }
        if name == "lookup" && arguments.len() == 4 {
            return Err(Untranslatable::Function(name.to_owned(), table::CLUSTER_LOOKUP));
        }
        if name.starts_with(['.', '$']) {
            // A method of an object, such as `.Files.Get`.
            self.name(name)?;
            return Err(Untranslatable::Other);
        }
        let helper = helper_name(name).ok_or_else(|| untranslatable_function(name))?;
        let (least, most) = helpers::arity(helper).unwrap_or_default();
        if !(least..=most).contains(&arguments.len()) || !named.is_empty() {
            return Err(Untranslatable::Other);
        }
        if arguments.is_empty() {
            return Ok(helper.to_owned());
        }
        Ok(format!("{helper} {}", self.arguments(arguments)?))
    }

    fn arguments(&mut self, all: &[Expression<'_>]) -> Translation {
        let all: Result<Vec<String>, _> = all.iter().map(|argument| self.argument(argument)).collect();
        Ok(all?.join(" "))
    }

    fn index(&mut self, value: &Expression<'_>, steps: &[Expression<'_>]) -> Translation {
        let mut inner = self.argument(value)?;
        for (number, step) in steps.iter().enumerate() {
            let step = self.argument(step)?;
            inner = format!("lookup {inner} {step}");
            if number + 1 < steps.len() {
                inner = format!("({inner})");
            }
        }
        Ok(inner)
    }

    fn dig(
        &mut self,
        steps: &[Expression<'_>],
        fallback: &Expression<'_>,
        map: &Expression<'_>,
    ) -> Translation {
        let mut path = self.argument(map)?;
        for step in steps {
            let Expression::Text(step) = step else { return Err(Untranslatable::Other) };
            path = format!("{path}.{}", step.trim_matches(['"', '`']));
        }
        if path.starts_with('(')
            || !path.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@'))
        {
            return Err(Untranslatable::Other);
        }
        Ok(format!("default {} {path}", self.argument(fallback)?))
    }

    /// Translates a name of Helm; other names stay as they are.
    fn name(&mut self, name: &str) -> Translation {
        if let Some(rest) = name.strip_prefix('$') {
            return self.variable(name, rest);
        }
        let Some(rest) =
            name.strip_prefix('.').filter(|_| !name.starts_with("..") && !name.starts_with("./"))
        else {
            return match table::function_advice(name) {
                Some(advice) if name == "now" || name == "uuidv4" => {
                    Err(Untranslatable::Function(name.to_owned(), advice))
                }
                _ => Ok(name.to_owned()),
            };
        };
        self.note(ConstructId::Dot);
        if rest.is_empty() {
            return Ok("this".to_owned());
        }
        self.root_name(name, self.scope.depth > 0)
    }

    fn variable(&mut self, name: &str, rest: &str) -> Translation {
        self.note(ConstructId::Variable);
        if rest.is_empty() {
            return Ok(if self.scope.depth > 0 { "@root.values" } else { "values" }.to_owned());
        }
        if rest.starts_with('.') {
            let in_block = self.scope.depth > 0;
            return match self.root_name(rest, in_block)? {
                known if known.starts_with("@root.") || !in_block => Ok(known),
                other => Ok(format!("@root.{other}")),
            };
        }
        let (first, fields) =
            rest.split_once('.').map_or((rest, None), |(first, fields)| (first, Some(fields)));
        let with_fields = |start: &str| fields.map_or(start.to_owned(), |fields| format!("{start}.{fields}"));
        if self.scope.parameters.iter().any(|parameter| parameter == first) {
            return Ok(with_fields(first));
        }
        match self.scope.variables.get(first) {
            Some(expression) if !expression.starts_with('(') => Ok(with_fields(expression)),
            Some(expression) if fields.is_none() => Ok(expression.clone()),
            _ => {
                self.may_be_literal = true;
                Err(Untranslatable::Variable(name.to_owned()))
            }
        }
    }

    /// Translates a name with a leading dot. Within a block, names of Helm's objects need `@root`.
    fn root_name(&mut self, name: &str, in_block: bool) -> Translation {
        let at_root = |own: &str| if in_block { format!("@root.{own}") } else { own.to_owned() };
        if let Some((_, own)) = table::NAMES.iter().find(|(theirs, _)| *theirs == name) {
            return Ok(at_root(own));
        }
        if let Some(path) = name.strip_prefix(".Values") {
            let Some(path) = path.strip_prefix('.') else { return Ok(at_root(VALUES)) };
            let first = path.split('.').next().unwrap_or(path);
            let is_hidden = BUILT_IN_NAMES.contains(&first);
            return Ok(at_root(&if is_hidden { format!("{VALUES}.{path}") } else { path.to_owned() }));
        }
        let object = |(known, _): &&(&str, &str)| {
            name.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        if let Some((_, advice)) = table::OBJECTS.iter().find(object) {
            return Err(Untranslatable::Object(name.to_owned(), advice));
        }
        self.may_be_literal = true;
        Ok(name.trim_start_matches('.').to_owned())
    }
}

/// Returns the helper that does what a function of Helm does.
fn helper_name(name: &str) -> Option<&str> {
    if helpers::arity(name).is_some() {
        return Some(name);
    }
    Some(match name {
        "atoi" | "int64" | "toDecimal" => "int",
        "fromJsonArray" | "mustFromJson" => "fromJson",
        "fromYamlArray" => "fromYaml",
        "toRawJson" | "mustToRawJson" | "mustToJson" => "toJson",
        "toYamlPretty" | "mustToYaml" => "toYaml",
        "mustFirst" => "first",
        "mustLast" => "last",
        "mustToPrettyJson" => "toPrettyJson",
        "tuple" => "list",
        _ => return None,
    })
}

fn untranslatable_function(name: &str) -> Untranslatable {
    match table::function_advice(name).or_else(|| table::function_advice(name.strip_prefix("must")?)) {
        Some(advice) => Untranslatable::Function(name.to_owned(), advice),
        None => Untranslatable::UnknownFunction(name.to_owned()),
    }
}
