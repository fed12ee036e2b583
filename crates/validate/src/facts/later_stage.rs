//! Strings that another tool fills in before the API server reads an object.
//!
//! Every rule that checks a string asks this module first, so that all rules agree.

use crate::facts::checked_object::CheckedObject;
use crate::facts::rule_context::RuleContext;

/// Annotation with which argocd-vault-plugin replaces every `<key>` of an object.
const VAULT_PLUGIN_PATH: &str = "avp.kubernetes.io/path";

/// Tools that may still change an object before it reaches the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LaterStage {
    /// No tool: a rendered app is applied as it is.
    None,
    /// Substitution of variables: Flux `postBuild`, `envsubst`, `OpenShift` templates, Helm.
    Variables,
    /// Substitution of variables, and argocd-vault-plugin.
    VariablesAndKeys,
}

impl LaterStage {
    /// Returns the tools that may still change an object.
    pub(crate) fn for_object(object: &CheckedObject<'_>, context: &RuleContext<'_>) -> Self {
        match (context.is_plain, object.manifest.annotation(VAULT_PLUGIN_PATH)) {
            (false, _) => Self::None,
            (true, None) => Self::Variables,
            (true, Some(_)) => Self::VariablesAndKeys,
        }
    }

    /// Returns whether a tool may still replace part of a string.
    pub(crate) fn may_fill(self, text: &str) -> bool {
        // Most strings are short and contain none of the three.
        let is_plain = !text.bytes().fold(false, |found, byte| found | matches!(byte, b'$' | b'{' | b'<'));
        match self {
            _ if is_plain => false,
            Self::None => false,
            Self::Variables => has_variable(text) || has_placeholder(text),
            Self::VariablesAndKeys => has_variable(text) || text.contains('<'),
        }
    }
}

/// Returns whether a string contains `${VAR}`, `$VAR`, `{{ … }}` or `{% … %}`. Only containers expand `$(VAR)`.
fn has_variable(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.windows(2).any(|pair| match pair {
        [b'$', next] => *next == b'{' || *next == b'_' || next.is_ascii_alphabetic(),
        [b'{', next] => matches!(next, b'{' | b'%'),
        _ => false,
    })
}

/// Returns whether a string contains `<provider:…>`.
fn has_placeholder(text: &str) -> bool {
    text.split('<').skip(1).any(|rest| {
        let (name, rest) = rest.split_once(':').unwrap_or_default();
        rest.contains('>')
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    })
}

/// Returns whether any tool may replace part of a string, for rules that compare strings and report only what is certain.
pub(crate) fn may_change(text: &str) -> bool {
    LaterStage::VariablesAndKeys.may_fill(text)
}

/// Returns whether a string contains `{{ … }}` or `${…}`.
pub(crate) fn is_template(text: &str) -> bool {
    [("{{", "}}"), ("${", "}")]
        .iter()
        .any(|(open, close)| text.split_once(open).is_some_and(|(_, rest)| rest.contains(close)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m_fp_04_only_plain_manifests_have_later_stages() {
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
    fn templates_have_opening_and_closing_braces() {
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
