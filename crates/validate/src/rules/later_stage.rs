//! Text that another tool fills in before the API server reads an object.
//!
//! Every rule that judges a text asks here first, so that one answer holds for all of them.

use super::{Object, Scene};

/// Annotation by which argocd-vault-plugin replaces every `<key>` of an object.
const VAULT_PLUGIN_PATH: &str = "avp.kubernetes.io/path";

/// The tools that may still change an object between here and the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LaterStage {
    /// None: an app is rendered, and what it holds is what is applied.
    None,
    /// Substitution of variables: Flux `postBuild`, `envsubst`, `OpenShift` templates, Helm.
    Variables,
    /// The same, and argocd-vault-plugin.
    VariablesAndKeys,
}

impl LaterStage {
    /// Returns the tools that may follow for an object.
    pub fn of(object: &Object<'_>, scene: &Scene<'_>) -> Self {
        match (scene.is_plain, object.manifest.annotation(VAULT_PLUGIN_PATH)) {
            (false, _) => Self::None,
            (true, None) => Self::Variables,
            (true, Some(_)) => Self::VariablesAndKeys,
        }
    }

    /// Returns whether a part of a text may still be replaced.
    pub(crate) fn may_fill(self, text: &str) -> bool {
        // Most texts have none of the three and are short.
        let is_plain = !text.bytes().fold(false, |found, byte| found | matches!(byte, b'$' | b'{' | b'<'));
        match self {
            _ if is_plain => false,
            Self::None => false,
            Self::Variables => has_variable(text) || has_placeholder(text),
            Self::VariablesAndKeys => has_variable(text) || text.contains('<'),
        }
    }
}

/// Returns whether a text holds `${VAR}`, `$VAR`, `{{ … }}` or `{% … %}`. `$(VAR)` is expanded in a container alone.
fn has_variable(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.windows(2).any(|pair| match pair {
        [b'$', next] => *next == b'{' || *next == b'_' || next.is_ascii_alphabetic(),
        [b'{', next] => matches!(next, b'{' | b'%'),
        _ => false,
    })
}

/// Returns whether a text holds `<provider:…>`.
fn has_placeholder(text: &str) -> bool {
    text.split('<').skip(1).any(|rest| {
        let (name, rest) = rest.split_once(':').unwrap_or_default();
        rest.contains('>')
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    })
}

/// Returns whether any tool may replace a part of a text, for rules that compare texts and report nothing in doubt.
pub(in crate::rules) fn may_change(text: &str) -> bool {
    LaterStage::VariablesAndKeys.may_fill(text)
}

/// Returns whether `{{ … }}` or `${…}` stands in a text.
pub(in crate::rules) fn is_template(text: &str) -> bool {
    [("{{", "}}"), ("${", "}")]
        .iter()
        .any(|(open, close)| text.split_once(open).is_some_and(|(_, rest)| rest.contains(close)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m_fp_04_variables_are_filled_in_later_in_plain_manifests_alone() {
        for (text, variables, keys) in [
            ("${VAR}", true, true),
            ("${VAR:=x}", true, true),
            ("web-$VAR", true, true),
            ("$_x", true, true),
            ("web-{{ env }}", true, true),
            ("{% if x %}", true, true),
            ("<vault:shop/db#password>", true, true),
            ("shop.<your domain>", false, true),
            ("app-<node>", false, true),
            ("$(APP)-x", false, false),
            ("we<b", false, true),
            ("{a}", false, false),
            ("5$", false, false),
            ("a:b", false, false),
            ("", false, false),
        ] {
            assert_eq!(LaterStage::Variables.may_fill(text), variables, "{text}");
            assert_eq!(LaterStage::VariablesAndKeys.may_fill(text), keys, "{text}");
            assert!(!LaterStage::None.may_fill(text), "{text}");
        }
    }

    #[test]
    fn templates_have_both_ends() {
        for (text, expected) in [
            ("web-{{ env }}", true),
            ("web:${TAG}", true),
            ("{{", false),
            ("}} {{", false),
            ("$(TAG)", false),
            ("a$b", false),
            ("{a}", false),
        ] {
            assert_eq!(is_template(text), expected, "{text}");
        }
    }
}
