//! Where something was read: sources, positions in them, and positions for people.
//!
//! A node holds an [`Origin`] of 16 bytes; the [`Sources`] of a run turn it into a [`Place`] with a path.
//! Nothing here holds the text of a source, so no diagnostic can quote one by accident.

use std::fmt;
use std::path::{Component, Path, PathBuf};

/// Number of a source in its [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(u32);

/// Where a node starts, in characters. Lines and columns count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// The source that holds it.
    pub source: SourceId,
    /// Line, from 1; 0 means the source as a whole.
    pub line: u32,
    /// Column in characters, from 1; 0 means the line as a whole.
    pub column: u32,
    /// Characters of it on that line; 0 where that is not known.
    pub width: u32,
}

impl Origin {
    /// The source as a whole.
    #[must_use]
    pub const fn whole(source: SourceId) -> Self {
        Self { source, line: 0, column: 0, width: 0 }
    }

    /// A single point of a source.
    #[must_use]
    pub const fn point(source: SourceId, line: u32, column: u32) -> Self {
        Self { source, line, column, width: 0 }
    }
}

/// One thing that was read: a file, or the text that a template rendered to.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    rendered_from: Vec<Origin>,
}

/// All sources of a run.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    all: Vec<Source>,
}

impl Sources {
    /// Adds a file (or standard input) by the name that people know it by.
    pub fn add(&mut self, name: impl Into<String>) -> SourceId {
        self.push(Source { name: name.into(), rendered_from: Vec::new() })
    }

    /// Adds the text that the template `name` rendered to; `lines[i]` says where its line `i + 1` comes from.
    pub fn add_rendered(&mut self, name: impl Into<String>, lines: Vec<Origin>) -> SourceId {
        self.push(Source { name: name.into(), rendered_from: lines })
    }

    fn push(&mut self, source: Source) -> SourceId {
        let id = SourceId(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        self.all.push(source);
        id
    }

    /// The name given to a source.
    #[must_use]
    pub fn name(&self, id: SourceId) -> &str {
        self.all.get(id.0 as usize).map_or("", |source| source.name.as_str())
    }

    /// The names of all sources, in the order in which they were added.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|source| source.name.as_str())
    }

    /// Whether a source is the text that a template rendered to.
    #[must_use]
    pub fn is_rendered(&self, id: SourceId) -> bool {
        self.all.get(id.0 as usize).is_some_and(|source| !source.rendered_from.is_empty())
    }

    /// The template's line that made a position in rendered text; `None` where it is not in rendered text.
    #[must_use]
    pub fn made_by(&self, origin: Origin) -> Option<Origin> {
        let source = self.all.get(origin.source.0 as usize)?;
        source.rendered_from.get((origin.line as usize).checked_sub(1)?).copied()
    }

    /// The place that people can open: a position in rendered text becomes the template's line that made it.
    #[must_use]
    pub fn place(&self, origin: Origin) -> Place {
        match self.made_by(origin) {
            Some(template) => Place { rendered: Some((origin.line, origin.column)), ..self.place(template) },
            None => Place {
                path: self.name(origin.source).to_owned(),
                line: origin.line,
                column: origin.column,
                rendered: None,
            },
        }
    }
}

/// A path as messages show it: without `./`, with `/` between its parts, and `.` where nothing is left.
///
/// Whoever opens what this says opens the same file, or none: on Unix `\\` is a character like any other.
#[must_use]
pub fn display_path(path: &Path) -> String {
    let parts: PathBuf = path.components().filter(|part| !matches!(part, Component::CurDir)).collect();
    let text = if parts.as_os_str().is_empty() { ".".into() } else { parts.to_string_lossy() };
    if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() }
}

/// A position for people: `path:line:column`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Path as the user knows it.
    pub path: String,
    /// Line, from 1; 0 where only the file is known.
    pub line: u32,
    /// Column in characters, from 1; 0 where only the line is known.
    pub column: u32,
    /// Line and column in the rendered text, where the place is a template's.
    pub rendered: Option<(u32, u32)>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
            if self.column > 0 {
                write!(f, ":{}", self.column)?;
            }
        }
        if let Some((line, column)) = self.rendered {
            write!(f, " (rendered line {line}, column {column})")?;
        }
        Ok(())
    }
}
