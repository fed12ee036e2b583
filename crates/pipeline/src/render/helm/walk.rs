//! A walk through the tags of a template, with the blocks around each of them.

use handlebars::{Template, TemplateErrorReason};

use super::blocks::OpenBlocks;
use super::fault::{SyntaxFault, TagForm, shorten};
use super::lexer::{Word, lex};
use super::parts::TagParts;
use super::scan::{ScannedTag, TagEnd, go_comment, scan_tags};
use super::table::{self, ConstructId};
use super::tag::{ReadTag, TagContent, TagRole, read_tag, role_of_unreadable};
use super::translate::{Translator, Untranslatable};
use crate::render::brackets::{BracketCount, count_brackets};
use sealwave_core::diagnostic::{Problem, printable};
use sealwave_core::document::{Origin, SourceId};

/// The maximum number of reported tags per template.
pub(super) const MAX_FAULTS: usize = 20;
/// The maximum length of a tag that a message shows.
pub(super) const MAX_TAG: usize = 80;
/// The maximum length of a tag in a hint.
const MAX_FORM: usize = 200;
/// The maximum length of a tag that is read.
const MAX_READ: usize = 4096;
/// The maximum number of open blocks.
const MAX_OPEN: usize = 1000;

/// A fault and the tag that has it.
pub(super) struct TagFault {
    pub(super) fault: SyntaxFault,
    pub(super) start: (usize, usize),
    pub(super) width: usize,
    /// Whether the engine refuses the tag.
    pub(super) is_refused: bool,
}

impl TagFault {
    /// Returns the problem at the tag.
    pub(super) fn problem(&self, source: SourceId) -> Problem {
        let to_u32 = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (line, column) = self.start;
        let origin =
            Origin { width: to_u32(self.width), ..Origin::point(source, to_u32(line), to_u32(column)) };
        Problem::at(origin, &self.fault)
    }
}

/// A walk through the tags of a template.
pub(super) struct TemplateWalk<'t> {
    text: &'t str,
    blocks: OpenBlocks,
    pub(super) faults: Vec<TagFault>,
    /// Whether a text of the template may be a secret.
    has_secret: bool,
}

