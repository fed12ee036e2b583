//! The calls that the instrumentation inserts into templates, and `lookup`, which must record what it found.
//!
//! Arguments of blocks and partials pass through here. The engine sees the values that YAML reads where it decides, and
//! the original values with their paths in the context where it passes them on.

use std::sync::Arc;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, PathAndJson, RenderContext, RenderError, RenderErrorReason,
    ScopedJson,
};
use serde_json::Value as Json;

use super::argument::{check_defined, find_traced_value, undefined_fault};
use super::call::{is_empty, line_writer};
use crate::render::fault::RenderFault;
use crate::render::price::{
    CopyCounts, ENTERED, INCLUDED, INCLUDED_WITH_NAMES, LOOPED_OVER, NAMED, ValueLocation,
};
use crate::render::private_names::{
    BASE, CONTEXT, ENTER, GIVEN, ITEMS, LEAVE, MARK, MERGED, PAY, PRICE_OF_MARK, PRINT, TEST,
};
use crate::render::state::RenderState;
use crate::render::{scope, spelling};

/// Registers the private helpers.
pub(super) fn register(registry: &mut Handlebars<'static>, state: &Arc<RenderState>) {
    for (name, role) in [
        ("lookup", PrivateKind::Lookup),
        (BASE, PrivateKind::Base),
        (CONTEXT, PrivateKind::Context),
        (ENTER, PrivateKind::Enter),
        (GIVEN, PrivateKind::Given),
        (ITEMS, PrivateKind::Items),
        (LEAVE, PrivateKind::Leave),
        (MARK, PrivateKind::Mark),
        (MERGED, PrivateKind::Merged),
        (PAY, PrivateKind::Pay),
        (PRINT, PrivateKind::Print),
        (TEST, PrivateKind::Test),
    ] {
        registry.register_helper(name, Box::new(PrivateHelper { role, state: Arc::clone(state) }));
    }
}

struct PrivateHelper {
    role: PrivateKind,
    state: Arc<RenderState>,
}

#[derive(Clone, Copy)]
enum PrivateKind {
    /// The context of `with`; nothing if it is empty.
    Base,
    /// The context of a partial; it stays undefined if it is undefined.
    Context,
    Enter,
    /// A named argument of a partial; it stays undefined if it is undefined.
    Given,
    /// The collection of a loop.
    Items,
    Leave,
    Lookup,
    Mark,
    /// The context of a partial that also gets named arguments.
    Merged,
    Pay,
    Print,
    /// The condition of a block.
    Test,
}

impl PrivateKind {
    /// Returns how often the engine copies the argument.
    const fn times(self) -> &'static CopyCounts {
        match self {
            Self::Base => &ENTERED,
            Self::Given => &NAMED,
            Self::Items => &LOOPED_OVER,
            Self::Merged => &INCLUDED_WITH_NAMES,
            _ => &INCLUDED,
        }
    }
}

impl HelperDef for PrivateHelper {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        run: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        match self.role {
            PrivateKind::Base
            | PrivateKind::Context
            | PrivateKind::Given
            | PrivateKind::Items
            | PrivateKind::Merged
            | PrivateKind::Test => {
                return self.argument(helper, context);
            }
            PrivateKind::Enter => self.enter(helper, run)?,
            PrivateKind::Leave => self.state.leave(),
            PrivateKind::Lookup => return self.lookup(helper, context),
            PrivateKind::Mark => self.mark(helper, context, run)?,
            PrivateKind::Pay => self.state.pay_for_element(number_argument(helper, 0), context, run)?,
            PrivateKind::Print => {
                let result = printable_text(helper)?;
                self.check_lines(helper, &result)?;
                // A call recorded the provenance of its result itself.
                if let (Some(tracer), [param]) = (&self.state.tracer, helper.params().as_slice()) {
                    tracer.print(find_traced_value(tracer, param, context, run));
                }
                return Ok(result);
            }
        }
        Ok(ScopedJson::Derived(Json::String(String::new())))
    }
}

