//! Preserves the spelling of numbers in tags: `{{> image tag=1.10}}` prints `1.10`.
//!
//! The parser keeps only their values, so their texts are looked up in the tag. If a tag contains one number in two
//! spellings, they cannot be matched, and the value is printed.

use std::collections::BTreeMap;

use handlebars::Template;
use handlebars::template::{Parameter, TemplateElement};
use serde_json::{Number, Value as Json};

use super::forms::{place_of, place_of_else_if};
use super::limits::MAX_BLOCKS;
use super::spelling;
use super::tags::{TagLocator, TagPlace};

/// Stores the texts of its numbers in a template.
pub(super) fn keep_texts(template: &mut Template, text: &str) {
    let mut tags = text.split("{{").skip(1).map(|tag| tag.split_once("}}").map_or(tag, |(tag, _)| tag));
    if tags.any(|tag| number_texts(tag).into_iter().any(|(printed, text)| text != Some(printed.as_str()))) {
        SpellingKeeper { places: TagLocator::new(text) }.template(template, TagPlace::Unknown, 0);
    }
}

/// The texts of the numbers in a tag by their printed form; `None` if a number has several. Quoted words may be
/// included, which only causes more ambiguity.
type NumberTexts<'t> = BTreeMap<String, Option<&'t str>>;

fn number_texts(tag: &str) -> NumberTexts<'_> {
    let is_end =
        |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '=' | '{' | '}' | '~' | '[' | ']' | ',');
    let words = tag.split(is_end).filter(|word| word.starts_with(|c: char| c == '-' || c.is_ascii_digit()));
    let mut texts = NumberTexts::new();
    for word in words {
        let Ok(value) = serde_json::from_str::<Number>(word) else { continue };
        let text = texts.entry(value.to_string()).or_insert(Some(word));
        *text = text.filter(|text| *text == word);
    }
    texts
}

struct SpellingKeeper<'a> {
    places: TagLocator<'a>,
}

impl SpellingKeeper<'_> {
    fn template(&self, template: &mut Template, whole: TagPlace, depth: usize) {
        if depth > MAX_BLOCKS {
            return;
        }
        for index in 0..template.elements.len() {
            let place = place_of(template, index, whole);
            let Some(element) = template.elements.get_mut(index) else { continue };
            let texts = self.places.text(place).map(number_texts).unwrap_or_default();
            match element {
                TemplateElement::Expression(call) | TemplateElement::HtmlExpression(call) => {
                    keep_all(call.params.iter_mut().chain(call.hash.values_mut()), &texts);
                }
                TemplateElement::HelperBlock(block) => {
                    keep_all(block.params.iter_mut().chain(block.hash.values_mut()), &texts);
                    if let Some(body) = &mut block.template {
                        self.template(body, TagPlace::Unknown, depth + 1);
                    }
                    if let Some(otherwise) = &mut block.inverse {
                        let place = place_of_else_if(place, otherwise);
                        self.template(otherwise, place, depth + 1);
                    }
                }
                TemplateElement::PartialExpression(partial) => {
                    keep_all(partial.params.iter_mut().chain(partial.hash.values_mut()), &texts);
                }
                TemplateElement::DecoratorBlock(decorator) => {
                    if let Some(body) = &mut decorator.template {
                        self.template(body, TagPlace::Unknown, depth + 1);
                    }
                }
                _ => {}
            }
        }
    }
}

fn keep_all<'p>(arguments: impl Iterator<Item = &'p mut Parameter>, texts: &NumberTexts<'_>) {
    for argument in arguments {
        match argument {
            Parameter::Literal(Json::Number(number)) => {
                if let Some(text) = text_of(number, texts) {
                    *argument = Parameter::Literal(spelling::scalar(&Json::Number(number.clone()), text));
                }
            }
            Parameter::Subexpression(call) => {
                if let TemplateElement::Expression(call) = call.element.as_mut() {
                    keep_all(call.params.iter_mut().chain(call.hash.values_mut()), texts);
                }
            }
            _ => {}
        }
    }
}

/// Returns the text of a number if it differs from its printed form.
fn text_of<'t>(number: &Number, texts: &NumberTexts<'t>) -> Option<&'t str> {
    let printed = number.to_string();
    texts.get(&printed).copied().flatten().filter(|text| *text != printed)
}