impl<'t> TemplateWalk<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let has_secret = holds_secret(text);
        Self { text, blocks: OpenBlocks::default(), faults: Vec::new(), has_secret }
    }

    pub(super) fn run(&mut self) {
        for tag in scan_tags(self.text) {
            if self.faults.len() >= MAX_FAULTS || self.blocks.len() > MAX_OPEN {
                return;
            }
            let before = self.faults.len();
            match tag.end {
                TagEnd::Closed => self.tag(&tag),
                TagEnd::OpenText => self.add(&tag, SyntaxFault::OpenText, true),
                TagEnd::Unclosed => self.add(&tag, SyntaxFault::Unclosed, true),
            }
            // One fault per tag.
            self.faults.truncate(before + 1);
        }
    }

    /// Reports the blocks that are still open.
    pub(super) fn finish(&mut self) {
        while let Some(block) = self.blocks.pop() {
            if self.faults.len() < MAX_FAULTS && !block.is_definition {
                let fault = SyntaxFault::BlockOpen { name: shorten(&block.name) };
                self.faults.push(TagFault {
                    fault,
                    start: block.start,
                    width: block.width,
                    is_refused: true,
                });
            }
        }
    }

    fn add(&mut self, tag: &ScannedTag<'_>, fault: SyntaxFault, is_refused: bool) {
        let width = match tag.end {
            TagEnd::Unclosed => 2,
            TagEnd::Closed | TagEnd::OpenText => first_line_width(tag.text),
        };
        self.faults.push(TagFault { fault, start: tag.start, width, is_refused });
    }

    pub(super) fn tag(&mut self, tag: &ScannedTag<'_>) {
        if go_comment(tag.text).is_some() {
            let form = TagForm::Written("{{!-- … --}}".to_owned());
            let fault =
                SyntaxFault::Invalid { tag: None, reasons: vec![ConstructId::Comment], form, literal: None };
            return self.add(tag, fault, true);
        }
        // The texts of raw blocks are skipped.
        if tag.text.starts_with("{{{{") {
            return;
        }
        let Some(parts) = TagParts::new(tag.text) else { return };
        if tag.text.len() > MAX_READ {
            let (role, _) = role_of_unreadable(&parts);
            if !is_accepted(tag.text, &role) {
                self.add(tag, invalid(None, Vec::new(), TagForm::Unknown), true);
            }
            return self.apply(role, tag);
        }
        self.blocks.scope.hides_texts = self.has_secret || names_secret(tag.text);
        let translator = Translator::new(&self.blocks.scope);
        let read = read_tag(&parts, self.blocks.innermost(), translator);
        let is_refused = !is_accepted(tag.text, &read.role);
        if is_refused || parts.has_minus || is_foreign(&read, tag.text) {
            let fault = self.fault(tag, &parts, &read);
            self.add(tag, fault, is_refused);
        }
        if let Ok(TagContent::Variable(name, value)) = &read.content {
            self.blocks.scope.variables.insert(name.clone(), value.clone());
        }
        self.apply(read.role, tag);
    }

    fn apply(&mut self, role: TagRole, tag: &ScannedTag<'_>) {
        match self.blocks.apply(role, tag.start, first_line_width(tag.text)) {
            None => {}
            // A block that an outer one closes is reported at its own tag.
            Some((fault, Some((start, width)))) => {
                self.faults.push(TagFault { fault, start, width, is_refused: true });
            }
            Some((fault, None)) => self.add(tag, fault, true),
        }
    }

    fn fault(&self, tag: &ScannedTag<'_>, parts: &TagParts<'_>, read: &ReadTag) -> SyntaxFault {
        let shown = self.shown(tag.text);
        let literal = shown.clone().filter(|_| read.may_be_literal && read.role == TagRole::Other);
        let mut reasons = read.seen.clone();
        if parts.has_minus {
            reasons.push(ConstructId::Trim);
        }
        let first = reasons.first().copied();
        let form = match &read.content {
            Ok(content) => written_form(tag, parts, read, content, &reasons),
            Err(Untranslatable::Function(name, advice)) => {
                return SyntaxFault::Function { name: shorten(name), advice };
            }
            Err(Untranslatable::Object(name, advice)) => {
                return SyntaxFault::Object { name: shorten(name), advice };
            }
            // A name on another line may be a text behind a tag that is not closed.
            Err(_) if tag.text.contains('\n') => None,
            Err(Untranslatable::UnknownFunction(name)) => {
                let closest = table::closest_helper(name);
                return SyntaxFault::UnknownFunction { name: shorten(name), closest, literal };
            }
            Err(Untranslatable::Variable(name)) => {
                return SyntaxFault::Variable { name: shorten(name), literal };
            }
            Err(Untranslatable::Other) => None,
        };
        let form = form.unwrap_or_else(|| first.map_or(TagForm::Unknown, TagForm::General));
        SyntaxFault::Invalid { tag: shown, reasons, form, literal }
    }

    /// Returns a tag as a message may show it.
    pub(super) fn shown(&self, tag: &str) -> Option<String> {
        let is_long = tag.chars().count() > MAX_TAG;
        let has_text =
            tag.contains(['"', '\'', '`']) && (self.blocks.scope.hides_texts || tag.contains("://"));
        (!is_long && !has_text && !tag.contains(['\n', '\r'])).then(|| printable(tag))
    }
}

