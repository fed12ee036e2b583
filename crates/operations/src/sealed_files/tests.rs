use super::*;

pub(super) const OLD: &str = "AgBoldoldoldoldoldoldoldoldoldoldoldold0123456789+/==";
pub(super) const NEW: &str = "AgCnewnewnewnewnewnewnewnewnewnewnewnew9876543210/+==";

fn file(text: &str) -> SealedFile {
    SealedFile::read("sealed.yaml", text.as_bytes().to_vec())
        .unwrap_or_else(|failure| panic!("{failure}\n{text}"))
}

fn edit(
    text: &str,
    edit: impl FnOnce(&mut SealedFileEditor<'_>) -> Result<(), SealedFileError>,
) -> Result<String, String> {
    let file = file(text);
    let mut editor = SealedFileEditor::new(&file);
    let edited = edit(&mut editor).and_then(|()| editor.finish());
    edited.map(|bytes| String::from_utf8(bytes).unwrap()).map_err(|error| format!("{}: {error}", error.at))
}

fn replace(text: &str, key: &str) -> Result<String, String> {
    edit(text, |editor| editor.replace_item(0, key, NEW))
}

/// Returns a SealedSecret with this `spec`, indented by four spaces.
fn sealed(data: &str) -> String {
    format!(
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  name: db # the name\n  namespace: shop\nspec:\n  encryptedData:\n{data}"
    )
}

#[test]
fn sealed_secrets_are_found_in_every_form() {
    let text = format!(
        "\u{feff}# first\n---\nkind: ConfigMap\napiVersion: v1\nmetadata: {{name: x}}\n---\n{}---\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n  - {{apiVersion: bitnami.com/v1alpha1, kind: SealedSecret, metadata: {{name: b, annotations: {{sealedsecrets.bitnami.com/cluster-wide: \"true\"}}}}, spec: {{encryptedData: {{k: {OLD}}}}}}}\n---\napiVersion: bitnami.com/v1alpha1\nkind: SealedSecretList\nitems:\n- metadata: {{name: c, namespace: ns}}\n  spec:\n    template: {{metadata: {{annotations: {{sealedsecrets.bitnami.com/cluster-wide: \"true\"}}}}}}\n",
        sealed(&format!("    a: {OLD}\n    b: |\n      AgBx\n      y=\n"))
    );
    let file = file(&text);
    let found: Vec<_> = file
        .objects()
        .iter()
        .map(|object| {
            (object.namespace.as_str(), object.name.as_str(), object.scope.as_str(), object.items.len())
        })
        .collect();
    assert_eq!(found, [("shop", "db", "strict", 2), ("", "b", "cluster-wide", 1), ("ns", "c", "strict", 0)]);
    let wrapped = &file.objects()[0].items[1];
    assert_eq!((wrapped.ciphertext.as_str(), wrapped.line), ("AgBx\ny=\n", 15));
    assert_eq!(compact_ciphertext(&wrapped.ciphertext), "AgBxy=");
}

#[test]
fn other_kinds_and_groups_are_not_sealed_secrets() {
    for (api_version, kind) in
        [("v1", "SealedSecret"), ("bitnami.com/v1alpha1", "Secret"), ("bitnami.com.evil/v1", "SealedSecret")]
    {
        let text =
            sealed("    a: b\n").replace("bitnami.com/v1alpha1", api_version).replace("SealedSecret", kind);
        assert!(file(&text).objects().is_empty(), "{text}");
    }
}

#[test]
fn each_style_of_a_ciphertext_is_replaced_in_its_place() {
    let (head, tail) = OLD.split_at(40);
    let (new_head, new_tail) = NEW.split_at(40);
    for (before, after) in [
        (format!("    a: {OLD} # note\n"), format!("    a: {NEW} # note\n")),
        (format!("    a: '{OLD}'\n"), format!("    a: '{NEW}'\n")),
        (format!("    \"a\" : \"{OLD}\"\n"), format!("    \"a\" : \"{NEW}\"\n")),
        (format!("    ? a\n    : {OLD}\n"), format!("    ? a\n    : {NEW}\n")),
        (format!("    a: !!str {OLD}\n"), format!("    a: !!str {NEW}\n")),
        (format!("    a:\n      {OLD}\n"), format!("    a:\n      {NEW}\n")),
        (format!("    a: >-\n      {OLD}\n\n"), format!("    a: >-\n      {NEW}\n\n")),
        (
            format!("    a: | # note\n      {head}\n      {tail}\n  # end\n"),
            format!("    a: | # note\n      {new_head}\n      {new_tail}\n  # end\n"),
        ),
        (
            format!("    a: |2+\n\n      {head}\n      {tail}\n\n\n"),
            format!("    a: |2+\n\n      {new_head}\n      {new_tail}\n\n\n"),
        ),
        (format!("    a: \"{head}\\\n      {tail}\"\n"), format!("    a: \"{NEW}\"\n")),
        (format!("    a: >-\n      {head}\n\n      {tail}\n"), format!("    a: >-\n      {NEW}\n")),
        ("    a: | # empty\n".to_owned(), format!("    a: {NEW} # empty\n")),
        ("    a: ''\n".to_owned(), format!("    a: '{NEW}'\n")),
        (format!("    a: {OLD}"), format!("    a: {NEW}")),
        (format!("    {{\"a\": \"{OLD}\"}}\n"), format!("    {{\"a\": \"{NEW}\"}}\n")),
        (format!("    {{ a: {OLD}, b: c }}\n"), format!("    {{ a: {NEW}, b: c }}\n")),
    ] {
        assert_eq!(replace(&sealed(&before), "a"), Ok(sealed(&after)), "{before}");
        let crlf = |text: &str| sealed(text).replace('\n', "\r\n");
        assert_eq!(replace(&crlf(&before), "a"), Ok(crlf(&after)), "{before}");
    }
}

#[test]
fn new_items_follow_the_last_one() {
    for (before, after) in [
        ("    a: b # note\n  # end\n", "    a: b # note\n    on.x: AgB=\n    c: AgC=\n  # end\n"),
        ("    a: |+\n      b\n\n", "    a: |+\n      b\n\n    on.x: AgB=\n    c: AgC=\n"),
        ("    a: |-\n      b\n\n", "    a: |-\n      b\n    on.x: AgB=\n    c: AgC=\n\n"),
        ("    a: b", "    a: b\n    on.x: AgB=\n    c: AgC="),
        ("    {a: b} # x\n", "    {a: b, on.x: AgB=, c: AgC=} # x\n"),
        ("    {}\n", "    {on.x: AgB=, c: AgC=}\n"),
        ("    null\n", "    {on.x: AgB=, c: AgC=}\n"),
        (
            "    {\n      a: b, # x\n    }\n",
            "    {\n      a: b,\n      on.x: AgB=,\n      c: AgC=, # x\n    }\n",
        ),
    ] {
        let edited = edit(&sealed(before), |editor| {
            editor.insert_item(0, "on.x", "AgX=")?;
            editor.insert_item(0, "on.x", "AgB=")?;
            editor.insert_item(0, "c", "AgC=")
        });
        // The order of insertion is kept.
        assert_eq!(edited, Ok(sealed(after)), "{before}");
    }
    // An empty value, and a field that does not exist.
    let empty = sealed("").replace("  encryptedData:\n", "  encryptedData: # none\n");
    let edited = edit(&empty, |editor| editor.insert_item(0, "on", "AgB="));
    assert_eq!(edited, Ok(format!("{empty}    \"on\": AgB=\n")));
    let missing = sealed("").replace("  encryptedData:\n", "  template: {}\n");
    let edited = edit(&missing, |editor| editor.insert_item(0, "a", "AgB="));
    assert_eq!(edited, Ok(format!("{missing}  encryptedData:\n    a: AgB=\n")));
}

#[test]
fn annotations_are_added_and_replaced() {
    let text = "v1 {a: 'b'}, \"c\"";
    let set = |metadata: &str| {
        let text_before = format!(
            "kind: SealedSecret\napiVersion: bitnami.com/v1alpha1\nmetadata:{metadata}spec:\n  encryptedData: {{}}\n"
        );
        let after = edit(&text_before, |editor| {
            editor.set_annotation(0, "x.dev/a", text)?;
            editor.set_annotation(0, "x.dev/b", "plain")
        })?;
        let end = after.find("spec:").unwrap();
        Ok::<_, String>(after[text_before.find("metadata:").unwrap() + 9..end].to_owned())
    };
    let quoted = "\"v1 {a: 'b'}, \\\"c\\\"\"";
    for (before, after) in [
        (
            "\n  name: x # name\n# end\n".to_owned(),
            format!("\n  name: x # name\n  annotations:\n    x.dev/a: {quoted}\n    x.dev/b: plain\n# end\n"),
        ),
        (
            "\n    annotations:\n    name: x\n".to_owned(),
            format!("\n    annotations:\n      x.dev/a: {quoted}\n      x.dev/b: plain\n    name: x\n"),
        ),
        (
            "\n  annotations: {}\n  name: x\n".to_owned(),
            format!("\n  annotations: {{x.dev/a: {quoted}, x.dev/b: plain}}\n  name: x\n"),
        ),
        (
            "\n  annotations:\n    y: z\n  name: x\n".to_owned(),
            format!("\n  annotations:\n    y: z\n    x.dev/a: {quoted}\n    x.dev/b: plain\n  name: x\n"),
        ),
        (
            "\n  annotations:\n    x.dev/a: 'old' # o\n    x.dev/b: |\n      old\n  name: x\n".to_owned(),
            format!("\n  annotations:\n    x.dev/a: {quoted} # o\n    x.dev/b: plain\n  name: x\n"),
        ),
        (
            " {name: x}\n".to_owned(),
            format!(" {{name: x, annotations: {{x.dev/a: {quoted}, x.dev/b: plain}}}}\n"),
        ),
        (
            " {name: x, annotations: {y: z}}\n".to_owned(),
            format!(" {{name: x, annotations: {{y: z, x.dev/a: {quoted}, x.dev/b: plain}}}}\n"),
        ),
        (
            " {name: x, annotations: null}\n".to_owned(),
            format!(" {{name: x, annotations: {{x.dev/a: {quoted}, x.dev/b: plain}}}}\n"),
        ),
    ] {
        assert_eq!(set(&before), Ok(after), "{before}");
    }
}

#[test]
fn json_stays_json() {
    let compact = format!(
        "{{\"kind\":\"SealedSecret\",\"apiVersion\":\"bitnami.com/v1alpha1\",\"metadata\":{{\"name\":\"x\"}},\"spec\":{{\"encryptedData\":{{\"a\":\"{OLD}\"}}}}}}"
    );
    let pretty =
        serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&compact).unwrap()).unwrap();
    let two = format!("{pretty}\n{compact}\n");
    for text in [&compact, &pretty, &two] {
        let edited = edit(text, |editor| {
            editor.replace_item(0, "a", NEW)?;
            editor.insert_item(0, "b", OLD)?;
            editor.set_annotation(0, "n", "\"quoted\"")
        });
        let edited = edited.unwrap();
        let documents: Vec<serde_json::Value> =
            serde_json::Deserializer::from_str(&edited).into_iter().collect::<Result<_, _>>().unwrap();
        assert_eq!(documents[0]["spec"]["encryptedData"], serde_json::json!({"a": NEW, "b": OLD}));
        assert_eq!(documents[0]["metadata"]["annotations"], serde_json::json!({"n": "\"quoted\""}));
        assert_eq!(edited.contains('\n'), text.contains('\n'), "{edited}");
    }
}

