//! Credentials that are known by their shape: issuers' prefixes, private keys, JSON web tokens.
//!
//! One pass finds the keywords; an expression is compiled only when its keyword was seen, and without Unicode: with it,
//! compiling costs a hundred times as much.

use std::sync::{LazyLock, OnceLock};

use aho_corasick::AhoCorasick;
use regex::bytes::{Regex, RegexBuilder};

use super::{Kind, sample};

/// What a message calls the id of an AWS access key, which is one of a pair.
pub(super) const AWS_ACCESS_KEY: &str = "an AWS access key";

/// A shape.
struct Shape {
    kind: Kind,
    /// Texts of which one is in every match.
    keywords: &'static [&'static str],
    pattern: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

const fn token(noun: &'static str, keywords: &'static [&'static str], pattern: &'static str) -> Shape {
    Shape { kind: Kind::Token(noun), keywords, pattern, compiled: OnceLock::new() }
}

static SHAPES: [Shape; 39] = [
    Shape {
        kind: Kind::PrivateKey,
        keywords: &["PRIVATE KEY"],
        pattern: r"-----BEGIN (?:(?:DSA|EC|OPENSSH|PGP|RSA) )?PRIVATE KEY(?: BLOCK)?-----(?:\s|\\n|\\r|[A-Z][A-Za-z-]*: [^\n\\]*(?:\n|\\n))*[A-Za-z0-9+/=]{24,}",
        compiled: OnceLock::new(),
    },
    Shape {
        // The same in base64, as kubeconfigs have it.
        kind: Kind::PrivateKey,
        keywords: &["LS0tLS1CRUdJTi"],
        pattern: r"LS0tLS1CRUdJTi(?:BQUklWQVRFIEtFWS|BSU0EgUFJJVkFURSBLRV|BFQyBQUklWQVRFIEtFWS|BPUEVOU1NIIFBSSVZBVEUgS0VZ)[A-Za-z0-9+/=]{24,}",
        compiled: OnceLock::new(),
    },
    Shape {
        kind: Kind::Jwt,
        keywords: &["eyJ"],
        pattern: r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}",
        compiled: OnceLock::new(),
    },
    token("a 1Password service account token", &["ops_eyJ"], r"\bops_eyJ[A-Za-z0-9+/=_-]{200,}"),
    token(
        "an age identity",
        &["AGE-SECRET-KEY-1"],
        r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}",
    ),
    token("an Anthropic key", &["sk-ant-"], r"\bsk-ant-[a-z]{3,6}\d{2}-[A-Za-z0-9_-]{60,}"),
    token("an Artifactory key", &["AKCp"], r"\bAKCp[A-Za-z0-9]{69}\b"),
    token(AWS_ACCESS_KEY, &["AKIA", "ASIA"], r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    token("an Azure client secret", &["8Q~"], r"[A-Za-z0-9_~.-]{3}8Q~[A-Za-z0-9_~.-]{31,34}"),
    token(
        "an Azure key",
        &["AccountKey=", "SharedAccessKey="],
        r"\b(?:AccountKey=[A-Za-z0-9+/]{86}==|SharedAccessKey=[A-Za-z0-9+/]{43}=)",
    ),
    token("a Databricks token", &["dapi"], r"\bdapi[a-f0-9]{32}(?:-\d)?\b"),
    token("a DigitalOcean token", &["_v1_"], r"\bdo[oprt]_v1_[a-f0-9]{64}\b"),
    token(
        "a Discord webhook",
        &["/api/webhooks/"],
        r"discord(?:app)?\.com/api/webhooks/\d{17,20}/[A-Za-z0-9_-]{60,}",
    ),
    token("a Docker token", &["dckr_pat_"], r"\bdckr_pat_[A-Za-z0-9_-]{27,}"),
    token(
        "a Doppler token",
        &["dp.ct.", "dp.pt.", "dp.sa.", "dp.st."],
        r"\bdp\.(?:ct|pt|sa|st)\.[A-Za-z0-9._-]{40,}",
    ),
    token(
        "a GitHub token",
        &["gho_", "ghp_", "ghr_", "ghs_", "ghu_", "github_pat_"],
        r"\b(?:gh[oprsu]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,})",
    ),
    token(
        "a GitLab token",
        &["glagent-", "glcbt-", "gldt-", "glpat-", "glptt-", "glrt-"],
        r"\bgl(?:agent|cbt|dt|pat|ptt|rt)-[A-Za-z0-9_-]{20,}",
    ),
    Shape {
        // Those of maps and of Firebase are in every browser.
        kind: Kind::Publishable("a Google API key"),
        keywords: &["AIza"],
        pattern: r"\bAIza[A-Za-z0-9_-]{35}(?:[^A-Za-z0-9_-]|$)",
        compiled: OnceLock::new(),
    },
    token("a Google client secret", &["GOCSPX-"], r"\bGOCSPX-[A-Za-z0-9_-]{28}"),
    token("a Grafana token", &["glsa_"], r"\bglsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}\b"),
    token("a Hugging Face token", &["hf_"], r"\bhf_[A-Za-z0-9]{34,}\b"),
    token("a Linear key", &["lin_api_"], r"\blin_api_[A-Za-z0-9]{40}\b"),
    token("a New Relic key", &["NRAK-", "FFFFNRAL"], r"\b(?:NRAK-[A-Z0-9]{27}|[a-f0-9]{32}FFFFNRAL)\b"),
    token("an npm token", &["npm_"], r"\bnpm_[A-Za-z0-9]{36}\b"),
    token(
        "an OpenAI key",
        &["T3BlbkFJ"],
        r"\bsk-(?:[a-z]{4,8}-)?[A-Za-z0-9_-]{20,}T3BlbkFJ[A-Za-z0-9_-]{20,}",
    ),
    token("a PlanetScale credential", &["pscale_"], r"\bpscale_(?:pw|tkn|oauth)_[A-Za-z0-9_.=-]{32,}"),
    token("a Pulumi token", &["pul-"], r"\bpul-[a-f0-9]{40}\b"),
    token("a PyPI token", &["pypi-AgE"], r"\bpypi-AgE[A-Za-z0-9_-]{50,}"),
    token("a RubyGems key", &["rubygems_"], r"\brubygems_[a-f0-9]{48}\b"),
    token("a SendGrid key", &["SG."], r"\bSG\.[A-Za-z0-9_-]{20,24}\.[A-Za-z0-9_-]{39,50}"),
    token(
        "a Sentry token",
        &["sntrys_", "sntryu_"],
        r"\b(?:sntrys_eyJ[A-Za-z0-9+/=_]{40,}|sntryu_[a-f0-9]{64})",
    ),
    token(
        "a Shopify token",
        &["shpat_", "shpca_", "shppa_", "shpss_"],
        r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b",
    ),
    token(
        "a Slack token",
        &["xapp-", "xoxa-", "xoxb-", "xoxe", "xoxo-", "xoxp-", "xoxr-", "xoxs-"],
        r"\b(?:xapp-\d-[A-Za-z0-9]+-\d+-[a-z0-9]{20,}|xox[aboprs]-[A-Za-z0-9-]{20,}|xoxe(?:\.xox[bp])?-[A-Za-z0-9-]{20,})",
    ),
    token(
        "a Slack webhook",
        &["hooks.slack.com/"],
        r"hooks\.slack\.com/(?:services|triggers|workflows)/[A-Za-z0-9]+/[A-Za-z0-9/]+/[A-Za-z0-9]{20,}",
    ),
    token(
        "a Stripe key",
        &["rk_live_", "sk_live_", "whsec_"],
        r"\b(?:[rs]k_live_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/=]{32,})",
    ),
    token("a Tailscale key", &["tskey-"], r"\btskey-(?:api|auth|client|scim)-[A-Za-z0-9]+-[A-Za-z0-9]{20,}"),
    token(
        "a Teams webhook",
        &["/webhookb2/"],
        r"\.webhook\.office\.com/webhookb2/[a-f0-9@-]{60,}/IncomingWebhook/[a-f0-9]{32}/",
    ),
    token("a Terraform Cloud token", &[".atlasv1."], r"\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,}"),
    token("a Vault token", &["hvb.", "hvr.", "hvs."], r"\bhv[brs]\.[A-Za-z0-9_-]{24,}"),
];

