//! Which entry of the values an argument is, where the engine has lost sight of it.
//!
//! The engine knows the path of a value that stands in the context. A partial gets a copy of its context, though, and what
//! a block makes of a copy is one too. So whoever enters a partial or a block notes in it, as a local variable, what the
//! copy was made of. A name is then followed as the engine follows it; and what is found counts only where it equals what
//! the engine has.

use std::collections::VecDeque;

use handlebars::{
    BlockContext, BlockParamHolder, Context, Helper, Path, PathAndJson, PathSeg, RenderContext,
};
use serde_json::{Value as Json, json};

use super::instrument::{EACH, SCOPE};

/// Where an argument stands in the context.
pub(super) struct Found<'rc> {
    pub(super) value: &'rc Json,
    /// Whether it is the key of that value.
    pub(super) is_key: bool,
}

/// What the next partial or block is made of.
pub(super) type Pending = Json;

type Blocks<'rc> = VecDeque<BlockContext<'rc>>;

/// Lets something look at the blocks, the innermost first.
fn with_blocks<'rc, T>(run: &mut RenderContext<'_, 'rc>, look: impl FnOnce(&mut Blocks<'rc>) -> T) -> T {
    let mut blocks = run.replace_blocks(VecDeque::new());
    let result = look(&mut blocks);
    run.replace_blocks(blocks);
    result
}

/// Notes what a partial or a block will be made of: its context, and what it is given by name.
pub(super) fn pending<'rc>(
    helper: &Helper<'rc>,
    context: &PathAndJson<'rc>,
    root: &'rc Context,
    run: &mut RenderContext<'_, 'rc>,
) -> Pending {
    with_blocks(run, |blocks| {
        let path = |param: &PathAndJson<'rc>| path_of(param, root, blocks);
        let names: serde_json::Map<String, Json> = helper
            .hash()
            .iter()
            .filter_map(|(name, param)| Some(((*name).to_owned(), path(param)?.into())))
            .collect();
        json!({"base": path(context), "names": names})
    })
}

/// Notes in a block that was just entered what it is made of; `item` and `key` are the names that it gives.
pub(super) fn enter(
    run: &mut RenderContext<'_, '_>,
    pending: Option<Pending>,
    is_each: bool,
    item: &Json,
    key: &Json,
) {
    with_blocks(run, |blocks| {
        let depth = blocks.len();
        let Some(block) = blocks.front_mut() else { return };
        // Each item is entered, in one block.
        if own_scope(block, depth).is_some_and(|scope| scope["each"] == true) && is_each {
            return;
        }
        let Some(mut scope) = pending else { return };
        scope["depth"] = depth.into();
        scope["each"] = is_each.into();
        scope["item"] = item.clone();
        scope["key"] = key.clone();
        block.set_local_var(SCOPE, scope);
        if is_each {
            block.set_local_var(EACH, depth.into());
        }
    });
}

/// Finds an argument in the context.
pub(super) fn find<'rc>(
    param: &PathAndJson<'rc>,
    root: &'rc Context,
    run: &mut RenderContext<'_, 'rc>,
) -> Option<Found<'rc>> {
    if param.is_value_missing() || param.try_get_constant_value().is_some() {
        return None;
    }
    let name = param.relative_path()?;
    with_blocks(run, |blocks| {
        if name == "@key" {
            return key_at(&loop_at(blocks)?, param.value(), root);
        }
        match path_of(param, root, blocks) {
            Some(path) => Some(Found { value: navigate(root, &path)?, is_key: false }),
            None => key_at(&named_key(name, blocks)?, param.value(), root),
        }
    })
}

/// The path of an argument, which stands there as the engine has it.
fn path_of(param: &PathAndJson<'_>, root: &Context, blocks: &Blocks<'_>) -> Option<Vec<String>> {
    if let Some(path) = param.context_path() {
        return Some(path.clone());
    }
    let path = followed(param.relative_path()?, blocks)?;
    (navigate(root, &path)? == param.value()).then_some(path)
}

/// What stands at a path of the context.
pub(super) fn navigate<'rc>(root: &'rc Context, path: &[String]) -> Option<&'rc Json> {
    path.iter().try_fold(root.data(), |node, step| match node {
        Json::Array(items) => items.get(step.parse::<usize>().ok()?),
        Json::Object(fields) => fields.get(step),
        _ => None,
    })
}

