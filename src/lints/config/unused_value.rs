//! `config/unused-value`.

use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::{Check, Draft, Environment, Reporter, Rule};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "config/unused-value",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a key of an environment's values is read by no template and set nowhere else",
        explanation: "The values of an environment lie over those of all environments. A key there that is misspelt changes \
                      nothing: the environment renders with the value that all others have, and nothing fails. So a key \
                      is reported that no template of the environment reads, in whatever branch, and that neither the \
                      shared `values.yaml` nor another environment has.\n\n\
                      What is in a value counts as read where the whole value is printed or given to a helper \
                      (`toYaml`, `lookup`, `get`), and everything where `values` is. Keys that start with `_`, `.` or \
                      `x-`, and values with an anchor, are left alone. Nothing is reported where a template cannot be \
                      read, or includes a partial whose name is only known when it runs.",
        example: "# values.yaml\ningress: {host: dev.example.com}\n# envs/prod/values.yaml\ningress: {hots: www.example.com}\n",
        remedy: "Write the key as templates read it, or remove it.",
    },
    check: Check::Environment(check),
};

fn check(environment: &Environment<'_>, reporter: &mut Reporter) {
    for unused in environment.unused {
        let message =
            format!("value `{}` is unused: no template reads it, and no other values define it", unused.key);
        let draft = Draft::new(&RULE, unused.at, message);
        reporter.report(match &unused.closest {
            Some(name) => draft.hint(format!("did you mean `{name}`?")),
            None => draft.hint("remove it, or read it in a template"),
        });
    }
}
