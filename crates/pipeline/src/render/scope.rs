//! Which entry of the values an argument is, where the engine has lost sight of it.
//!
//! The engine knows the path of a value that stands in the context. A partial gets a copy of its context, though, and what
//! a block makes of a copy is one too. So whoever enters a partial or a block notes what the copy was made of, and puts the
//! number of the note into the block, as a local variable. A name is then followed as the engine follows it; and what is
//! found counts only where it equals what the engine has.

use std::collections::{BTreeMap, VecDeque};

use handlebars::{BlockContext, BlockParamHolder, Context, Path, PathAndJson, PathSeg, RenderContext};
use serde_json::Value as Json;

use super::instrument::{EACH, SCOPE};
use super::price::Blocks;

/// Where an argument stands in the context.
pub struct Found<'rc> {
    pub(super) value: &'rc Json,
    /// Whether it is the key of that value.
    pub(super) is_key: bool,
}

/// What a partial or a block is made of.
#[derive(Debug, Default)]
pub(super) struct MadeOf {
    /// The path of its context; of a loop, that of the list or the mapping.
    base: Option<Vec<String>>,
    /// The paths of what it is given by name.
    names: BTreeMap<String, Vec<String>>,
}

/// The note of a block.
#[derive(Debug)]
struct Scope {
    number: u64,
    /// How many blocks there are with it and around it.
    depth: usize,
    made_of: MadeOf,
    is_each: bool,
    item: Option<String>,
    key: Option<String>,
}

/// The notes of the blocks that are open, the innermost last.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    open: Vec<Scope>,
    count: u64,
}

/// Lets something look at the blocks, the innermost first.
pub(super) fn with_blocks<'rc, T>(
    run: &mut RenderContext<'_, 'rc>,
    look: impl FnOnce(&mut Blocks<'rc>) -> T,
) -> T {
    let mut blocks = run.replace_blocks(VecDeque::new());
    let result = look(&mut blocks);
    run.replace_blocks(blocks);
    result
}

impl Scopes {
    /// What a partial or a block will be made of: its context; and behind that, name by name, what it is given.
    pub(super) fn made_of<'rc>(
        &self,
        arguments: &[PathAndJson<'rc>],
        root: &'rc Context,
        run: &mut RenderContext<'_, 'rc>,
    ) -> Option<MadeOf> {
        let (context, names) = arguments.split_first()?;
        Some(with_blocks(run, |blocks| {
            let given = names.chunks(2).filter_map(|pair| {
                let [name, value] = pair else { return None };
                Some((name.value().as_str()?.to_owned(), self.path_of(value, root, blocks)?))
            });
            MadeOf { base: self.path_of(context, root, blocks), names: given.collect() }
        }))
    }

    /// Notes what a block is made of that was just entered; `item` and `key` are the names that it gives.
    pub(super) fn enter(
        &mut self,
        run: &mut RenderContext<'_, '_>,
        made_of: Option<MadeOf>,
        is_each: bool,
        [item, key]: [&Json; 2],
    ) {
        with_blocks(run, |blocks| {
            let depth = blocks.len();
            let (Some(block), Some(made_of)) = (blocks.front_mut(), made_of) else { return };
            // Those that are as deep are closed by now.
            self.open.retain(|scope| scope.depth < depth);
            self.count = self.count.saturating_add(1);
            let name = |name: &Json| name.as_str().map(str::to_owned);
            let (item, key) = (name(item), name(key));
            self.open.push(Scope { number: self.count, depth, made_of, is_each, item, key });
            block.set_local_var(SCOPE, self.count.into());
            if is_each {
                block.set_local_var(EACH, depth.into());
            }
        });
    }

