//! What templates can call, with the names and the order of arguments that people know from Helm.
//!
//! A helper is a function of its arguments: no time, no randomness, no environment, no files. An argument that is not
//! defined is an error, except for the helpers that are about exactly that (`default`, `required`, `hasKey`, …).

mod data;
mod logic;
mod text;

use std::sync::Arc;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, JsonTruthy, RenderContext, RenderError, ScopedJson,
};
use serde_json::Value as Json;

use super::engine::State;
use super::errors::TemplateFault;
use super::instrument::{ENTER, LEAVE, MARK, PRINT};

/// Bytes of the arguments of one call, and of its result.
const MAX_BYTES: u64 = 8 << 20;

/// A function that templates can call.
struct Function {
    name: &'static str,
    /// How many arguments it takes, at least and at most.
    arity: (usize, usize),
    /// Whether arguments may be undefined.
    lenient: bool,
    run: Run,
}

type Run = fn(&Call<'_>) -> Result<Json, TemplateFault>;

const MANY: usize = usize::MAX;

const fn function(name: &'static str, arity: (usize, usize), run: Run) -> Function {
    Function { name, arity, lenient: false, run }
}

const fn lenient(name: &'static str, arity: (usize, usize), run: Run) -> Function {
    Function { lenient: true, ..function(name, arity, run) }
}

/// All of them, by name (in the order of bytes).
static FUNCTIONS: &[Function] = &[
    function("add", (2, MANY), logic::add),
    lenient("and", (1, MANY), logic::and),
    function("b64dec", (1, 1), text::b64dec),
    function("b64enc", (1, 1), text::b64enc),
    function("cat", (1, MANY), text::cat),
    lenient("coalesce", (1, MANY), logic::coalesce),
    function("contains", (2, 2), text::contains),
    lenient("default", (2, 2), logic::default),
    function("dict", (0, MANY), data::dict),
    function("div", (2, 2), logic::div),
    lenient("empty", (1, 1), logic::empty),
    function("eq", (2, MANY), logic::eq),
    function("fail", (1, 1), logic::fail),
    function("first", (1, 1), data::first),
    function("fromJson", (1, 1), data::from_json),
    function("fromYaml", (1, 1), data::from_yaml),
    function("ge", (2, 2), logic::ge),
    function("get", (2, 2), data::get),
    function("gt", (2, 2), logic::gt),
    function("gte", (2, 2), logic::ge),
    lenient("hasKey", (2, 2), data::has_key),
    function("hasPrefix", (2, 2), text::has_prefix),
    function("hasSuffix", (2, 2), text::has_suffix),
    function("indent", (2, 2), text::indent),
    function("int", (1, 1), logic::int),
    function("join", (2, 2), data::join),
    function("keys", (1, 1), data::keys),
    function("last", (1, 1), data::last),
    function("le", (2, 2), logic::le),
    function("len", (1, 1), data::len),
    function("list", (0, MANY), data::list),
    function("lower", (1, 1), text::lower),
    function("lt", (2, 2), logic::lt),
    function("lte", (2, 2), logic::le),
    function("mod", (2, 2), logic::modulo),
    function("mul", (2, MANY), logic::mul),
    function("ne", (2, 2), logic::ne),
    function("nindent", (2, 2), text::nindent),
    lenient("not", (1, 1), logic::not),
    lenient("or", (1, MANY), logic::or),
    function("printf", (1, MANY), text::printf),
    function("quote", (1, MANY), text::quote),
    function("repeat", (2, 2), text::repeat),
    function("replace", (3, 3), text::replace),
    lenient("required", (2, 2), logic::required),
    function("sortAlpha", (1, 1), data::sort_alpha),
    function("split", (2, 2), data::split),
    function("splitList", (2, 2), data::split),
    function("squote", (1, MANY), text::squote),
    function("sub", (2, 2), logic::sub),
    function("ternary", (3, 3), logic::ternary),
    function("toJson", (1, 1), data::to_json),
    function("toPrettyJson", (1, 1), data::to_pretty_json),
    function("toString", (1, 1), text::to_string),
    function("toYaml", (1, 1), data::to_yaml),
    function("trim", (1, 1), text::trim),
    function("trimPrefix", (2, 2), text::trim_prefix),
    function("trimSuffix", (2, 2), text::trim_suffix),
    function("trunc", (2, 2), text::trunc),
    function("upper", (1, 1), text::upper),
];

/// Names of the helpers beside the engine's own, sorted.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|function| function.name)
}

