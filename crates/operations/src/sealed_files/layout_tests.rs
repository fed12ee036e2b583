//! Properties over generated layouts: an edit changes its node, and no other byte.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::{SealedFile, SealedFileEditor, compact_ciphertext};

/// The style of a value.
#[derive(Clone, Copy, Debug)]
enum ItemStyle {
    Complex,
    Double,
    Folded,
    Literal(usize),
    NextLine,
    Plain,
    Single,
}

/// The form of `metadata.annotations`.
#[derive(Clone, Copy, Debug)]
enum AnnotationStyle {
    Block,
    Empty,
    Flow,
    Missing,
    Null,
}

/// A generated SealedSecret.
#[derive(Clone, Debug)]
struct ModelObject {
    annotations: AnnotationStyle,
    comment: String,
    flow: bool,
    indentation: usize,
    items: Vec<(ItemStyle, String)>,
    listed: bool,
    template_first: bool,
}

/// A generated file.
#[derive(Clone, Debug)]
struct ModelFile {
    bom: bool,
    crlf: bool,
    final_break: bool,
    objects: Vec<ModelObject>,
}

fn item_style() -> impl Strategy<Value = ItemStyle> {
    prop_oneof![
        Just(ItemStyle::Complex),
        Just(ItemStyle::Double),
        Just(ItemStyle::Folded),
        (4_usize..90).prop_map(ItemStyle::Literal),
        Just(ItemStyle::NextLine),
        Just(ItemStyle::Plain),
        Just(ItemStyle::Single),
    ]
}

fn ciphertext() -> impl Strategy<Value = String> {
    "A[gQY][A-Za-z0-9+/]{90,140}={0,2}"
}

fn object() -> impl Strategy<Value = ModelObject> {
    let annotations = prop_oneof![
        Just(AnnotationStyle::Block),
        Just(AnnotationStyle::Empty),
        Just(AnnotationStyle::Flow),
        Just(AnnotationStyle::Missing),
        Just(AnnotationStyle::Null),
    ];
    let items = prop::collection::vec((item_style(), ciphertext()), 1..4);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (annotations, " # [a-z: {}\u{e4}'\"&*-]{0,12}", 1_usize..5, items, flags).prop_map(
        |(annotations, comment, indentation, items, (flow, listed, template_first))| ModelObject {
            annotations,
            comment,
            flow,
            indentation,
            items,
            listed,
            template_first,
        },
    )
}

fn model() -> impl Strategy<Value = ModelFile> {
    (any::<bool>(), any::<bool>(), any::<bool>(), prop::collection::vec(object(), 1..4))
        .prop_map(|(bom, crlf, final_break, objects)| ModelFile { bom, crlf, final_break, objects })
}

impl ModelFile {
    fn text(&self) -> String {
        let mut text = String::new();
        for object in &self.objects {
            text.push_str("---\n# a document\n");
            object.write(&mut text);
        }
        if !self.final_break {
            text.truncate(text.trim_end_matches('\n').len());
        }
        let text = if self.crlf { text.replace('\n', "\r\n") } else { text };
        if self.bom { format!("\u{feff}{text}") } else { text }
    }
}

impl ModelObject {
    fn write(&self, text: &mut String) {
        let mut lines = String::new();
        if self.flow {
            self.write_flow(&mut lines);
        } else {
            self.write_block(&mut lines);
        }
        if self.listed {
            text.push_str("apiVersion: v1\nkind: List\nitems:\n");
            for (index, line) in lines.lines().enumerate() {
                let start = if index == 0 { "- " } else { "  " };
                let _ = writeln!(text, "{}{line}", if line.is_empty() { "" } else { start });
            }
        } else {
            text.push_str(&lines);
        }
    }

