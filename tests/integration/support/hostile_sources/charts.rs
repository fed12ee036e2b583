//! Attacks through charts.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Ground, Harm, HostileSource, attack, proven};
use crate::support::MARKER;

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata:\n";

/// A template that prints a file of the chart.
const PRINTS_FILE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata:\n  text: {{ .Files.Get \"files/text\" | toJson }}\n";

#[expect(clippy::too_many_lines, reason = "one entry per attack")]
pub(super) fn all() -> Vec<HostileSource> {
    use Harm::{Connects, Exhausts, Reads, Shows, Starts};
    vec![
        attack("chart: a list of a thousand million numbers", Exhausts, |ground| {
            ground.chart("{{ range until 1000000000 }}{{ end }}\n");
        }),
        attack("chart: nested loops", Exhausts, |ground| {
            ground.chart("{{ $n := until 100000 }}{{ range $n }}{{ range $n }}{{ range $n }}{{ end }}{{ end }}{{ end }}\n");
        }),
        attack("chart: a template that includes itself", Exhausts, |ground| {
            ground.chart("{{ define \"a\" }}{{ include \"a\" . }}{{ include \"a\" . }}{{ end }}{{ include \"a\" . }}\n");
        }),
        attack("chart: a template that evaluates itself", Exhausts, |ground| {
            ground.chart("{{ tpl .Values.text . }}\n");
            ground.in_app("values.yaml", "text: '{{ tpl .Values.text . }}{{ tpl .Values.text . }}'\n");
        }),
        attack("chart: a text that doubles", Exhausts, |ground| {
            ground.chart(
                "{{ $s := \"xxxxxxxx\" }}{{ range until 40 }}{{ $s = print $s $s }}{{ end }}{{ $s }}\n",
            );
        }),
        attack("chart: a repeated text", Exhausts, |ground| {
            ground.chart("{{ repeat 1000000 (repeat 100000 \"x\") }}\n");
        }),
        attack("chart: endless output", Exhausts, |ground| {
            let line = "x".repeat(1000);
            let text = format!(
                "{{{{ range until 1000 }}}}{{{{ range until 10000 }}}}  # {line}\n{{{{ end }}}}{{{{ end }}}}"
            );
            ground.chart(&format!("{CONFIG_MAP}{text}  a: b\n"));
        }),
        attack("chart: a million objects", Exhausts, |ground| {
            ground.chart(
                "{{ range $i := until 1000000 }}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a{{ $i }}}\n{{ end }}\n",
            );
        }),
        attack("chart: an endless message", Exhausts, |ground| {
            ground.chart("{{ fail (repeat 100000000 \"x\") }}\n");
        }),
        attack("chart: a pattern that is slow to compile", Exhausts, |ground| {
            ground.chart(
                "{{ range until 1000000 }}{{ regexMatch \"((a{1,30}){1,30}){1,1}\" \"aaaa\" }}{{ end }}\n",
            );
        }),
        attack("chart: keys without end", Exhausts, |ground| {
            ground.chart("{{ range until 100000 }}{{ genPrivateKey \"rsa\" | len }}{{ end }}\n");
        }),
        attack("chart: values that expand", Exhausts, |ground| {
            ground.chart(CONFIG_MAP);
            let mut values = String::from("a0: &a0 [x, x, x, x]\n");
            for level in 1..30 {
                let before = level - 1;
                writeln!(values, "a{level}: &a{level} [*a{before}, *a{before}, *a{before}, *a{before}]")
                    .unwrap();
            }
            ground.in_app("values.yaml", &values);
        }),
        attack("chart: values that are nested deeply", Exhausts, |ground| {
            ground.chart(CONFIG_MAP);
            ground.in_app("values.yaml", &format!("a: {}{}\n", "[".repeat(1_000_000), "]".repeat(1_000_000)));
        }),
        attack("chart: a file of 1 GiB", Exhausts, |ground| {
            ground.chart(PRINTS_FILE);
            ground.sparse("repository/app/files/text", 1 << 30);
        }),
        attack("chart: a template of 1 GiB", Exhausts, |ground| {
            ground.chart(CONFIG_MAP);
            ground.sparse("repository/app/templates/large.yaml", 1 << 30);
        }),
        attack("chart: a values file of 1 GiB", Exhausts, |ground| {
            ground.chart(CONFIG_MAP);
            ground.sparse("repository/app/values.yaml", 1 << 30);
        }),
        attack("chart: a dependency that unpacks to 1 GiB", Exhausts, |ground| {
            ground.chart(CONFIG_MAP);
            archive(ground, "charts/bomb-1.0.0.tgz", "bomb/files/zeros", 1 << 30);
        }),
        attack("chart: a dependency that unpacks outside", Reads, |ground| {
            ground.chart(CONFIG_MAP);
            archive(ground, "charts/escape-1.0.0.tgz", "escape/../../../../outside/written", 16);
        }),
        attack("chart: a dependency that contains itself", Exhausts, |ground| {
            ground.chart(CONFIG_MAP);
            ground.link("repository/app/charts/self", "..");
        }),
        attack("chart: a fifo", Exhausts, |ground| {
            ground.chart(PRINTS_FILE);
            ground.in_app("files/other", "");
            let fifo = ground.app().join("files/text");
            assert!(Command::new("mkfifo").arg(fifo).status().unwrap().success());
        }),
        proven(
            "chart: a link to a file outside",
            Reads,
            |ground| {
                ground.chart(PRINTS_FILE);
                ground.link("repository/app/files/text", "../../../outside/secret.txt");
            },
            "helm template web .",
        ),
        proven(
            "chart: a link to a directory outside",
            Reads,
            |ground| {
                ground.chart(CONFIG_MAP);
                ground.link("repository/app/templates/more", "../../../outside");
            },
            "helm template web .",
        ),
        attack("chart: a link to /etc", Reads, |ground| {
            ground.chart("{{ .Files.Get \"files/etc/passwd\" }}\n");
            ground.link("repository/app/files/etc", "/etc");
        }),
        attack("chart: a link through two links", Reads, |ground| {
            ground.chart(PRINTS_FILE);
            ground.link("repository/app/files/text", "../hop");
            ground.link("repository/app/hop", "../../outside/secret.txt");
        }),
        attack("chart: a link to the environment of the process", Reads, |ground| {
            ground.chart(PRINTS_FILE);
            ground.link("repository/app/files/text", "/proc/self/environ");
        }),
        attack("chart: values are a link", Reads, |ground| {
            ground.chart("{{ .Values.password }}\n");
            ground.link("repository/app/values.yaml", "../../outside/secret.txt");
        }),
        attack("chart: the chart is a link", Reads, |ground| {
            ground.write("outside/chart/Chart.yaml", "apiVersion: v2\nname: outside\nversion: 1.0.0\n");
            ground.write("outside/chart/templates/a.yaml", &format!("{CONFIG_MAP}  text: {MARKER}-chart\n"));
            ground.app_file("- helm: {chart: chart}\n");
            ground.link("repository/app/chart", "../../outside/chart");
        }),
        attack("chart: the chart is outside", Reads, |ground| {
            ground.write("outside/chart/Chart.yaml", "apiVersion: v2\nname: outside\nversion: 1.0.0\n");
            ground.write("outside/chart/templates/a.yaml", &format!("{CONFIG_MAP}  text: {MARKER}-chart\n"));
            ground.app_file("- helm: {chart: ../../outside/chart}\n");
        }),
        proven(
            "chart: a values file outside",
            Reads,
            |ground| value_file(ground, "../../outside/secret.txt"),
            "helm template web . --values ../../outside/secret.txt",
        ),
        attack("chart: an absolute values file", Reads, |ground| {
            let outside = ground.path("outside/secret.txt");
            value_file(ground, outside.to_str().unwrap());
        }),
        attack("chart: a values file outside, by the environment", Reads, |ground| {
            value_file(ground, "{{env}}/../../../outside/secret.txt");
            ground.in_app("dev/values.yaml", "{}\n");
        }),
        attack("chart: values from a host", Connects, |ground| {
            value_file(ground, "https://127.0.0.1:9/values.yaml");
        }),
        attack("chart: values from standard input", Reads, |ground| value_file(ground, "-")),
        attack("chart: a dependency that is not vendored", Connects, |ground| {
            ground.chart(CONFIG_MAP);
            let dependency = "{name: redis, version: 1.0.0, repository: \"https://127.0.0.1:9\"}";
            ground.in_app(
                "Chart.yaml",
                &format!("apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies: [{dependency}]\n"),
            );
        }),
        attack("chart: from a repository that is not allowed", Connects, |ground| {
            ground.app_file(
                "- helm:\n    chart: web\n    repository: https://127.0.0.1:9\n    version: 1.0.0\n    digest: \
                 sha256:0000000000000000000000000000000000000000000000000000000000000000\n",
            );
        }),
        proven(
            "chart: a plugin in HOME that downloads values",
            Starts,
            |ground| {
                plugin(ground);
                value_file(ground, "evil://values");
            },
            "helm template web . --values evil://values",
        ),
        attack("chart: a plugin in the chart", Starts, |ground| {
            value_file(ground, "evil://values");
            for directory in [".helm/plugins/evil", ".local/share/helm/plugins/evil"] {
                ground.in_app(&format!("{directory}/plugin.yaml"), PLUGIN);
                ground.program(&format!("repository/app/{directory}/run.sh"));
            }
        }),
        attack("chart: a flag as release name", Starts, |ground| {
            ground.chart(CONFIG_MAP);
            ground.app_file("- helm: {releaseName: --post-renderer=./run.sh}\n");
            ground.program("repository/app/run.sh");
        }),
        attack("chart: a flag as namespace", Starts, |ground| {
            ground.chart(CONFIG_MAP);
            ground.app_file("- helm: {namespace: --post-renderer=./run.sh}\n");
            ground.program("repository/app/run.sh");
        }),
        attack("chart: a flag as chart", Starts, |ground| {
            ground.chart(CONFIG_MAP);
            ground.app_file("- helm: {chart: --post-renderer=./run.sh}\n");
            ground.program("repository/app/run.sh");
        }),
        attack("chart: control characters in a message", Shows, |ground| {
            ground.chart("{{ fail \"\\u001b[2J\\u001b]0;title\\u0007\\u202e reversed\" }}\n");
        }),
        attack("chart: a line break in the name of a template", Shows, |ground| {
            ground.chart(CONFIG_MAP);
            ground.in_app("templates/a\nerror: forged.yaml", "{{ fail \"no\" }}\n");
        }),
    ]
}

/// Writes a chart whose source names a values file.
fn value_file(ground: &Ground, file: &str) {
    ground.chart(&format!("{CONFIG_MAP}  password: {{{{ .Values.password | quote }}}}\n"));
    ground.app_file(&format!("- helm: {{valueFiles: [\"{file}\"]}}\n"));
}

/// A plugin that downloads `evil://`; both versions of Helm read this form.
const PLUGIN: &str = "name: evil\nversion: 1.0.0\nusage: x\ndescription: x\ncommand: $HELM_PLUGIN_DIR/run.sh\n\
    downloaders: [{command: run.sh, protocols: [evil]}]\n";

/// Installs a plugin in the home directory.
fn plugin(ground: &Ground) {
    for data in ["home/.local/share/helm", "home/.helm"] {
        ground.write(&format!("{data}/plugins/evil/plugin.yaml"), PLUGIN);
        ground.program(&format!("{data}/plugins/evil/run.sh"));
    }
}

/// Writes an archive with a `Chart.yaml` and a file of zeros.
fn archive(ground: &Ground, relative: &str, entry: &str, size: u64) {
    let path = ground.app().join(relative);
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    let mut out = GzEncoder::new(fs_err::File::create(path).unwrap(), Compression::fast());
    let name = entry.split('/').next().unwrap();
    let chart = format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
    out.write_all(&tar_header(&format!("{name}/Chart.yaml"), chart.len() as u64)).unwrap();
    let mut block = chart.into_bytes();
    block.resize(512, 0);
    out.write_all(&block).unwrap();
    out.write_all(&tar_header(entry, size)).unwrap();
    let zeros = vec![0; 1 << 16];
    let mut left = size.next_multiple_of(512) + 1024;
    while left > 0 {
        let part = left.min(zeros.len() as u64);
        out.write_all(&zeros[..usize::try_from(part).unwrap()]).unwrap();
        left -= part;
    }
    out.finish().unwrap();
}

/// Returns the header of a file in a tar archive.
fn tar_header(name: &str, size: u64) -> [u8; 512] {
    let mut header = [0; 512];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{size:011o}\0"));
    put(136, "00000000000\0");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\0");
    put(263, "00");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}