#[test]
fn what_cannot_be_edited_exactly_is_refused() {
    let place = "sealed.yaml";
    for (data, expected) in [
        (
            format!("    a: &x {OLD}\n    b: *x\n"),
            "8: item `a` is shared through an alias, so it cannot be changed in one place only",
        ),
        (
            format!("    b: &x {OLD}\n    a: *x\n"),
            "9: item `a` is shared through an alias, so it cannot be changed in one place only",
        ),
        (format!("    <<: {{a: {OLD}}}\n    b: c\n"), "8: item `a` comes from a merge key (`<<`)"),
        (
            format!("    a: !!binary {OLD}\n").replace(OLD, "YWJj"),
            "8: item `a` cannot be changed without changing the layout around it",
        ),
        (format!("    a: &x {OLD}\n"), "8: item `a` cannot be changed without changing the layout around it"),
    ] {
        assert_eq!(replace(&sealed(&data), "a"), Err(format!("{place}:{expected}")), "{data}");
    }
    // Kubernetes reads the key `on` as `true`.
    assert_eq!(replace(&sealed("    on: b\n"), "true"), Ok(sealed(&format!("    on: {NEW}\n"))));
    let shared = sealed(&format!("    a: {OLD}\n")).replace("encryptedData:", "encryptedData: &x") + "---\n";
    assert!(replace(&shared, "a").is_ok(), "an anchor without aliases is not shared");
    let shared =
        sealed(&format!("    a: {OLD}\n")).replace("encryptedData:", "encryptedData: &x") + "  other: *x\n";
    assert!(replace(&shared, "a").unwrap_err().contains("shared through an alias"));
    let blob = sealed("    {}\n  data: AgBblob\n");
    assert!(edit(&blob, |editor| editor.insert_item(0, "a", NEW)).unwrap_err().contains("`spec.data`"));
    assert!(replace(&sealed("    {}\n"), "a").unwrap_err().contains("SealedSecret has no item `a`"));
}

