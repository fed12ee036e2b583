//! The text of an app file, with comments.

use serde_json::{Map, Value as Json};

use sealwave_core::diagnostic::printable;
use sealwave_core::document::{Node, Origin, Sources};
use sealwave_core::yaml;
use sealwave_secrets::settings::API_VERSION;

/// An app file that is being written.
pub(crate) struct AppText(String);

impl AppText {
    /// Starts a file with a comment.
    pub(crate) fn new(comment: &str) -> Self {
        let mut text = Self(String::new());
        text.comment(comment);
        text.0.push_str("apiVersion: ");
        text.0.push_str(API_VERSION);
        text.0.push_str("\nkind: App\n");
        text
    }

    /// Adds a comment: one line for each line of the text, in which names from the repository may stand.
    pub(crate) fn comment(&mut self, text: &str) {
        for line in text.lines() {
            let line = format!("# {}", printable(line));
            self.0.push_str(line.trim_end());
            self.0.push('\n');
        }
    }

    /// Adds a blank line and a comment, which explains what follows.
    pub(crate) fn part(&mut self, comment: &str) {
        self.0.push('\n');
        self.comment(comment);
    }

    /// Adds a setting.
    pub(crate) fn setting(&mut self, key: &str, value: Json) {
        self.0.push_str(&fragment(key, value));
    }

    /// Adds a setting as a comment, to be completed by hand.
    pub(crate) fn disabled_setting(&mut self, key: &str, value: Json) {
        let text = fragment(key, value);
        self.comment(&text);
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

/// Writes one setting as YAML.
fn fragment(key: &str, value: Json) -> String {
    let source = Sources::default().add("");
    let map = Json::Object(Map::from_iter([(key.to_owned(), value)]));
    let mut out = Vec::new();
    yaml::write_yaml(&Node::from_json(&map, Origin::whole(source)), &mut out);
    let text = String::from_utf8(out).unwrap_or_default();
    text.strip_prefix("---\n").map(str::to_owned).unwrap_or(text)
}

/// Writes settings of another file on one line each, for a message.
pub(crate) fn flow_lines(settings: &Map<String, Json>) -> Vec<String> {
    settings.iter().map(|(key, value)| format!("`{key}: {value}`")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_with_line_breaks_stay_in_their_comment() {
        let mut text = AppText::new("app");
        text.part("the chart `a\u{2028}b\u{1b}[31m\rkind: Secret`");
        text.setting("sources", json!([{"helm": {"chart": "a\nkind: b", "valueFiles": ["on"]}}]));
        let text = text.into_text();
        let read: Json = yaml_serde::from_str(&text).unwrap();
        assert_eq!(read["sources"][0]["helm"]["chart"], "a\nkind: b");
        assert_eq!(read["sources"][0]["helm"]["valueFiles"][0], "on");
        assert!(!text.contains('\u{1b}') && !text.contains('\r') && !text.contains('\u{2028}'), "{text}");
    }
}