/// How many steps up a name goes, and its parts; none for local variables.
fn parts(name: &str) -> Option<(usize, Vec<String>)> {
    let Ok(Path::Relative((steps, _))) = Path::parse(name) else { return None };
    let up = steps.iter().take_while(|step| !matches!(step, PathSeg::Named(_))).count();
    let named = |step: PathSeg| match step {
        PathSeg::Named(name) => Some(name),
        _ => None,
    };
    (!name.contains("@root")).then(|| (up, steps.into_iter().filter_map(named).collect()))
}

/// The path that a name means, the way the engine follows it: a block's parameter of that name, wherever it is; else what
/// the block has that is as far up.
fn followed(name: &str, blocks: &Blocks<'_>) -> Option<Vec<String>> {
    let (up, parts) = parts(name)?;
    let joined = |mut path: Vec<String>, rest: &[String]| {
        path.extend_from_slice(rest);
        path
    };
    if let Some((first, rest)) = parts.split_first()
        && let Some((at, block, holder)) = holder_of(first, blocks)
    {
        return match holder {
            BlockParamHolder::Path(path) => Some(joined(joined(block.base_path().clone(), path), rest)),
            BlockParamHolder::Value(_) => {
                let depth = blocks.len() - at;
                let scope = own_scope(block, depth)?;
                let path = if scope["item"] == first.as_str() {
                    base(block, depth)
                } else {
                    steps(scope["names"].get(first)?)
                };
                Some(joined(path?, rest))
            }
        };
    }
    let at = if up < blocks.len() { up } else { 0 };
    Some(joined(base(blocks.get(at)?, blocks.len() - at)?, &parts))
}

fn holder_of<'b, 'rc>(
    name: &str,
    blocks: &'b Blocks<'rc>,
) -> Option<(usize, &'b BlockContext<'rc>, &'b BlockParamHolder)> {
    blocks.iter().enumerate().find_map(|(at, block)| Some((at, block, block.get_block_param(name)?)))
}

/// The path of what a block is about.
fn base(block: &BlockContext<'_>, depth: usize) -> Option<Vec<String>> {
    if block.base_value().is_none() {
        return Some(block.base_path().clone());
    }
    let scope = own_scope(block, depth)?;
    let mut path = steps(&scope["base"])?;
    if scope["each"] == true {
        let step = block.get_local_var("key").or_else(|| block.get_local_var("index"))?;
        path.push(step.as_str().map_or_else(|| step.to_string(), str::to_owned));
    }
    Some(path)
}

/// What was noted in a block. Blocks hand their local variables on to those within, which have notes of their own or none;
/// so a note says how deep its block is.
fn own_scope<'b>(block: &'b BlockContext<'_>, depth: usize) -> Option<&'b Json> {
    block.get_local_var(SCOPE).filter(|scope| scope["depth"] == depth)
}

/// What the loop is at whose `@key` is at hand.
fn loop_at(blocks: &Blocks<'_>) -> Option<Vec<String>> {
    let depth = usize::try_from(blocks.front()?.get_local_var(EACH)?.as_u64()?).ok()?;
    base(blocks.get(blocks.len().checked_sub(depth)?)?, depth)
}

/// For the second parameter of a loop: what the loop is at.
fn named_key(name: &str, blocks: &Blocks<'_>) -> Option<Vec<String>> {
    let (at, block, holder) = holder_of(name, blocks)?;
    let depth = blocks.len() - at;
    let is_key = matches!(holder, BlockParamHolder::Value(_)) && own_scope(block, depth)?["key"] == name;
    is_key.then(|| base(block, depth))?
}

/// The entry of a mapping at a path, where its key is this one.
fn key_at<'rc>(path: &[String], key: &Json, root: &'rc Context) -> Option<Found<'rc>> {
    let (last, parent) = path.split_last()?;
    let is_entry = navigate(root, parent)?.is_object() && key.as_str() == Some(last.as_str());
    let value = navigate(root, path)?;
    is_entry.then_some(Found { value, is_key: true })
}

fn steps(path: &Json) -> Option<Vec<String>> {
    path.as_array()?.iter().map(|step| step.as_str().map(str::to_owned)).collect()
}
