//! `secret/too-large`.

use super::items::{Item, items};
use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "secret/too-large",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::BuiltInKinds,
        summary: "a Secret is larger than Kubernetes allows",
        explanation: "The values of a Secret may have 1 MiB together, after decoding; the API server refuses more, \
                      and the sync fails. What placeholders stand for is not counted here.",
        example: "kind: Secret\ndata:\n  bundle.zip: UEsDBBQAAAAIA…   # more than 1 MiB\n",
        remedy: "Spread the items over several Secrets and mount them together as a `projected` volume; keep what is not secret in the \
                 image or on a volume.",
    },
    check: Check::Object(check),
};

/// Kubernetes' `MaxSecretSize`.
const MAX: usize = 1024 * 1024;

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    let items = items(object);
    let written: usize = items.iter().map(|item| item.written().len()).sum();
    if written <= MAX {
        return;
    }
    let size: usize = items.iter().filter_map(Item::bytes).map(<[u8]>::len).sum();
    if size > MAX {
        let at = object.name_at();
        reporter.report(
            Draft::new(&RULE, at, "the values of this Secret exceed 1 MiB in total").hint(
                "spread the items over several Secrets, and mount them together as a `projected` volume",
            ),
        );
    }
}