/// Whether there is such a helper.
pub(super) fn is_helper(name: &str) -> bool {
    FUNCTIONS.binary_search_by(|function| function.name.cmp(name)).is_ok()
        || ["each", "if", "lookup", "raw", "unless", "with"].contains(&name)
}

/// Makes the helpers known to a registry. Those of the engine with the same names go: they see neither undefined
/// arguments nor bounds.
pub(super) fn register(registry: &mut Handlebars<'static>, state: &Arc<State>) {
    for function in FUNCTIONS {
        registry.register_helper(function.name, Box::new(Guarded { function, state: Arc::clone(state) }));
    }
    for (name, role) in [(ENTER, Role::Enter), (LEAVE, Role::Leave), (MARK, Role::Mark), (PRINT, Role::Print)]
    {
        registry.register_helper(name, Box::new(Private { role, state: Arc::clone(state) }));
    }
}

/// The arguments of a call.
pub(super) struct Call<'a> {
    name: &'static str,
    arguments: Vec<&'a Json>,
}

impl<'a> Call<'a> {
    /// An argument, counted from 0; the arity was checked.
    fn value(&self, index: usize) -> &'a Json {
        self.arguments.get(index).copied().unwrap_or(&Json::Null)
    }

    fn values(&self) -> &[&'a Json] {
        &self.arguments
    }

    fn wrong(&self, index: usize, reason: &'static str) -> TemplateFault {
        TemplateFault::Argument { helper: self.name, index: index.saturating_add(1), reason }
    }

    /// An argument as text: scalars as they are printed, null as nothing.
    fn text(&self, index: usize) -> Result<String, TemplateFault> {
        text_of(self.value(index)).ok_or_else(|| self.wrong(index, "it is not a scalar"))
    }

    fn integer(&self, index: usize) -> Result<i64, TemplateFault> {
        let value = self.value(index);
        value
            .as_i64()
            .or_else(|| value.as_str()?.trim().parse().ok())
            .ok_or_else(|| self.wrong(index, "it is not an integer"))
    }

    /// A small count, for widths and repetitions.
    fn count(&self, index: usize) -> Result<usize, TemplateFault> {
        usize::try_from(self.integer(index)?).map_err(|_| self.wrong(index, "it is negative"))
    }

    fn list(&self, index: usize) -> Result<&'a [Json], TemplateFault> {
        self.value(index).as_array().map(Vec::as_slice).ok_or_else(|| self.wrong(index, "it is not a list"))
    }

    fn object(&self, index: usize) -> Result<&'a serde_json::Map<String, Json>, TemplateFault> {
        self.value(index).as_object().ok_or_else(|| self.wrong(index, "it is not an object"))
    }

    /// Refuses a result before it is made.
    fn room(&self, bytes: usize) -> Result<(), TemplateFault> {
        if bytes as u64 > MAX_BYTES { Err(TemplateFault::Result(self.name)) } else { Ok(()) }
    }
}

/// A scalar as it is printed.
fn text_of(value: &Json) -> Option<String> {
    match value {
        Json::Array(_) | Json::Object(_) => None,
        Json::Bool(flag) => Some(flag.to_string()),
        Json::Null => Some(String::new()),
        Json::Number(number) => Some(number.to_string()),
        Json::String(text) => Some(text.clone()),
    }
}

/// What Helm calls empty: nothing, false, zero, and what holds nothing.
fn is_empty(value: &Json) -> bool {
    match value {
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.is_empty(),
        other => !other.is_truthy(false),
    }
}

