//! The report of `init`: its findings, the app file, the rendered environments and the next steps.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use sealwave_adopt::{DeployedEnvironment, NextSteps};
use sealwave_core::diagnostic::printable;
use sealwave_core::text::{counted, shell_quoted};
use sealwave_secrets::settings::APP_FILE;

/// An environment that was rendered; without a number of objects, it failed.
pub(super) struct CheckedEnvironment {
    pub(super) name: String,
    pub(super) objects: Option<usize>,
}

/// Writes the report for the app in `dir`. Writing to a string cannot fail.
pub(super) fn write(dir: &str, found: &[String], next: &NextSteps, checked: &[CheckedEnvironment]) -> String {
    let mut out = String::new();
    heading(&mut out, "found");
    for line in found {
        let _ = writeln!(out, "  {}", printable(line));
    }
    heading(&mut out, "\nwrote");
    let path = if dir == "." { APP_FILE.to_owned() } else { format!("{dir}/{APP_FILE}") };
    let _ = writeln!(out, "  {}", printable(path));
    for environment in checked {
        let _ = writeln!(out, "  {}", status(environment));
    }
    if !next.moves.is_empty() {
        heading(&mut out, "\nmove");
        if dir != "." {
            let _ = writeln!(out, "  cd {}", shell_quoted(dir));
        }
        for command in &next.moves {
            let _ = writeln!(out, "  {}", printable(command));
        }
    }
    heading(&mut out, "\nnext");
    write_next(&mut out, dir, next);
    out
}

fn heading(out: &mut String, text: &str) {
    let bold = Style::new().bold();
    let blank = if text.starts_with('\n') { "\n" } else { "" };
    let _ = writeln!(out, "{blank}{bold}{}{bold:#}", text.trim_start());
}

fn status(environment: &CheckedEnvironment) -> String {
    let name = &environment.name;
    let Some(objects) = environment.objects else {
        let red = AnsiColor::Red.on_default();
        return format!("{red}failed{red:#}: `{name}` does not render; see the warnings");
    };
    let green = AnsiColor::Green.on_default();
    format!("{green}ok{green:#}: `{name}` renders {}", counted(objects, "object"))
}

fn write_next(out: &mut String, dir: &str, next: &NextSteps) {
    let directory = shell_quoted(dir);
    for deployed in &next.deployed {
        let mut command =
            format!("sealwave render {directory} --env {}", shell_quoted(&deployed.environment));
        if let Some(application) = &deployed.application {
            let _ = write!(command, " --app {}", shell_quoted(application));
        }
        let _ = write!(command, " --namespace {}", shell_quoted(namespace_of(deployed)));
        let _ = writeln!(out, "  {command}");
    }
    let _ = writeln!(out, "  sealwave validate {directory}");
    let _ = writeln!(
        out,
        "  then let the Application name the plugin, without `helm`, `kustomize` and `directory`:"
    );
    write_application(out, next);
    if let Some(tool) = next.tool {
        let _ = writeln!(
            out,
            "  Without `plugin.name`, Argo CD renders the directory with its own {} unless discovery\n  finds the plugin: it ignores {APP_FILE}, and applies a placeholder as the password.",
            tool.name()
        );
    }
}

fn write_application(out: &mut String, next: &NextSteps) {
    let repository = next.repository.as_deref().unwrap_or("https://git.example.com/REPOSITORY.git");
    let _ = writeln!(out, "    source:");
    let _ = writeln!(out, "      plugin:");
    let _ = writeln!(out, "        name: sealwave");
    if let Some(DeployedEnvironment { environment, .. }) = next.deployed.first() {
        let _ = writeln!(out, "        parameters:\n          - {{name: env, string: {environment}}}");
    }
    let _ = writeln!(out, "      repoURL: {}", printable(repository));
    let _ = writeln!(out, "      path: {}", printable(&next.path));
}

/// Returns the namespace of an environment; that of the destination is not known without an Application.
pub(super) fn namespace_of(deployed: &DeployedEnvironment) -> &str {
    deployed.namespace.as_deref().filter(|name| !name.is_empty()).unwrap_or("default")
}