    fn write_block(&self, text: &mut String) {
        let (one, two) = (" ".repeat(self.indentation), " ".repeat(self.indentation * 2));
        let comment = &self.comment;
        let _ = writeln!(
            text,
            "kind: SealedSecret{comment}\napiVersion: bitnami.com/v1alpha1\n\nmetadata:{comment}\n{one}name: x{comment}"
        );
        let _ = match self.annotations {
            AnnotationStyle::Block => {
                writeln!(text, "{one}annotations:{comment}\n{two}a: b{comment}\n{two}c: |+\n{two}  d\n")
            }
            AnnotationStyle::Empty => writeln!(text, "{one}annotations: {{ }}{comment}"),
            AnnotationStyle::Flow => writeln!(text, "{one}annotations: {{a: b, \"c\": 'd'}}{comment}"),
            AnnotationStyle::Missing => Ok(()),
            AnnotationStyle::Null => writeln!(text, "{one}annotations:{comment}"),
        };
        let _ = writeln!(text, "{one}namespace: n{comment}\nspec:{comment}");
        if self.template_first {
            let _ = writeln!(text, "{one}template:\n{two}data:\n{two}  t: '{{{{ .k0 }}}}'\n");
        }
        let _ = writeln!(text, "{one}encryptedData:{comment}");
        for (index, (style, ciphertext)) in self.items.iter().enumerate() {
            let _ = match style {
                ItemStyle::Complex => {
                    writeln!(text, "{two}? k{index}{comment}\n{two}: {ciphertext}{comment}")
                }
                ItemStyle::Double => writeln!(text, "{two}\"k{index}\": \"{ciphertext}\"{comment}"),
                ItemStyle::Folded => writeln!(text, "{two}k{index}: >{comment}\n{two} {ciphertext}\n"),
                ItemStyle::Literal(width) => {
                    let _ = writeln!(text, "{two}k{index}: |-{comment}");
                    let mut rest = ciphertext.as_str();
                    while !rest.is_empty() {
                        let (line, after) = rest.split_at(rest.len().min(*width));
                        let _ = writeln!(text, "{two}   {line}");
                        rest = after;
                    }
                    Ok(())
                }
                ItemStyle::NextLine => {
                    writeln!(text, "{two}k{index}:{comment}\n{two}   {ciphertext}{comment}")
                }
                ItemStyle::Plain => writeln!(text, "{two}k{index}: {ciphertext}{comment}"),
                ItemStyle::Single => writeln!(text, "{two}'k{index}' : '{ciphertext}'{comment}"),
            };
        }
        if !self.template_first {
            let _ = writeln!(text, "{one}# before the template\n{one}template: {{}}");
        }
    }

    fn write_flow(&self, text: &mut String) {
        let annotations = match self.annotations {
            AnnotationStyle::Block => ",\n    annotations: {\n      a: b,\n      c: d\n    }",
            AnnotationStyle::Empty => ", annotations: {}",
            AnnotationStyle::Flow => ", annotations: {a: b}",
            AnnotationStyle::Missing => "",
            AnnotationStyle::Null => ", annotations: null",
        };
        let items: Vec<String> = self
            .items
            .iter()
            .enumerate()
            .map(|(index, (style, ciphertext))| match style {
                ItemStyle::Single => format!("'k{index}': '{ciphertext}'"),
                ItemStyle::Plain => format!("k{index}: {ciphertext}"),
                _ => format!("\"k{index}\": \"{ciphertext}\""),
            })
            .collect();
        let _ = writeln!(
            text,
            "{{kind: SealedSecret, \"apiVersion\": bitnami.com/v1alpha1,{}\n  metadata: {{name: x{annotations}}},\n  spec: {{ encryptedData: {{{}}} , template: {{}} }} }}",
            self.comment,
            items.join(" ,\n   ")
        );
    }
}

/// Reports whether `after` is `before` with one insertion.
fn is_insertion(before: &str, after: &str) -> bool {
    let same = before.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count();
    let rest = &before.as_bytes()[same..];
    // The common start may reach into a repetition of the rest.
    after.len() > before.len()
        && (0..=same).any(|back| {
            after.as_bytes().ends_with(&before.as_bytes()[same - back..]) && rest.len() + back <= after.len()
        })
}