#[test]
fn only_base64_is_written_as_a_ciphertext() {
    for bad in ["", "AgB\nspec: x", "AgB\"", "AgB, b: c", "AgB#", "ag b"] {
        let edited = edit(&sealed("    a: b\n"), |editor| editor.replace_item(0, "a", bad));
        assert_eq!(
            edited,
            Err("sealed.yaml:1: new ciphertext of item `a` is not base64".to_owned()),
            "{bad}"
        );
    }
}

#[test]
fn files_that_kubernetes_would_misread_are_refused() {
    let error =
        |text: &str| SealedFile::read("sealed.yaml", text.as_bytes().to_vec()).err().unwrap().to_string();
    assert!(error(&sealed("    a: b\n    a: c\n")).contains("sealed.yaml:9"));
    assert_eq!(error(&sealed("    a: 5\n")), "sealed.yaml:8:5: item `a` of the SealedSecret is not a string");
    assert_eq!(
        error(&sealed("    - a\n")),
        "sealed.yaml:8:5: `spec.encryptedData` of the SealedSecret is not a mapping"
    );
    let of_text = "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: a}\nspec: text\n";
    assert_eq!(error(of_text), "sealed.yaml:4:7: `spec` of the SealedSecret is not a mapping");
    assert!(error("a: [").contains("sealed.yaml"));
}

