//! Files of the apps that tests write themselves.

/// An app file with one environment, `dev`.
pub const APP_FILE: &str = "\
apiVersion: sealwave.dev/v1alpha1
kind: App
environments: {dev: {}}
";

/// A Secret with the value that [`super::TestApp::write_operator`] writes.
pub const SECRET_FILE: &str = "\
apiVersion: v1
kind: Secret
metadata:
  name: db
stringData:
  password: <file:app/db.yaml#password>
";