/// Bytes of a value, roughly. Its depth is bounded by the readers.
pub(super) fn size_of(value: &Json) -> u64 {
    match value {
        Json::Array(items) => items.iter().map(size_of).fold(16, u64::saturating_add),
        Json::Object(fields) => fields
            .iter()
            .map(|(key, field)| size_of(field).saturating_add(key.len() as u64))
            .fold(16, u64::saturating_add),
        Json::String(text) => (text.len() as u64).saturating_add(16),
        Json::Bool(_) | Json::Null | Json::Number(_) => 16,
    }
}

struct Guarded {
    function: &'static Function,
    state: Arc<State>,
}

impl HelperDef for Guarded {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let Function { name, arity: (least, most), lenient, run } = *self.function;
        if helper.is_block() {
            return Err(TemplateFault::Block(name).into());
        }
        let count = helper.params().len();
        if count < least || count > most || !helper.hash().is_empty() {
            return Err(TemplateFault::Arity { helper: name, wanted: wanted(least, most) }.into());
        }
        if let Some(missing) = helper.params().iter().find(|param| !lenient && param.is_value_missing()) {
            return Err(undefined(missing.relative_path()).into());
        }
        let arguments: Vec<&Json> = helper.params().iter().map(handlebars::PathAndJson::value).collect();
        let bytes = arguments.iter().map(|value| size_of(value)).fold(0, u64::saturating_add);
        self.state.charge(1 + bytes / 64)?;
        let call = Call { name, arguments };
        if bytes > MAX_BYTES {
            return Err(TemplateFault::Result(name).into());
        }
        let result = run(&call).map_err(|fault| match fault {
            // The name of what is missing is known here only.
            TemplateFault::Fail(message) if name == "required" && message.is_empty() => {
                undefined(helper.param(1).and_then(|param| param.relative_path()))
            }
            other => other,
        })?;
        let bytes = size_of(&result);
        if bytes > MAX_BYTES {
            return Err(TemplateFault::Result(name).into());
        }
        self.state.charge(bytes / 64)?;
        Ok(ScopedJson::Derived(result))
    }
}

fn wanted(least: usize, most: usize) -> String {
    let plural = if most == 1 { "" } else { "s" };
    match most {
        MANY => format!("at least {least} arguments, and none by name"),
        _ if least == most => format!("{most} argument{plural}, and none by name"),
        _ => format!("{least} to {most} arguments, and none by name"),
    }
}

fn undefined(path: Option<&String>) -> TemplateFault {
    TemplateFault::Undefined { path: path.cloned().unwrap_or_else(|| "this".to_owned()), closest: None }
}

/// The calls that the instrumentation puts into templates.
struct Private {
    role: Role,
    state: Arc<State>,
}

enum Role {
    Enter,
    Leave,
    Mark,
    Print,
}

impl HelperDef for Private {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let number = |index| helper.param(index).and_then(|param| param.value().as_u64()).unwrap_or(0);
        let index = |at| usize::try_from(number(at)).unwrap_or(usize::MAX);
        match self.role {
            Role::Enter => {
                self.state.charge(number(0))?;
                self.state.enter()?;
            }
            Role::Leave => self.state.leave(),
            Role::Mark => {
                self.state.charge(1)?;
                let counts = helper.param(2).and_then(|param| param.value().as_bool()).unwrap_or(false);
                self.state.mark(index(0), index(1), counts);
            }
            Role::Print => return printed(helper),
        }
        Ok(ScopedJson::Derived(Json::String(String::new())))
    }
}

fn printed<'rc>(helper: &Helper<'rc>) -> Result<ScopedJson<'rc>, RenderError> {
    let Some(param) = helper.param(0) else {
        return Err(undefined(None).into());
    };
    if param.is_value_missing() {
        return Err(undefined(param.relative_path()).into());
    }
    let kind = match param.value() {
        Json::Array(_) => "array",
        Json::Object(_) => "object",
        scalar => return Ok(ScopedJson::Derived(scalar.clone())),
    };
    let path = param.relative_path().cloned().unwrap_or_else(|| "this".to_owned());
    Err(TemplateFault::Type { path, kind }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(names().zip(names().skip(1)).all(|(a, b)| a < b));
    }
}