impl PrivateHelper {
    /// Refuses several lines of `toYaml` or `file` within a line of the output: only the first one would be indented.
    fn check_lines(&self, helper: &Helper<'_>, result: &ScopedJson<'_>) -> Result<(), RenderFault> {
        let writer = helper.param(2).and_then(|param| line_writer(param.value().as_str()?));
        let text = result.as_json().as_str().filter(|_| self.state.is_in_line());
        match (writer, text) {
            (Some(helper), Some(text)) if has_lines(text) => Err(RenderFault::Lines { helper, hint: None }),
            _ => Ok(()),
        }
    }

    fn enter(&self, helper: &Helper<'_>, run: &mut RenderContext<'_, '_>) -> Result<(), RenderFault> {
        self.state.charge(1)?;
        self.state.enter()?;
        if let Some(tracer) = &self.state.tracer {
            let made_of = tracer.take_scope_source();
            if let [_, is_each, item, key] = helper.params().as_slice() {
                let names = [item.value(), key.value()];
                tracer.scopes().enter(run, made_of, is_each.value() == true, names);
            }
        }
        Ok(())
    }

    fn mark<'rc>(
        &self,
        helper: &Helper<'rc>,
        context: &'rc Context,
        run: &mut RenderContext<'_, 'rc>,
    ) -> Result<(), RenderFault> {
        self.state.charge(1)?;
        let counts = helper.param(2).and_then(|param| param.value().as_bool()).unwrap_or(false);
        self.state.mark(number_argument(helper, 0), number_argument(helper, 1), counts);
        if helper.param(PRICE_OF_MARK).is_some_and(|price| !price.value().is_null()) {
            self.state.pay_for_element(number_argument(helper, PRICE_OF_MARK), context, run)?;
        }
        if let Some(tracer) = &self.state.tracer {
            let made_of = helper.params().get(PRICE_OF_MARK + 2..).unwrap_or_default();
            let made_of = tracer.scopes().find_source(made_of, context, run);
            tracer.mark(number_argument(helper, PRICE_OF_MARK + 1), made_of);
        }
        Ok(())
    }

    /// Passes on the argument of a block or a partial.
    fn argument<'rc>(
        &self,
        helper: &Helper<'rc>,
        context: &'rc Context,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let param = helper.param(0).ok_or_else(|| undefined_fault(None))?;
        let value = param.value();
        let read = spelling::read_value(value);
        let is_scalar = !read.is_array() && !read.is_object();
        Ok(match self.role {
            // `includeZero` needs only the number, so nothing else is copied.
            PrivateKind::Test if read.is_number() => ScopedJson::Derived(read.clone()),
            PrivateKind::Test => ScopedJson::Derived((!is_empty(read)).into()),
            PrivateKind::Items if is_scalar && is_empty(read) => ScopedJson::Derived(Json::Array(Vec::new())),
            PrivateKind::Items if is_scalar => return Err(not_items_fault(param).into()),
            PrivateKind::Base if is_scalar && is_empty(read) => ScopedJson::Derived(read.clone()),
            PrivateKind::Merged if is_scalar => self.copy(read, &INCLUDED_WITH_NAMES)?,
            PrivateKind::Context | PrivateKind::Given if param.is_value_missing() => {
                let undefined = spelling::undefined(param.relative_path().map_or("this", String::as_str));
                self.state.pay_for_argument(&undefined, ValueLocation::Copy, self.role.times())?;
                ScopedJson::Derived(undefined)
            }
            role => self.pass_on(param, role.times(), context)?,
        })
    }

    /// Passes on an argument unchanged, with its path in the context if it has one.
    fn pass_on<'rc>(
        &self,
        param: &PathAndJson<'rc>,
        times: &CopyCounts,
        context: &'rc Context,
    ) -> Result<ScopedJson<'rc>, RenderFault> {
        if let Some(constant) = param.try_get_constant_value() {
            self.state.pay_for_argument(constant, ValueLocation::Template, times)?;
            return Ok(ScopedJson::Constant(constant));
        }
        let path = param.context_path().cloned();
        if let Some((value, path)) = path.and_then(|path| Some((scope::navigate(context, &path)?, path))) {
            self.state.pay_for_argument(value, ValueLocation::Context, times)?;
            return Ok(ScopedJson::Context(value, path));
        }
        self.copy(param.value(), times)
    }

    /// Copies a value after charging for it.
    fn copy<'rc>(&self, value: &Json, times: &CopyCounts) -> Result<ScopedJson<'rc>, RenderFault> {
        self.state.pay_for_argument(value, ValueLocation::Copy, times)?;
        Ok(ScopedJson::Derived(value.clone()))
    }

    /// Implements `lookup collection key` like the engine, which would not record what it found.
    fn lookup<'rc>(
        &self,
        helper: &Helper<'rc>,
        context: &'rc Context,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let param =
            |index| helper.param(index).ok_or(RenderErrorReason::ParamNotFoundForIndex("lookup", index));
        let (collection, key) = (param(0)?, param(1)?);
        check_defined(collection)?;
        check_defined(key)?;
        let key = spelling::read_value(key.value());
        let found = match spelling::read_value(collection.value()) {
            Json::Array(items) => key.as_u64().and_then(|index| items.get(usize::try_from(index).ok()?)),
            Json::Object(fields) => key.as_str().and_then(|key| fields.get(key)),
            _ => None,
        };
        let found = found.ok_or(RenderErrorReason::MissingVariable(None))?;
        let path = collection.context_path().map(|path| {
            let step = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
            path.iter().cloned().chain([step]).collect::<Vec<_>>()
        });
        let known = path.and_then(|path| Some((scope::navigate(context, &path)?, path)));
        let result = if let Some((found, path)) = known {
            // A value in the context is passed on with its path instead of being copied.
            ScopedJson::Context(found, path)
        } else {
            self.state.pay_for_copy(found)?;
            ScopedJson::Derived(found.clone())
        };
        if let Some(tracer) = &self.state.tracer {
            let arguments = helper.params().iter().map(PathAndJson::value);
            tracer.record_result(arguments, result.as_json(), tracer.entry(found));
        }
        Ok(result)
    }
}

