//! Go templates as External Secrets and sealed-secrets execute them: finds the context variables that a template uses.
//!
//! A template is parsed, never executed. Where the dot is not the context (in `range`, `with`, `define`), fields are unknown
//! and not returned.

use std::ops::Range;

use sealwave_core::names::is_item_key;

/// Maximum size of a template, in bytes.
const MAX_BYTES: usize = 256 << 10;
/// Maximum number of variable uses returned per template.
const MAX_USES: usize = 1_000;
/// Maximum depth of blocks.
const MAX_DEPTH: usize = 100;

/// Functions that accept missing values.
const FOR_MISSING: &[&str] = &["coalesce", "default", "dig", "empty", "hasKey", "ternary"];

/// Context variables that a template uses, and its syntax errors.
#[derive(Debug, Default)]
pub(crate) struct TemplateUses {
    /// Variables in the order of their use.
    pub(crate) variables: Vec<VariableUse>,
    /// Byte ranges of syntax errors.
    pub(crate) faults: Vec<(Range<usize>, GoTemplateFault)>,
}

/// One use of a variable of the context.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct VariableUse {
    /// Byte range of the name.
    pub(crate) name: Range<usize>,
    pub(crate) form: VariableForm,
    /// True if the template handles a missing value (`if`, `default`).
    pub(crate) is_guarded: bool,
}

/// Syntax of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VariableForm {
    /// `.name` or `$.name`.
    Field,
    /// `index . "name"`.
    Index,
}

/// A syntax error of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GoTemplateFault {
    /// `.a-b`: a dash cannot be part of an identifier.
    DashInName,
    /// A block has no `end`.
    NoEnd,
    /// `end` or `else` without an open block.
    StrayEnd,
    /// `{{` without `}}`.
    Unclosed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TokenKind {
    Blank,
    Dot,
    Field,
    Other(u8),
    String,
    /// `$` or a template variable.
    Variable,
    Word,
}

/// A token. `text` is a field without its dot, or a string without its quotes.
#[derive(Clone, Debug)]
struct TemplateToken {
    kind: TokenKind,
    text: Range<usize>,
    start: usize,
    end: usize,
}

/// An open block.
struct OpenBlock {
    at: Range<usize>,
    dot_is_context: bool,
    is_definition: bool,
}

/// Returns the uses of variables in a template.
pub(crate) fn find_uses(text: &str) -> TemplateUses {
    let mut reader = TemplateReader { text, blocks: Vec::new(), uses: TemplateUses::default() };
    if text.len() <= MAX_BYTES {
        reader.read();
    }
    reader.uses
}

struct TemplateReader<'t> {
    text: &'t str,
    blocks: Vec<OpenBlock>,
    uses: TemplateUses,
}