    /// Finds an argument in the context.
    pub(super) fn find<'rc>(
        &self,
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
                return key_at(&self.loop_at(blocks)?, param.value(), root);
            }
            match self.path_of(param, root, blocks) {
                Some(path) => Some(Found { value: navigate(root, &path)?, is_key: false }),
                None => key_at(&self.named_key(name, blocks)?, param.value(), root),
            }
        })
    }

    /// The path of an argument, which stands there as the engine has it.
    fn path_of(&self, param: &PathAndJson<'_>, root: &Context, blocks: &Blocks<'_>) -> Option<Vec<String>> {
        if let Some(path) = param.context_path() {
            return Some(path.clone());
        }
        let path = self.followed(param.relative_path()?, blocks)?;
        (navigate(root, &path)? == param.value()).then_some(path)
    }

    /// The path that a name means, the way the engine follows it: a block's parameter of that name, wherever it is; else
    /// what the block has that is as far up.
    fn followed(&self, name: &str, blocks: &Blocks<'_>) -> Option<Vec<String>> {
        let (up, parts) = parts(name)?;
        if let Some((first, rest)) = parts.split_first()
            && let Some((at, block, holder)) = holder_of(first, blocks)
        {
            let mut path = match holder {
                BlockParamHolder::Path(path) => [block.base_path().as_slice(), path].concat(),
                BlockParamHolder::Value(_) => self.parameter(first, block, blocks.len() - at)?,
            };
            path.extend_from_slice(rest);
            return Some(path);
        }
        let at = if up < blocks.len() { up } else { 0 };
        let mut path = self.base(blocks.get(at)?, blocks.len() - at)?;
        path.extend(parts);
        Some(path)
    }

    /// The path of what a block gives by name.
    fn parameter(&self, name: &str, block: &BlockContext<'_>, depth: usize) -> Option<Vec<String>> {
        let scope = self.scope(block, depth)?;
        if scope.item.as_deref() == Some(name) {
            return self.base(block, depth);
        }
        scope.made_of.names.get(name).cloned()
    }

    /// The path of what a block is about.
    fn base(&self, block: &BlockContext<'_>, depth: usize) -> Option<Vec<String>> {
        if block.base_value().is_none() {
            return Some(block.base_path().clone());
        }
        let scope = self.scope(block, depth)?;
        let mut path = scope.made_of.base.clone()?;
        if scope.is_each {
            let step = block.get_local_var("key").or_else(|| block.get_local_var("index"))?;
            path.push(step.as_str().map_or_else(|| step.to_string(), str::to_owned));
        }
        Some(path)
    }

    /// The note of a block. Blocks hand their local variables on to those within, so what is there may be the note of one
    /// that is less deep.
    fn scope(&self, block: &BlockContext<'_>, depth: usize) -> Option<&Scope> {
        let number = block.get_local_var(SCOPE)?.as_u64()?;
        self.open.iter().rev().find(|scope| scope.number == number && scope.depth == depth)
    }

    /// What the loop is at whose `@key` is at hand.
    fn loop_at(&self, blocks: &Blocks<'_>) -> Option<Vec<String>> {
        let depth = usize::try_from(blocks.front()?.get_local_var(EACH)?.as_u64()?).ok()?;
        self.base(blocks.get(blocks.len().checked_sub(depth)?)?, depth)
    }

    /// For the second parameter of a loop: what the loop is at.
    fn named_key(&self, name: &str, blocks: &Blocks<'_>) -> Option<Vec<String>> {
        let (at, block, holder) = holder_of(name, blocks)?;
        let depth = blocks.len() - at;
        let is_value = matches!(holder, BlockParamHolder::Value(_));
        let is_key = is_value && self.scope(block, depth)?.key.as_deref() == Some(name);
        is_key.then(|| self.base(block, depth))?
    }
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

fn holder_of<'b, 'rc>(
    name: &str,
    blocks: &'b Blocks<'rc>,
) -> Option<(usize, &'b BlockContext<'rc>, &'b BlockParamHolder)> {
    blocks.iter().enumerate().find_map(|(at, block)| Some((at, block, block.get_block_param(name)?)))
}

/// The entry of a mapping at a path, where its key is this one.
fn key_at<'rc>(path: &[String], key: &Json, root: &'rc Context) -> Option<Found<'rc>> {
    let (last, parent) = path.split_last()?;
    let is_entry = navigate(root, parent)?.is_object() && key.as_str() == Some(last.as_str());
    let value = navigate(root, path)?;
    is_entry.then_some(Found { value, is_key: true })
}