proptest! {
    #[test]
    fn a_replaced_item_changes_no_other_byte(model in model(), pick in any::<prop::sample::Index>(), new in ciphertext()) {
        let text = model.text();
        let file = SealedFile::read("a.yaml", text.clone().into_bytes()).unwrap();
        prop_assert_eq!(file.objects().len(), model.objects.len());
        for (object, expected) in file.objects().iter().zip(&model.objects) {
            let read: Vec<_> = object.items.iter().map(|item| compact_ciphertext(&item.ciphertext).trim_end().to_owned()).collect();
            let written: Vec<_> = expected.items.iter().map(|(_, ciphertext)| ciphertext.clone()).collect();
            prop_assert_eq!(read, written);
        }
        let object = pick.index(model.objects.len());
        let item = pick.index(model.objects[object].items.len());
        let mut editor = SealedFileEditor::new(&file);
        editor.replace_item(object, &format!("k{item}"), &new).unwrap();
        let edited = editor.finish().map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        let mut expected = model;
        let (style, ciphertext) = &mut expected.objects[object].items[item];
        // Text that was on one line stays on one line.
        if let ItemStyle::Literal(width) = style && *width >= ciphertext.len() {
            *width = usize::MAX;
        }
        *ciphertext = new;
        prop_assert_eq!(String::from_utf8(edited).unwrap(), expected.text());
    }

    #[test]
    fn new_entries_are_one_insertion(model in model(), pick in any::<prop::sample::Index>(), note in "[ -~\u{e4}\n]{0,20}") {
        let text = model.text();
        let file = SealedFile::read("a.yaml", text.clone().into_bytes()).unwrap();
        let object = pick.index(model.objects.len());
        let mut editor = SealedFileEditor::new(&file);
        editor.insert_item(object, "new.key", "AgBnew=").unwrap();
        match editor.finish() {
            Ok(edited) => {
                let edited = String::from_utf8(edited).unwrap();
                prop_assert!(is_insertion(&text, &edited), "{text}\n{edited}");
            }
            // The column of an explicit key is not that of its entry.
            Err(error) => prop_assert!(matches!(model.objects[object].items[0].0, ItemStyle::Complex), "{error}\n{text}"),
        }
        let mut editor = SealedFileEditor::new(&file);
        editor.set_annotation(object, "sealwave.dev/a", &note).unwrap();
        let edited = editor.finish().map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        let edited = String::from_utf8(edited).unwrap();
        let written_null = model.objects[object].flow && matches!(model.objects[object].annotations, AnnotationStyle::Null);
        prop_assert!(written_null || is_insertion(&text, &edited), "{text}\n{edited}");
        let read = SealedFile::read("a.yaml", edited.into_bytes()).unwrap();
        prop_assert_eq!(read.objects()[object].annotation("sealwave.dev/a"), Some(note.as_str()));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(kind: SealedSecret\n|apiVersion: bitnami.com/v1alpha1\n|spec:\n|  encryptedData:\n|    a: b\n|metadata: \\{name: x\\}\n|- |\\{|\\}|: |&a |\\*a|\n|\r|\t|---\n|'|\"|\\||<<: |\u{85}|\u{feff}){0,30}") {
        if let Ok(file) = SealedFile::read("a.yaml", text.clone().into_bytes()) {
            for (index, object) in file.objects().iter().enumerate() {
                let mut editor = SealedFileEditor::new(&file);
                editor.set_annotation(index, "n", "t").unwrap();
                for item in &object.items {
                    editor.replace_item(index, &item.key, "AgB=").unwrap();
                }
                if let Ok(edited) = editor.finish() {
                    let again = SealedFile::read("a.yaml", edited).unwrap();
                    prop_assert_eq!(again.objects()[index].annotation("n"), Some("t"));
                }
            }
        }
    }
}
