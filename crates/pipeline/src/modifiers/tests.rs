//! Tests that the documentation lists the translations of the rows, and that each function works.

use super::*;
use sealwave_secrets::placeholder::{MODIFIERS, ModifierRow, Modifiers, PlaceholderText};
use sealwave_testkit::check_page_line;

/// Parses the example of a row.
fn example(row: &ModifierRow) -> Modifiers {
    let text = PlaceholderText::parse(&format!("<file:x | {}>", row.example)).expect("well formed");
    text.placeholders().next().expect("one placeholder").modifiers.clone()
}

/// Returns the names of modifiers in backticks, each with the note that `note` returns for it; without a note, the
/// backend does not support it.
fn supported(note: impl Fn(&Modifiers) -> Option<&'static str>) -> String {
    let row = |row: &'static ModifierRow| Some((row.name, note(&example(row))?));
    let mut rows: Vec<(&str, &str)> = MODIFIERS.iter().filter_map(row).collect();
    rows.sort_unstable();
    rows.iter().map(|(name, note)| format!("`{name}`{note}")).collect::<Vec<_>>().join(", ")
}

fn decoder(modifiers: &Modifiers) -> Option<DecoderRow<'_>> {
    modifiers.decoders.as_slice().first().map(decoder_row)
}

fn has_steps(path: &JsonPath) -> bool {
    !path.steps().is_empty()
}

#[test]
fn documentation_lists_the_translations() {
    let external_secrets = supported(|modifiers| {
        let function = modifiers.encoder.as_ref().and_then(|encoder| encoder_row(encoder).external_secrets);
        match decoder(modifiers).and_then(|row| row.external_secrets) {
            Some(ExternalDecoder::DecodingStrategy) => Some(" (on the fetched value)"),
            Some(ExternalDecoder::Property(path)) => {
                has_steps(path).then_some(" (first, one path, no `#key`)")
            }
            Some(ExternalDecoder::TemplateFunction(_)) => Some(""),
            None => function.map(|_| ""),
        }
    });
    let csi_aws = supported(|modifiers| {
        let path = decoder(modifiers)?.csi_aws?;
        has_steps(path).then_some(" (one path, no `#key`)")
    });
    let csi_vault = supported(|modifiers| decoder(modifiers)?.csi_vault.map(|_| ""));
    check_page_line(
        "docs/backends/README.md",
        "| modifiers |",
        &format!("| modifiers | {external_secrets} | {csi_aws} | {csi_vault} |"),
    );
}

#[test]
fn each_modifier_has_a_function() {
    let apply = |row: &ModifierRow, value: &str| {
        let modifiers = example(row);
        let function = match (decoder(&modifiers), &modifiers.encoder) {
            (Some(row), _) => row.function,
            (None, Some(encoder)) => encoder_row(encoder).function,
            (None, None) => Box::new(|value: &[u8]| Ok(SecretValue::new(value.to_vec()))),
        };
        function(value.as_bytes()).map(|value| value.expose_str().expect("text").to_owned())
    };
    let expected = [
        ("base64decode", "aGk\n", "hi"),
        ("jsonParse", "\"hi\"", "hi"),
        ("jsonPath {.a.b[0]}", r#"{"a":{"b":[1.0]}}"#, "1.0"),
        ("trim", "\u{b} hi \n", "hi"),
        ("yamlParse", "a: 1", r#"{"a":1}"#),
        ("default \"x\"", "hi", "hi"),
        ("base64", "hi", "aGk="),
        ("indent 2", "a\nb\n", "a\n  b\n"),
        ("json", "a\"b", r#""a\"b""#),
        ("sha256", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("urlencode", "a b~", "a%20b~"),
        ("jsonPath {.user}{':'}{.password}", r#"{"user":"a","password":"b"}"#, "a:b"),
    ];
    assert_eq!(expected.len(), MODIFIERS.len());
    for (row, (example, value, wanted)) in MODIFIERS.iter().zip(expected) {
        assert_eq!((row.example, apply(row, value).as_deref()), (example, Ok(wanted)));
    }
}