/// Returns the form of a tag in Handlebars, if it can be shown.
fn written_form(
    tag: &ScannedTag<'_>,
    parts: &TagParts<'_>,
    read: &ReadTag,
    content: &TagContent,
    reasons: &[ConstructId],
) -> Option<TagForm> {
    let is_shown = |form: &str| form.chars().count() <= MAX_FORM && !tag.text.contains('\n');
    match content {
        TagContent::Advice(advice) => Some(TagForm::Advice(advice.clone())),
        TagContent::Partial { name, content } => {
            let form = parts.write(content, tag.is_alone);
            let file = printable(format_args!("`partials/{name}.hbs`"));
            let form = is_shown(&form).then(|| printable(&form))?;
            Some(TagForm::Advice(format!("write `{form}` on a line of its own, with the text in {file}")))
        }
        TagContent::Variable(name, value) => {
            let value = value.strip_prefix('(').and_then(|call| call.strip_suffix(')')).unwrap_or(value);
            let advice = || printable(format_args!("write `{{{{{value}}}}}` where `${name}` is used"));
            is_shown(value).then(advice).map(TagForm::Advice)
        }
        TagContent::Written(content) => {
            // A tag of a block leaves no line if it is alone on it.
            let is_alone = tag.is_alone && (read.role != TagRole::Other || content.starts_with("> "));
            let form = parts.write(content, is_alone);
            if !is_shown(&form) || !is_accepted(&form, &read.role) {
                return None;
            }
            let form = printable(&form);
            Some(if is_alone && reasons == [ConstructId::Trim] {
                TagForm::Advice(format!("write `{form}`: alone on its line, it leaves no blank line"))
            } else {
                TagForm::Written(form)
            })
        }
    }
}

fn invalid(tag: Option<String>, reasons: Vec<ConstructId>, form: TagForm) -> SyntaxFault {
    SyntaxFault::Invalid { tag, reasons, form, literal: None }
}

fn first_line_width(text: &str) -> usize {
    text.lines().next().unwrap_or_default().chars().count()
}

/// Reports whether a tag means something else than the engine reads in it.
fn is_foreign(read: &ReadTag, tag: &str) -> bool {
    let is_other = |id: &ConstructId| {
        !matches!(
            id,
            ConstructId::Dot | ConstructId::Index | ConstructId::Variable | ConstructId::CallWithCommas
        )
    };
    let is_variable = read.content.is_ok() && read.seen.contains(&ConstructId::Variable);
    read.seen.iter().any(is_other) || is_variable || has_index(tag)
}

/// Reports whether a template writes Secrets.
fn holds_secret(text: &str) -> bool {
    text.lines().any(|line| line.contains("kind") && line.contains("Secret") || line.contains("stringData"))
}

/// Reports whether a quoted text in a tag of a template may be a secret.
pub(super) fn may_hold_secret(text: &str, tag: &str) -> bool {
    names_secret(tag) || holds_secret(text)
}

/// Reports whether a text next to this tag may be a secret.
fn names_secret(tag: &str) -> bool {
    let lower = tag.to_ascii_lowercase();
    ["pass", "secret", "token", "credential", "apikey", "api_key", "private", "pwd"]
        .iter()
        .any(|name| lower.contains(name))
}

/// Reports whether the engine accepts a tag among others that complete it.
fn is_accepted(tag: &str, role: &TagRole) -> bool {
    if count_brackets(tag) != BracketCount::Fits {
        return false;
    }
    let sigil = TagParts::new(tag).and_then(|parts| parts.sigil);
    let text = match (role, sigil) {
        (TagRole::Close(_), Some(_)) => format!("{{{{#if a}}}}{tag}"),
        (TagRole::Else { .. }, _) => format!("{{{{#if a}}}}{tag}{{{{/if}}}}"),
        (TagRole::Open(_), Some(_)) => format!("{tag}{{{{/if}}}}"),
        _ => tag.to_owned(),
    };
    match Template::compile(&text) {
        Ok(_) => true,
        Err(error) => !matches!(
            error.reason(),
            TemplateErrorReason::InvalidSyntax(_) | TemplateErrorReason::InvalidParam(_)
        ),
    }
}

/// Reports whether a tag has an index directly after a name, as in `list[0]`. The engine reads it as two arguments.
pub(super) fn has_index(tag: &str) -> bool {
    let Some(parts) = TagParts::new(tag).filter(|parts| parts.body.contains('[')) else { return false };
    let is_value = |word: Word<'_>| matches!(word, Word::Name(_) | Word::Close | Word::CloseBracket);
    lex(parts.body).is_some_and(|words| {
        words.windows(2).any(|pair| {
            let [before, bracket] = pair else { return false };
            bracket.word == Word::OpenBracket && bracket.is_glued && is_value(before.word)
        })
    })
}