impl TemplateReader<'_> {
    fn read(&mut self) {
        let mut from = 0;
        while let Some(start) = self.find("{{", from) {
            if self.uses.variables.len() >= MAX_USES || self.blocks.len() >= MAX_DEPTH {
                return;
            }
            let inside = start + 2;
            let Some((tokens, end)) = self.action(inside) else {
                self.uses.faults.push((start..inside, GoTemplateFault::Unclosed));
                return;
            };
            self.record(&tokens);
            from = end;
        }
        for block in std::mem::take(&mut self.blocks) {
            self.uses.faults.push((block.at, GoTemplateFault::NoEnd));
        }
    }

    fn find(&self, pattern: &str, from: usize) -> Option<usize> {
        self.text.get(from..)?.find(pattern).map(|at| from + at)
    }

    /// Returns the tokens of an action and the offset after it; `None` if the action is not closed.
    fn action(&self, inside: usize) -> Option<(Vec<TemplateToken>, usize)> {
        let rest = self.text.get(inside..)?;
        let trimmed = rest.strip_prefix('-').unwrap_or(rest).trim_start();
        if trimmed.starts_with("/*") {
            let comment = inside + (rest.len() - trimmed.len()) + 2;
            let closed = self.find("*/", comment)?;
            return Some((Vec::new(), self.find("}}", closed)? + 2));
        }
        let mut tokens: Vec<TemplateToken> = Vec::new();
        let mut at = inside;
        loop {
            if self.text.get(at..)?.starts_with("}}") {
                return Some((tokens, at + 2));
            }
            let token = self.token(at)?;
            at = token.end;
            tokens.extend(Some(token).filter(|token| token.kind != TokenKind::Blank));
        }
    }

    /// Returns the token at an offset; `None` at the end of the text.
    fn token(&self, at: usize) -> Option<TemplateToken> {
        let bytes = self.text.as_bytes();
        let first = *bytes.get(at)?;
        let word_end = |from: usize| {
            let rest = bytes.get(from..).unwrap_or_default();
            from + rest
                .iter()
                .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_' || !byte.is_ascii())
                .count()
        };
        let token = |kind, text: Range<usize>, end| Some(TemplateToken { kind, text, start: at, end });
        match first {
            byte if byte.is_ascii_whitespace() => token(TokenKind::Blank, at..at, at + 1),
            b'"' | b'`' | b'\'' => {
                let end = self.end_of_string(at + 1, first)?;
                token(TokenKind::String, at + 1..end, end + 1)
            }
            b'.' => match word_end(at + 1) {
                end if end == at + 1 => token(TokenKind::Dot, at..end, end),
                end => token(TokenKind::Field, at + 1..end, end),
            },
            b'$' => {
                let end = word_end(at + 1);
                token(TokenKind::Variable, at..end, end)
            }
            byte if byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii() => {
                let end = word_end(at);
                token(TokenKind::Word, at..end, end)
            }
            byte => token(TokenKind::Other(byte), at..at + 1, at + 1),
        }
    }

    fn end_of_string(&self, from: usize, quote: u8) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut at = from;
        loop {
            match *bytes.get(at)? {
                byte if byte == quote => return Some(at),
                b'\\' if quote != b'`' => at += 2,
                _ => at += 1,
            }
        }
    }

    fn word(&self, token: Option<&TemplateToken>) -> &str {
        let word = token.filter(|token| token.kind == TokenKind::Word);
        word.and_then(|word| self.text.get(word.text.clone())).unwrap_or_default()
    }

    fn record(&mut self, tokens: &[TemplateToken]) {
        let first = tokens.iter().position(|token| token.kind != TokenKind::Other(b'-')).unwrap_or(0);
        let tokens = tokens.get(first..).unwrap_or_default();
        let keyword = self.word(tokens.first()).to_owned();
        let at = tokens.first().map_or(0..0, |token| token.text.clone());
        let outer = self.blocks.len().checked_sub(2).and_then(|at| self.blocks.get(at));
        let outer_is_context = outer.is_none_or(|block| block.dot_is_context);
        match keyword.as_str() {
            "end" => {
                if self.blocks.pop().is_none() {
                    self.uses.faults.push((at, GoTemplateFault::StrayEnd));
                }
            }
            "else" => match self.blocks.last_mut() {
                Some(block) => {
                    block.dot_is_context = outer_is_context;
                    self.variables(tokens, true);
                    if self.word(tokens.get(1)) == "with"
                        && let Some(block) = self.blocks.last_mut()
                    {
                        block.dot_is_context = false;
                    }
                }
                None => self.uses.faults.push((at, GoTemplateFault::StrayEnd)),
            },
            "block" | "define" | "if" | "range" | "with" => {
                self.variables(tokens, matches!(keyword.as_str(), "if" | "with"));
                let dot_is_context = keyword == "if" && self.dot_is_context();
                let is_definition = matches!(keyword.as_str(), "block" | "define");
                self.blocks.push(OpenBlock { at, dot_is_context, is_definition });
            }
            _ => self.variables(tokens, false),
        }
    }

    fn dot_is_context(&self) -> bool {
        self.blocks.last().is_none_or(|block| block.dot_is_context)
    }

    /// Collects the variables of one action.
    fn variables(&mut self, tokens: &[TemplateToken], is_condition: bool) {
        let is_guarded =
            is_condition || tokens.iter().any(|token| FOR_MISSING.contains(&self.word(Some(token))));
        let root_is_known = !self.blocks.iter().any(|block| block.is_definition);
        let is_context = |token: &TemplateToken| match token.kind {
            TokenKind::Dot => self.dot_is_context(),
            TokenKind::Variable => root_is_known && token.text.len() == 1,
            _ => false,
        };
        let mut found = Vec::new();
        let mut faults = Vec::new();
        for (number, token) in tokens.iter().enumerate() {
            let before = number.checked_sub(1).and_then(|at| tokens.get(at));
            match token.kind {
                TokenKind::Field => {
                    let joined = before.filter(|before| before.end == token.start);
                    let is_variable = match joined.map(|before| before.kind) {
                        Some(TokenKind::Variable) => joined.is_some_and(is_context),
                        Some(TokenKind::Field | TokenKind::Other(b')')) => false,
                        _ => self.dot_is_context(),
                    };
                    if let Some(end) = dashed_end(tokens, number) {
                        faults.push((token.text.start..end, GoTemplateFault::DashInName));
                    } else if is_variable {
                        found.push((token.text.clone(), VariableForm::Field));
                    }
                }
                TokenKind::String
                    if before.is_some_and(is_context)
                        && self.word(number.checked_sub(2).and_then(|at| tokens.get(at))) == "index" =>
                {
                    found.push((token.text.clone(), VariableForm::Index));
                }
                _ => {}
            }
        }
        self.uses.faults.extend(faults);
        self.uses.variables.extend(found.into_iter().map(|(name, form)| VariableUse {
            name,
            form,
            is_guarded,
        }));
    }
}