#[test]
fn without_changes_the_file_stays_as_it_is() {
    let text = sealed("    a: b   \n\n\n# x");
    assert_eq!(edit(&text, |_| Ok(())), Ok(text.clone()));
    let annotated = text.replace("metadata:\n", "metadata:\n  annotations: {note: 't'}\n");
    assert_eq!(edit(&annotated, |editor| editor.set_annotation(0, "note", "t")), Ok(annotated.clone()));
}

#[test]
fn metadata_of_the_template_is_added_where_its_parents_are_missing() {
    use super::MetadataField::{Annotations, TemplateAnnotations, TemplateLabels};
    let item = format!("    a: {OLD}\n");
    let set = |text: &str, field| edit(text, |editor| editor.set_metadata(0, field, "x/y", "true"));
    let four = "      annotations:\n        x/y: \"true\"\n";
    for (template, expected) in [
        ("", format!("  template:\n    metadata:\n{four}")),
        ("  template: # text\n", format!("  template: # text\n    metadata:\n{four}")),
        ("  template: {}\n", "  template: {metadata: {annotations: {x/y: \"true\"}}}\n".to_owned()),
        ("  template: null\n", "  template: {metadata: {annotations: {x/y: \"true\"}}}\n".to_owned()),
        ("  template:\n    type: Opaque\n", format!("  template:\n    type: Opaque\n    metadata:\n{four}")),
        (
            "  template:\n    metadata:\n      annotations:\n        x/y: \"false\"\n",
            format!("  template:\n    metadata:\n{four}"),
        ),
    ] {
        let text = format!("{}{template}", sealed(&item));
        let edited = set(&text, TemplateAnnotations).unwrap();
        assert_eq!(edited, format!("{}{expected}", sealed(&item)), "{template}");
        // Twice changes nothing more.
        assert_eq!(set(&edited, TemplateAnnotations).unwrap(), edited);
        let labels = set(&edited, TemplateLabels).unwrap();
        assert!(labels.contains("labels"), "{labels}");
        assert!(set(&edited, Annotations).unwrap().contains("  annotations:\n    x/y: \"true\"\n"));
    }
    let shared = sealed(&format!("{item}  template: &t\n    type: a\n  other: *t\n"));
    assert!(set(&shared, TemplateAnnotations).is_err(), "another place would change");
    let list = sealed(&format!("{item}  template: []\n"));
    assert!(set(&list, TemplateAnnotations).is_err());
}
