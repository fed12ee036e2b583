//! An operator file for apps that tests write themselves.

use super::app::TestApp;

/// The keys of the operator file: (file, key in base64).
pub const OPERATOR_KEYS: [(&str, &str); 2] = [
    ("seal-key", "Blq5AfawOuKJnYCnLXz44jxEhCupijNyvvIkiyNF+aw="),
    ("checksum-key", "0JlpeJHDxbmX8PqiGZ6a2hEixN36Hqeawg/PutKrpig="),
];

/// The operator's secrets are in `secrets/`; the policy allows those in `secrets/app/`, to the project that the app's name is.
const OPERATOR: &str = "\
apiVersion: sealwave.dev/v1alpha1
kind: Operator
sealKeyFile: seal-key
checksumKeyFile: checksum-key
derivation: v2
clusters: {dev: {certificate: {file: certs/dev.pem}}}
providers: {file: {kind: file, root: secrets}}
policy:
  - {name: own, projects: [NAME], clusters: [dev], allow: ['file:app/*', 'file:app/*#*']}
";

impl TestApp {
    /// Writes an operator file, its keys, and the running controller's certificate.
    pub fn write_operator(&self, certificate: &str) {
        for (file, key) in OPERATOR_KEYS {
            self.write_operator_file(file, &format!("sealwave-{file}-v1:{key}\n"));
        }
        self.write_operator_file("certs/dev.pem", certificate);
        self.write_operator_file("operator.yaml", &OPERATOR.replace("NAME", self.name()));
    }
}
