//! Recognizes credentials by their format: issuers' prefixes, private keys, JSON web tokens.
//!
//! One pass finds the keywords. A regular expression is compiled only if its keyword occurs, and without Unicode, which
//! makes compilation a hundred times more expensive.

use std::sync::{LazyLock, OnceLock};

use aho_corasick::AhoCorasick;
use regex::bytes::{Regex, RegexBuilder};

use super::{CredentialKind, sample};

/// The noun for the id of an AWS access key, which is one of a pair.
pub(crate) const AWS_ACCESS_KEY: &str = "an AWS access key";

/// The format of a token.
struct TokenPattern {
    kind: CredentialKind,
    /// Texts; every match contains one of them.
    keywords: &'static [&'static str],
    pattern: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

const fn token(noun: &'static str, keywords: &'static [&'static str], pattern: &'static str) -> TokenPattern {
    TokenPattern { kind: CredentialKind::Token(noun), keywords, pattern, compiled: OnceLock::new() }
}

static PATTERNS: [TokenPattern; 39] = [
    TokenPattern {
        kind: CredentialKind::PrivateKey,
        keywords: &["PRIVATE KEY"],
        pattern: r"-----BEGIN (?:(?:DSA|EC|OPENSSH|PGP|RSA) )?PRIVATE KEY(?: BLOCK)?-----(?:\s|\\n|\\r|[A-Z][A-Za-z-]*: [^\n\\]*(?:\n|\\n))*[A-Za-z0-9+/=]{24,}",
        compiled: OnceLock::new(),
    },
    TokenPattern {
        // The same in base64, as in kubeconfigs.
        kind: CredentialKind::PrivateKey,
        keywords: &["LS0tLS1CRUdJTi"],
        pattern: r"LS0tLS1CRUdJTi(?:BQUklWQVRFIEtFWS|BSU0EgUFJJVkFURSBLRV|BFQyBQUklWQVRFIEtFWS|BPUEVOU1NIIFBSSVZBVEUgS0VZ)[A-Za-z0-9+/=]{24,}",
        compiled: OnceLock::new(),
    },
    TokenPattern {
        kind: CredentialKind::Jwt,
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
    TokenPattern {
        // Keys for Maps and Firebase are sent to every browser.
        kind: CredentialKind::Publishable("a Google API key"),
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

struct KeywordIndex {
    automaton: AhoCorasick,
    /// The pattern of each keyword.
    patterns: Vec<usize>,
}

static INDEX: LazyLock<Option<KeywordIndex>> = LazyLock::new(|| {
    let keywords = || {
        PATTERNS.iter().enumerate().flat_map(|(at, token)| token.keywords.iter().map(move |word| (at, word)))
    };
    let automaton = AhoCorasick::new(keywords().map(|(_, word)| word)).ok()?;
    Some(KeywordIndex { automaton, patterns: keywords().map(|(at, _)| at).collect() })
});

/// Returns the kind of credential in a text, certain ones first.
pub(crate) fn find(text: &str) -> Option<CredentialKind> {
    find_at(text).map(|(_, kind)| kind)
}

/// Like [`find`], with the offset.
pub(crate) fn find_at(text: &str) -> Option<(usize, CredentialKind)> {
    let index = INDEX.as_ref()?;
    // Few texts have a keyword, and a search for the first one is faster than for all.
    index.automaton.find(text)?;
    let mut tried = 0_u64;
    let mut uncertain = None;
    for hit in index.automaton.find_overlapping_iter(text.as_bytes()) {
        let Some((number, token)) = index
            .patterns
            .get(hit.pattern().as_usize())
            .and_then(|number| Some((*number, PATTERNS.get(*number)?)))
        else {
            continue;
        };
        if tried & (1 << number) != 0 {
            continue;
        }
        tried |= 1 << number;
        if let Some(at) = token.find(text) {
            if token.kind.is_certain() {
                return Some((at, token.kind));
            }
            uncertain = uncertain.or(Some((at, token.kind)));
        }
    }
    uncertain
}

impl TokenPattern {
    /// Returns the offset of a match that is not a sample.
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

/// After this many samples, a text counts as documentation.
const MAX_SAMPLES: usize = 64;

#[cfg(test)]
pub(crate) fn patterns_compile() -> bool {
    PATTERNS.len() <= 64
        && PATTERNS.iter().all(|token| RegexBuilder::new(token.pattern).unicode(false).build().is_ok())
}
