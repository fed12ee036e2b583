//! An operator file for apps that tests write themselves.

use super::app::TestApp;

/// The keys of the operator file: (file, key in base64).
pub const OPERATOR_KEYS: [(&str, &str); 2] = [
    ("seal-key", "Blq5AfawOuKJnYCnLXz44jxEhCupijNyvvIkiyNF+aw="),
    ("checksum-key", "0JlpeJHDxbmX8PqiGZ6a2hEixN36Hqeawg/PutKrpig="),
];

const OPERATOR_FILE: &str = "\
apiVersion: sealwave.dev/v1alpha1
kind: Operator
sealKeyFile: seal-key
checksumKeyFile: checksum-key
derivation: v2
clusters: {dev: {certificate: {file: certs/dev.pem}}}
providers: {file: {kind: file, root: secrets}}
policy:
  - {name: own, projects: [PROJECT], clusters: [dev], allow: [ALLOW]}
";

/// Returns an operator file with one cluster, `dev`, and one provider, `file`, whose secrets are in `secrets/`. The project may
/// use the references that match `allow`, a list of globs as YAML has them.
pub fn operator_file(project: &str, allow: &str) -> String {
    OPERATOR_FILE.replace("PROJECT", project).replace("ALLOW", allow)
}

impl TestApp {
    /// Writes an operator file, its keys, the running controller's certificate, and one secret, `file:app/db.yaml#password`.
    /// The policy allows the secrets in `secrets/app/` to the project that has the app's name.
    pub fn write_operator(&self) {
        for (file, key) in OPERATOR_KEYS {
            self.write_operator_file(file, &format!("sealwave-{file}-v1:{key}\n"));
        }
        self.write_operator_file("certs/dev.pem", &self.stack().controller.certificate());
        self.write_operator_file("secrets/app/db.yaml", &format!("password: {}\n", self.password()));
        self.write_operator_file(
            "operator.yaml",
            &operator_file(self.name(), "'file:app/*', 'file:app/*#*'"),
        );
    }

    /// Returns the value of the secret that [`Self::write_operator`] writes.
    pub fn password(&self) -> String {
        format!("CANARY-{}-password", self.name())
    }
}