/// Returns the end of a name with dashes that starts at the field with this index.
fn dashed_end(tokens: &[TemplateToken], field: usize) -> Option<usize> {
    let mut end = tokens.get(field)?.end;
    let mut is_dashed = false;
    for [dash, word] in tokens.get(field + 1..)?.as_chunks::<2>().0 {
        let joined = dash.start == end && word.start == dash.end;
        if !joined || dash.kind != TokenKind::Other(b'-') || word.kind != TokenKind::Word {
            break;
        }
        (end, is_dashed) = (word.end, true);
    }
    is_dashed.then_some(end)
}

/// Returns message and hint for a template that does not parse.
pub(crate) fn fault_message_and_hint(fault: GoTemplateFault, name: &str) -> (String, String) {
    let (message, hint) = match fault {
        GoTemplateFault::DashInName if is_item_key(name) => {
            return (
                format!("template does not parse: `.{name}` has a dash"),
                format!("write `index . \"{name}\"`"),
            );
        }
        GoTemplateFault::DashInName => {
            ("template does not parse: a name has a dash", "write `index . \"a-b\"`")
        }
        GoTemplateFault::NoEnd => {
            ("template does not parse: this block has no `{{ end }}`", "add `{{ end }}`")
        }
        GoTemplateFault::StrayEnd => {
            ("template does not parse: no open block here", "remove it, or open a block")
        }
        GoTemplateFault::Unclosed => (
            "template does not parse: `{{` is not closed",
            "add `}}`; a literal `{{` is written `{{ \"{{\" }}`",
        ),
    };
    (message.to_owned(), hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<&str>, Vec<GoTemplateFault>) {
        let uses = find_uses(text);
        let names = uses.variables.iter().map(|used| &text[used.name.clone()]).collect();
        (names, uses.faults.into_iter().map(|(_, fault)| fault).collect())
    }

    #[test]
    fn context_variables_are_found() {
        for (text, expected) in [
            ("{{ .a }}{{.b}}{{- .c -}}", &["a", "b", "c"][..]),
            ("postgres://{{ .user | urlquery }}:{{ printf \"%s\" .password }}@h", &["user", "password"]),
            ("{{ $.a }} {{ $x := .b }}{{ $x }}{{ $x.y }}", &["a", "b"]),
            ("{{ index . \"a-b\" }}{{ index $ `c` | quote }}", &["a-b", "c"]),
            ("{{ (.a | fromJson).b.c }}{{ .d.e }}", &["a", "d"]),
            (
                "{{ if .a }}{{ .b }}{{ else if .c }}{{ .d }}{{ else }}{{ .e }}{{ end }}",
                &["a", "b", "c", "d", "e"],
            ),
            ("{{ with .a }}{{ .no }}{{ $.b }}{{ else }}{{ .c }}{{ end }}{{ .d }}", &["a", "b", "c", "d"]),
            ("{{ range $k, $v := . }}{{ .no }}{{ $k }}{{ end }}{{ .a }}", &["a"]),
            ("{{ define \"t\" }}{{ .no }}{{ $.no }}{{ end }}{{ template \"t\" . }}", &[]),
            ("{{/* .no */}}{{- /* }} .no */ -}}{{ \"{{ .no }}\" }}{{ `}} .no` }}{{ .a }}", &["a"]),
            ("no template, { { .no }}", &[]),
            ("{{ .ünder }}", &["ünder"]),
        ] {
            assert_eq!(read(text), (expected.to_vec(), Vec::new()), "{text}");
        }
    }

    #[test]
    fn syntax_errors_are_found() {
        for (text, expected) in [
            ("{{ .a-b }}", &[GoTemplateFault::DashInName][..]),
            ("{{ .a-b-c | quote }}", &[GoTemplateFault::DashInName]),
            ("{{ .a", &[GoTemplateFault::Unclosed]),
            ("{{ \"a }}", &[GoTemplateFault::Unclosed]),
            ("{{ if .a }}", &[GoTemplateFault::NoEnd]),
            ("{{ end }}", &[GoTemplateFault::StrayEnd]),
            ("{{ sub .a -1 }}{{ .a - }}{{ .a -}}", &[]),
        ] {
            assert_eq!(read(text).1, expected, "{text}");
        }
    }

    #[test]
    fn a_hostile_template_ends_early() {
        let deep = "{{ if .a }}".repeat(100_000);
        let uses = find_uses(&deep);
        assert!(uses.variables.len() <= MAX_DEPTH);
        assert!(super::find_uses(&"{{ .a }}".repeat(30_000)).variables.len() <= MAX_USES);
        assert!(super::find_uses(&"x".repeat(MAX_BYTES + 1)).variables.is_empty());
    }

    #[test]
    fn guarded_uses_are_recognized() {
        let text = "{{ if .a }}{{ .b | default \"x\" }}{{ .c }}{{ end }}";
        let guarded: Vec<bool> = find_uses(text).variables.iter().map(|used| used.is_guarded).collect();
        assert_eq!(guarded, [true, true, false]);
    }
}