struct Index {
    automaton: AhoCorasick,
    /// The shape of each keyword.
    shapes: Vec<usize>,
}

static INDEX: LazyLock<Option<Index>> = LazyLock::new(|| {
    let keywords = || {
        SHAPES.iter().enumerate().flat_map(|(at, shape)| shape.keywords.iter().map(move |word| (at, word)))
    };
    let automaton = AhoCorasick::new(keywords().map(|(_, word)| word)).ok()?;
    Some(Index { automaton, shapes: keywords().map(|(at, _)| at).collect() })
});

/// What a text holds; what is certain before what is not.
pub(super) fn find(text: &str) -> Option<Kind> {
    find_at(text).map(|(_, kind)| kind)
}

/// The same, and where.
pub(super) fn find_at(text: &str) -> Option<(usize, Kind)> {
    let index = INDEX.as_ref()?;
    // Hardly a text has one of the keywords, and to find that out is quicker than to ask for all of them.
    index.automaton.find(text)?;
    let mut tried = 0_u64;
    let mut unsure = None;
    for hit in index.automaton.find_overlapping_iter(text.as_bytes()) {
        let Some((number, shape)) = index
            .shapes
            .get(hit.pattern().as_usize())
            .and_then(|number| Some((*number, SHAPES.get(*number)?)))
        else {
            continue;
        };
        if tried & (1 << number) != 0 {
            continue;
        }
        tried |= 1 << number;
        if let Some(at) = shape.find(text) {
            if shape.kind.is_certain() {
                return Some((at, shape.kind));
            }
            unsure = unsure.or(Some((at, shape.kind)));
        }
    }
    unsure
}

impl Shape {
    /// Where a text holds one that is no sample.
    fn find(&self, text: &str) -> Option<usize> {
        let compiled =
            self.compiled.get_or_init(|| RegexBuilder::new(self.pattern).unicode(false).build().ok());
        let found = compiled.as_ref()?.find_iter(text.as_bytes()).take(MAX_SAMPLES);
        found
            .map(|found| found.range())
            .find(|range| text.get(range.clone()).is_some_and(|token| !sample::is_sample_token(token)))
            .map(|range| range.start)
    }
}

/// Samples after which a text is taken for documentation.
const MAX_SAMPLES: usize = 64;

#[cfg(test)]
pub(super) fn patterns_compile() -> bool {
    SHAPES.len() <= 64
        && SHAPES.iter().all(|shape| RegexBuilder::new(shape.pattern).unicode(false).build().is_ok())
}
