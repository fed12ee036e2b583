//! `secret/in-file`.

use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::credential::files;
use crate::lints::{App, Check, Draft, Reporter, Rule};
use crate::model::Origin;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "secret/in-file",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a file beside the app holds a credential, and no `.gitignore` names it",
        explanation: "Programs keep credentials in files of certain names: `.env`, `.aws/credentials`, kubeconfigs, `*.pem`, \
                      `*.key`, `id_rsa`, `*.p12`, `.npmrc`, `.netrc`, `.pgpass`, logins of registries, state and variables of \
                      Terraform, keys of service accounts, and the seal key of sealwave. In the directory of an app, `git add` \
                      takes such a file unless a `.gitignore` names it, and then everyone who may read the repository has \
                      what it holds. A private key, a login or a token is an error. Public certificates, files that SOPS, age \
                      or git-crypt encrypted, samples (`.env.example`) and ignored files are not reported.",
        example: "# my-app/.env, which .gitignore does not name\nDB_PASSWORD=Tr0ub4dor&3\n",
        remedy: "Remove the file, name it in `.gitignore`, and change what it held: Git's history keeps it.\n\n\
                 ```sh\ngit rm --cached my-app/.env && echo .env >>my-app/.gitignore\n```",
    },
    check: Check::App(check),
};

fn check(app: &App<'_>, reporter: &mut Reporter) {
    for file in app.files {
        let found = if file.is_own_key {
            Some(files::FileFinding { line: 1, noun: "a key of sealwave", is_certain: true })
        } else {
            files::find(file.form, &file.content, file.source)
        };
        let Some(found) = found else { continue };
        let at = Origin::point(file.source, found.line, 0);
        let severity = if found.is_certain { Severity::Error } else { Severity::Warning };
        let hint = if file.is_own_key {
            "move it out of the repository, create a new key, and see docs/keys.md on replacing it"
        } else {
            "remove the file from Git, name it in `.gitignore`, and change what it holds"
        };
        let message = format!("file holds {}, and no `.gitignore` names it", found.noun);
        reporter.report(Draft::new(&RULE, at, message).severity(severity).hint(hint).confidential());
    }
}
