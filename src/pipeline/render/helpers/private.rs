//! The calls that the instrumentation puts into templates, and `lookup`, which has to say what it found.

use std::sync::Arc;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, PathAndJson, RenderContext, RenderError, RenderErrorReason,
    ScopedJson,
};
use serde_json::Value as Json;

use super::{behind, undefined};
use crate::pipeline::render::engine::State;
use crate::pipeline::render::errors::TemplateFault;
use crate::pipeline::render::instrument::{ENTER, LEAVE, MARK, PAY, PRICE_OF_MARK, PRINT};
use crate::pipeline::render::scope;

/// Makes them known to a registry.
pub(super) fn register(registry: &mut Handlebars<'static>, state: &Arc<State>) {
    for (name, role) in [
        ("lookup", Role::Lookup),
        (ENTER, Role::Enter),
        (LEAVE, Role::Leave),
        (MARK, Role::Mark),
        (PAY, Role::Pay),
        (PRINT, Role::Print),
    ] {
        registry.register_helper(name, Box::new(Private { role, state: Arc::clone(state) }));
    }
}

struct Private {
    role: Role,
    state: Arc<State>,
}

#[derive(Clone, Copy)]
enum Role {
    Enter,
    Leave,
    Lookup,
    Mark,
    Pay,
    Print,
}

impl HelperDef for Private {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        run: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        match self.role {
            Role::Enter => self.enter(helper, run)?,
            Role::Leave => self.state.leave(),
            Role::Lookup => return self.looked_up(helper, context),
            Role::Mark => self.mark(helper, context, run)?,
            Role::Pay => self.state.next(number(helper, 0), context, run)?,
            Role::Print => {
                let result = printed(helper)?;
                if let (Some(tracer), Some(param)) = (&self.state.tracer, helper.param(0)) {
                    tracer.print(behind(tracer, param, context, run));
                }
                return Ok(result);
            }
        }
        Ok(ScopedJson::Derived(Json::String(String::new())))
    }
}

impl Private {
    fn enter(&self, helper: &Helper<'_>, run: &mut RenderContext<'_, '_>) -> Result<(), TemplateFault> {
        self.state.charge(1)?;
        self.state.enter()?;
        if let Some(tracer) = &self.state.tracer {
            let made_of = tracer.take_made_of();
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
    ) -> Result<(), TemplateFault> {
        self.state.charge(1)?;
        let counts = helper.param(2).and_then(|param| param.value().as_bool()).unwrap_or(false);
        self.state.mark(number(helper, 0), number(helper, 1), counts);
        if helper.param(PRICE_OF_MARK).is_some_and(|price| !price.value().is_null()) {
            self.state.next(number(helper, PRICE_OF_MARK), context, run)?;
        }
        if let Some(tracer) = &self.state.tracer {
            let made_of = helper.params().get(PRICE_OF_MARK + 2..).unwrap_or_default();
            let made_of = tracer.scopes().made_of(made_of, context, run);
            tracer.mark(number(helper, PRICE_OF_MARK + 1), made_of);
        }
        Ok(())
    }

    /// `lookup collection key`, as the engine has it; it would not say what it found.
    fn looked_up<'rc>(
        &self,
        helper: &Helper<'rc>,
        context: &'rc Context,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let param =
            |index| helper.param(index).ok_or(RenderErrorReason::ParamNotFoundForIndex("lookup", index));
        let (collection, key) = (param(0)?, param(1)?.value());
        let found = match collection.value() {
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
            // What stands in the context is given on as such, and not copied here.
            self.state.pay_for_found(found)?;
            ScopedJson::Context(found, path)
        } else {
            self.state.pay_for_copy(found)?;
            ScopedJson::Derived(found.clone())
        };
        if let Some(tracer) = &self.state.tracer {
            let arguments = helper.params().iter().map(PathAndJson::value);
            tracer.made(arguments, result.as_json(), tracer.entry(found));
        }
        Ok(result)
    }
}

/// An argument that the instrumentation gives, which is a small number.
fn number(helper: &Helper<'_>, index: usize) -> usize {
    let number = helper.param(index).and_then(|param| param.value().as_u64()).unwrap_or(0);
    usize::try_from(number).unwrap_or(usize::MAX)
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