/// Returns a numeric argument that the instrumentation inserted.
fn number_argument(helper: &Helper<'_>, index: usize) -> usize {
    let number_argument = helper.param(index).and_then(|param| param.value().as_u64()).unwrap_or(0);
    usize::try_from(number_argument).unwrap_or(usize::MAX)
}

fn printable_text<'rc>(helper: &Helper<'rc>) -> Result<ScopedJson<'rc>, RenderError> {
    let param = helper.param(0).ok_or_else(|| undefined_fault(None))?;
    check_defined(param)?;
    if let Some(text) = spelling::text(param.value()) {
        return Ok(ScopedJson::Derived(text.into()));
    }
    let kind = kind_of(param.value());
    Err(match helper.param(1).and_then(|helper| helper.value().as_str()) {
        Some(helper) => RenderFault::ResultType { helper: helper.to_owned(), kind },
        None => RenderFault::Type { path: path_of(param), kind },
    }
    .into())
}

/// Reports whether YAML of a list or a mapping has several lines. The lines of a text may be indented by its key.
fn has_lines(yaml: &str) -> bool {
    let first = yaml.trim_start();
    let mut lines = first.lines().filter(|line| !line.trim().is_empty());
    !first.starts_with(['|', '>']) && lines.nth(1).is_some()
}

fn not_items_fault(param: &PathAndJson<'_>) -> RenderFault {
    RenderFault::Items { path: path_of(param), kind: kind_of(spelling::read_value(param.value())) }
}

fn path_of(param: &PathAndJson<'_>) -> String {
    param.relative_path().cloned().unwrap_or_else(|| "this".to_owned())
}

const fn kind_of(value: &Json) -> &'static str {
    match value {
        Json::Array(_) => "array",
        Json::Bool(_) => "boolean",
        Json::Null => "null",
        Json::Number(_) => "number",
        Json::Object(_) => "object",
        Json::String(_) => "string",
    }
}
