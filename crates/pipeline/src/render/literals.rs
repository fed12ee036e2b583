//! Numbers in tags keep how they are written: `{{> image tag=1.10}}` prints `1.10`.
//!
//! The parser keeps their values only, so their texts are looked up in the tag. Where a tag has one number in two forms,
//! it is not known which is which, and the value counts.

use std::collections::BTreeMap;

use handlebars::Template;
use handlebars::template::{Parameter, TemplateElement};
use serde_json::{Number, Value as Json};

use super::forms::{chained, place_of};
use super::instrument::MAX_BLOCKS;
use super::tags::{Places, TagPlace};
use super::written;

/// Puts the texts of its numbers into a template.
pub(super) fn keep_texts(template: &mut Template, text: &str) {
    let mut tags = text.split("{{").skip(1).map(|tag| tag.split_once("}}").map_or(tag, |(tag, _)| tag));
    if tags.any(|tag| numbers(tag).into_iter().any(|(printed, text)| text != Some(printed.as_str()))) {
        Keeper { places: Places::new(text) }.template(template, TagPlace::Unknown, 0);
    }
}

/// The texts of the numbers in a tag, by what they print as; `None` where a number has several. A word in quotes may be
/// among them, which only makes it less certain what is what.
type Numbers<'t> = BTreeMap<String, Option<&'t str>>;

fn numbers(tag: &str) -> Numbers<'_> {
    let is_end =
        |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '=' | '{' | '}' | '~' | '[' | ']' | ',');
    let words = tag.split(is_end).filter(|word| word.starts_with(|c: char| c == '-' || c.is_ascii_digit()));
    let mut numbers = Numbers::new();
    for word in words {
        let Ok(value) = serde_json::from_str::<Number>(word) else { continue };
        let text = numbers.entry(value.to_string()).or_insert(Some(word));
        *text = text.filter(|text| *text == word);
    }
    numbers
}

struct Keeper<'a> {
    places: Places<'a>,
}

impl Keeper<'_> {
    fn template(&self, template: &mut Template, whole: TagPlace, depth: usize) {
        if depth > MAX_BLOCKS {
            return;
        }
        for index in 0..template.elements.len() {
            let place = place_of(template, index, whole);
            let Some(element) = template.elements.get_mut(index) else { continue };
            let texts = self.places.text(place).map(numbers).unwrap_or_default();
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
                        let place = chained(place, otherwise);
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

fn keep_all<'p>(arguments: impl Iterator<Item = &'p mut Parameter>, texts: &Numbers<'_>) {
    for argument in arguments {
        match argument {
            Parameter::Literal(Json::Number(number)) => {
                if let Some(text) = text_of(number, texts) {
                    *argument = Parameter::Literal(written::scalar(&Json::Number(number.clone()), text));
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

/// The text of a number that does not print as it is written.
fn text_of<'t>(number: &Number, texts: &Numbers<'t>) -> Option<&'t str> {
    let printed = number.to_string();
    texts.get(&printed).copied().flatten().filter(|text| *text != printed)
}
