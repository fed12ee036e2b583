//! `image/reference`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::later_stage::{LaterStage, is_template};
use crate::facts::name_syntax::has_whitespace;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::text::split_at_byte;
use sealwave_kube::pods::containers;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "image/reference",
        severity: Severity::Error,
        summary: "an image reference is invalid",
        text: include_str!("reference.md"),
    },
    RuleCheck::Pod(check),
);

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some(pod) = &object.pod else { return };
    let stage = LaterStage::for_object(object, context);
    let container_images = containers(pod.spec).filter_map(|(_, container)| container.get("image"));
    let volumes = pod.spec.items_at(&["volumes"]);
    let volume_images = volumes.iter().filter_map(|volume| volume.at(&["image", "reference"]));
    for image in container_images.chain(volume_images) {
        let fault = image.as_str().filter(|text| !is_left_out(text, stage)).and_then(fault);
        if let Some((message, hint)) = fault {
            reporter.report(FindingDraft::new(&RULE, image.origin, message).hint(hint));
        }
    }
}

/// Returns whether another tool fills in a reference. In an app, `resource/unfilled` reports templates.
fn is_left_out(text: &str, stage: LaterStage) -> bool {
    stage.may_fill(text) || is_template(text)
}

/// Returns message and hint for an invalid reference; `None` for one that is empty, or that `ko` or an image trigger
/// still fills in.
fn fault(text: &str) -> Option<(&'static str, &'static str)> {
    if text.trim().is_empty() || text.starts_with("ko://") {
        return None;
    }
    if has_whitespace(text) {
        return Some(("image contains whitespace", "remove the whitespace"));
    }
    if memchr::memchr_iter(b':', text.as_bytes())
        .any(|at| text.get(at..).is_some_and(|rest| rest.starts_with("://")))
    {
        return Some(("image has a URL scheme", "remove everything up to `://`"));
    }
    let (named, digest) =
        split_at_byte(text, b'@').map_or((text, None), |(named, digest)| (named, Some(digest)));
    if digest.is_some_and(|digest| !is_digest(digest)) {
        return Some((
            "image digest is not valid",
            "write `@sha256:` and 64 hexadecimal digits in lower case",
        ));
    }
    // The colon of a registry's port comes before a slash.
    let last = named.bytes().rposition(|byte| byte == b'/').map_or(0, |slash| slash + 1);
    let colon = named.bytes().skip(last).position(|byte| byte == b':').map(|colon| last + colon);
    let (repository, tag) =
        colon.map_or((named, None), |colon| (named.get(..colon).unwrap_or_default(), named.get(colon + 1..)));
    if tag == Some("") {
        return Some(("image has no tag after its colon", "add the tag, or remove the colon"));
    }
    if tag.is_some_and(|tag| !is_tag(tag)) {
        return Some(("image tag is not valid", "use at most 128 letters, digits, `_`, `.` and `-`"));
    }
    if is_repository(repository) {
        return None;
    }
    Some(if repository.bytes().any(|byte| byte.is_ascii_uppercase()) {
        ("image name is not in lower case", "write the repository in lower case")
    } else {
        ("image name is not valid", "write `registry/repository:tag`")
    })
}

fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else { return false };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        // For other algorithms, the length is unknown.
        _ => return !algorithm.is_empty() && hex.len() >= 32,
    };
    hex.len() == length && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_tag(text: &str) -> bool {
    text.len() <= 128
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

fn is_repository(text: &str) -> bool {
    let (first, rest) = split_at_byte(text, b'/').unwrap_or(("", text));
    // The first part is a registry if it can be one.
    let is_registry =
        first.contains(['.', ':']) || first == "localhost" || first.bytes().any(|b| b.is_ascii_uppercase());
    let path = if is_registry { rest } else { text };
    (!is_registry || is_domain(first)) && path.as_bytes().split(|byte| *byte == b'/').all(is_component)
}

fn is_domain(text: &str) -> bool {
    if text.starts_with('[') {
        return true;
    }
    let (host, port) = split_at_byte(text, b':').map_or((text, None), |(host, port)| (host, Some(port)));
    let is_label = |label: &[u8]| {
        !label.is_empty()
            && !label.starts_with(b"-")
            && !label.ends_with(b"-")
            && label.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    };
    host.as_bytes().split(|byte| *byte == b'.').all(is_label)
        && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Reports whether a path component has only lower-case letters and digits, separated by `.`, `_`, `__` or dashes.
fn is_component(text: &[u8]) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut separators = text.split(is_word).filter(|part| !part.is_empty());
    text.first().is_some_and(is_word)
        && text.last().is_some_and(is_word)
        && separators.all(|part| matches!(part, b"." | b"_" | b"__") || part.iter().all(|byte| *byte == b'-'))
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn reference_grammar_matches_registries() {
        let digest = format!("nginx@sha256:{}", "0a".repeat(32));
        for good in [
            "nginx",
            "nginx:1.27",
            "library/nginx:1",
            "localhost/nginx",
            "registry:5000/a/b_c__d--e.f:V1_x",
            "Registry.example.com/nginx:1",
            "REGISTRY/nginx",
            "[::1]:5000/nginx:1",
            "auto",
            digest.as_str(),
        ] {
            assert_eq!(fault(good), None, "{good}");
        }
        for (bad, why) in [
            ("nginx:", "no tag after"),
            ("NGINX:1", "lower case"),
            ("acme/Nginx:1", "lower case"),
            (" nginx:1", "whitespace"),
            ("nginx:1 ", "whitespace"),
            ("https://example.com/nginx:1", "scheme"),
            ("nginx:-1", "tag"),
            ("nginx:1:2", "tag"),
            ("nginx@sha256:abc", "digest"),
            ("nginx@", "digest"),
            ("a//b", "name"),
            ("a/b/", "name"),
            (":1", "name"),
            ("a___b", "name"),
            ("_a", "name"),
            ("registry:x/a", "name"),
        ] {
            let (message, _) = fault(bad).expect(bad);
            assert!(message.contains(why), "{bad}: {message}");
        }
    }
}
