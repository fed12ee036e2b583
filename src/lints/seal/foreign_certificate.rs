//! `seal/foreign-certificate`.

use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::{Check, Draft, Environment, Reporter, Rule};
use crate::model::Node;
use crate::model::names::SEALED_FOR;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "seal/foreign-certificate",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a committed SealedSecret was sealed for another certificate",
        explanation: "sealwave writes the fingerprint of the public key into what it seals. A value opens only in a cluster of \
                      which the controller has the private key. A fingerprint other than the one that the operator file has for \
                      the environment's cluster, or two of them in one environment, show a file that was copied from another \
                      environment, or one that was sealed before the controller made its newest key: the controller opens \
                      these as long as it keeps the old one.",
        example: "# envs/prod/db.yaml, copied from envs/dev\nkind: SealedSecret\nmetadata:\n  annotations:\n    \
                  sealwave.dev/certificate: sha256:0f…\n",
        remedy: "Render and seal it again for this environment. Better, commit a Secret with placeholders, and let sealwave seal \
                 it for each environment when Argo CD asks.",
    },
    check: Check::Environment(check),
};

fn check(environment: &Environment<'_>, reporter: &mut Reporter) {
    let known = environment.scene.settings.certificates.get(environment.name);
    let mut first: Option<&Node> = None;
    for (number, object) in environment.objects.iter().enumerate() {
        let Some(node) = object.manifest.annotations().and_then(|all| all.get(SEALED_FOR)) else { continue };
        let Some(text) = node.as_str() else { continue };
        if let Some(known) = known {
            if known != text {
                reporter.report(
                    Draft::new(
                        &RULE,
                        node.origin,
                        "the values were sealed for a certificate other than that of the cluster",
                    )
                    .about(number)
                    .hint("seal it again for this environment"),
                );
            }
            continue;
        }
        let Some(first) = first else {
            first = Some(node);
            continue;
        };
        // Plain manifests may be for several environments.
        if first.as_str() != Some(text) && !environment.is_plain() {
            reporter.report(
                Draft::new(
                    &RULE,
                    node.origin,
                    "the values were sealed for a certificate other than those of the environment's other objects",
                )
                .about(number)
                .related(first.origin, "this one was sealed for another certificate")
                .hint("seal both for the cluster of this environment"),
            );
        }
    }
}
