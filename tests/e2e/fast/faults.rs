//! A mistake in an app or at its secret source becomes a condition of the Application, with sealwave's whole message.
//!
//! After the repair, Argo CD goes on.

use std::path::PathBuf;
use std::sync::Arc;

use crate::harness::{Refresh, SECRET_FILE, Stack, TestApp, condition};

/// A mistake, and the message with which the condition must end.
pub struct Fault {
    pub name: &'static str,
    pub mistake: Mistake,
    pub message: &'static str,
    /// Whether the message ends with advice to use Hard Refresh.
    pub advises_refresh: bool,
}

/// A way to make a mistake.
pub enum Mistake {
    /// In a file of the app, a text is replaced.
    App(&'static str, &'static str, &'static str),
    /// The Application names this environment, or none.
    Environment(Option<&'static str>),
    /// The app has one more file.
    NewFile(&'static str, &'static str),
    /// In a file of the operator, a text is replaced.
    Operator(&'static str, &'static str, &'static str),
}

/// The advice at the end of the first error, if it may be repaired outside of Git.
const ADVICE: &str =
    "; Argo CD caches this error: after a repair outside of Git, use Hard Refresh on the Application";

const APP_FILE: &str = "\
apiVersion: sealwave.dev/v1alpha1
kind: App
environments:
  dev: {}
  prod: {cluster: prod}
";

const CONFIG: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: config
data:
  host: db.example.internal
";

const TEMPLATE: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: port
data:
  port: {{ port }}
";

/// The mistakes that people make most often.
const FAULTS: &[Fault] = &[
    Fault {
        name: "missing key",
        mistake: Mistake::App("base/secret.yaml", "#password", "#passwort"),
        message: "\
error: reference `file:app/db.yaml#passwort` is not found: the file has no such key
  --> base/secret.yaml:6:13
   = help: `#a.b` is a key of an object, `#list.0` an item of a list, `#\"a.b\".c` quotes a name with a dot; \
`| jsonPath {.a}` reads JSON within a value",
        advises_refresh: true,
    },
    Fault {
        name: "refused by the policy",
        mistake: Mistake::App("base/secret.yaml", "file:app/", "file:other/"),
        message: "\
error: reference `file:other/db.yaml#password` is refused: no rule of the operator's policy allows it to project `faults`, \
app `faults`, namespace `faults`, repository `file:///run/sealwave-e2e/git/faults`, environment `dev`
  --> base/secret.yaml:6:13
   = help: ask the operator for a rule under `policy` in the operator file",
        advises_refresh: true,
    },
    Fault {
        name: "YAML",
        mistake: Mistake::App("base/config.yaml", "\ndata:", "\n data:"),
        message: "\
error: indentation does not match the lines above
  --> base/config.yaml:5:2
   = help: indent the line with 2 spaces, like key `name`",
        advises_refresh: false,
    },
    Fault {
        name: "template",
        mistake: Mistake::NewFile("base/port.yaml.hbs", TEMPLATE),
        message: "\
error: value `port` is not defined
  --> base/port.yaml.hbs:6:12
   = help: set it in `values.yaml`, or write `{{default \"…\" port}}`",
        advises_refresh: false,
    },
    Fault {
        name: "unknown environment",
        mistake: Mistake::Environment(Some("stage")),
        message: "\
error: environment `stage` does not exist; known environments: `dev`, `prod`
  --> sealwave.yaml
   = help: an environment is a directory under `envs/` or an entry of `environments` in `sealwave.yaml`",
        advises_refresh: false,
    },
    Fault {
        name: "no environment",
        mistake: Mistake::Environment(None),
        message: "\
error: no environment is given; available: `dev`, `prod`
   = help: select one with `--env`; in Argo CD, set the parameter `env` under `spec.source.plugin.parameters`",
        advises_refresh: false,
    },
    Fault {
        name: "placeholder in a ConfigMap",
        mistake: Mistake::App("base/config.yaml", "db.example.internal", "<file:app/db.yaml#password>"),
        message: "\
error: placeholder of provider `file` is outside of a Secret's data, in ConfigMap `faults/config`
  --> base/config.yaml:6:9
   = help: put the value in a Secret and refer to it; if it is meant as text, double its `<`: `<<name:…`, or set the annotation \
`sealwave.dev/literal: \"true\"` on the object",
        advises_refresh: false,
    },
];

/// The mistakes that people make most often appear whole, without values, and are gone after the repair.
pub fn common_mistakes(stack: &Arc<Stack>) {
    let app = prepare(stack, "faults");
    let commit = app.deploy("faults", "dev");
    app.wait_healthy(&commit);
    for fault in FAULTS {
        assert_message(&app, fault);
    }
}

/// Writes an app without a mistake.
pub fn prepare(stack: &Arc<Stack>, name: &str) -> TestApp {
    let app = TestApp::new(stack, name, &[]);
    app.write_operator();
    app.write_operator_file("secrets/other/db.yaml", "password: CANARY-faults-other\n");
    let files =
        [("sealwave.yaml", APP_FILE), ("base/config.yaml", CONFIG), ("base/secret.yaml", SECRET_FILE)];
    for (path, text) in files {
        app.repository().write(&format!("app/{path}"), text);
    }
    app
}

/// Makes a mistake in a deployed app, and repairs it after a look at the condition.
pub fn assert_message(app: &TestApp, fault: &Fault) {
    let repair = make(app, &fault.mistake);
    let live = app.refresh(Refresh::Hard);
    let message =
        condition(&live, "ComparisonError").unwrap_or_else(|| panic!("{}: no condition", fault.name));
    let advice = if fault.advises_refresh { ADVICE } else { "" };
    let expected = format!("{}{advice}", fault.message);
    assert!(message.ends_with(&expected), "{}: the condition is\n{message}\nnot\n{expected}", fault.name);
    assert!(!message.contains("CANARY"), "{}: a value is in the condition:\n{message}", fault.name);
    assert_eq!(live["status"]["sync"]["status"], "Unknown", "{}", fault.name);

    repair(app);
    let live = app.refresh(Refresh::Hard);
    assert_eq!(condition(&live, "ComparisonError"), None, "{}, after the repair", fault.name);
    assert_eq!(live["status"]["sync"]["status"], "Synced", "{}, after the repair", fault.name);
}

/// Makes a mistake, and returns its repair.
fn make(app: &TestApp, mistake: &Mistake) -> Box<dyn Fn(&TestApp)> {
    let files = app.repository().directory().join("app");
    match *mistake {
        Mistake::App(file, from, to) => replace(app, files.join(file), from, to),
        Mistake::Operator(file, from, to) => {
            replace(app, app.sidecar().operator_directory().join(file), from, to)
        }
        Mistake::Environment(name) => {
            app.switch_environment(name);
            Box::new(|app| app.switch_environment(Some("dev")))
        }
        Mistake::NewFile(path, text) => {
            app.repository().write(&format!("app/{path}"), text);
            app.repository().commit("a mistake");
            Box::new(move |app| {
                fs_err::remove_file(files.join(path)).expect("the new file");
                app.repository().commit("the repair");
            })
        }
    }
}

/// Replaces a text in a file. A commit without a change, for a file of the operator, does no harm.
fn replace(app: &TestApp, file: PathBuf, from: &str, to: &str) -> Box<dyn Fn(&TestApp)> {
    let good = fs_err::read_to_string(&file).expect("a file");
    let bad = good.replace(from, to);
    assert_ne!(good, bad, "the mistake is one");
    fs_err::write(&file, bad).expect("writable");
    app.repository().commit("a mistake");
    Box::new(move |app| {
        fs_err::write(&file, &good).expect("writable");
        app.repository().commit("the repair");
    })
}
