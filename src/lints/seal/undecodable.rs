//! `seal/undecodable`.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{is_sealed_secret, items};
use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::model::{Node, item_called};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "seal/undecodable",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "an item of a SealedSecret cannot be a sealed value",
        explanation: "A sealed value is standard base64 with padding, of two bytes that say how long the RSA block is, that \
                      block, and the AES-GCM ciphertext with a tag of 16 bytes: some 370 characters for a 2048-bit key and \
                      708 for 4096 bits, however short the value. Anything else was cut off, changed, or never sealed: \
                      perhaps it is the value itself. The controller refuses the whole SealedSecret for one such item.",
        example: "kind: SealedSecret\nspec:\n  encryptedData:\n    password: aHVudGVyMg==   # base64, but not sealed\n",
        remedy: "Seal the value again, and paste all of it:\n\n```sh\nprintf %s \"$VALUE\" | kubeseal --raw --namespace shop --name db\n\
                 ```\n\nIf the value stood there in clear, change it: it is in Git's history.",
    },
    check: Check::Object(check),
};

/// Base64 as Go decodes it: padding is required, trailing bits are ignored.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// RSA block size of a 1024-bit key, the smallest that either side accepts.
const SMALLEST_BLOCK: usize = 128;
/// Size of the AES-GCM tag, the whole ciphertext of an empty value.
const TAG: usize = 16;

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    if !is_sealed_secret(object) {
        return;
    }
    for entry in items(object) {
        let Some(fault) = fault(&entry.value) else { continue };
        reporter.report(
            Draft::new(&RULE, entry.value.origin, format!("{} {fault}", item_called(&entry.key)))
                .hint("seal the value again with `kubeseal`, and copy all its output")
                .confidential(),
        );
    }
}

fn fault(value: &Node) -> Option<&'static str> {
    let Some(text) = value.as_str() else { return Some("is not a string") };
    let packed = if text.contains(['\r', '\n']) { text.replace(['\r', '\n'], "") } else { text.to_owned() };
    let Ok(bytes) = BASE64.decode(packed) else { return Some("is not standard base64 with padding") };
    let [high, low, rest @ ..] = bytes.as_slice() else { return Some("is too short for a sealed value") };
    let block = usize::from(u16::from_be_bytes([*high, *low]));
    if rest.len() < SMALLEST_BLOCK + TAG {
        Some("is too short for a sealed value")
    } else if block < SMALLEST_BLOCK || rest.len() < block + TAG {
        Some("is not a valid sealed value")
    } else {
        None
    }
}
