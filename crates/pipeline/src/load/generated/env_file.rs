//! Reads files of environment variables by the rules of `kubectl create --from-env-file`: one variable a line, without
//! quotes and escapes; blank lines and lines that start with `#` are skipped.

use super::error::Error;
use sealwave_core::diagnostic::Problem;
use sealwave_core::document::{Node, Origin, SourceId};

/// A variable.
pub(super) struct EnvLine<'a> {
    pub(super) key: &'a str,
    pub(super) key_origin: Origin,
    pub(super) value: Node,
}

/// Returns the variables of a file. Unlike kubectl, a line without `=` does not read the environment.
pub(super) fn lines(text: &str, source: SourceId) -> impl Iterator<Item = Result<EnvLine<'_>, Problem>> {
    (1..).zip(text.split('\n')).filter_map(move |(number, line)| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let trimmed = line.trim_start();
        (!trimmed.is_empty() && !trimmed.starts_with('#')).then(|| {
            let at = |before: &str, width: &str| Origin {
                source,
                line: number,
                column: count(before).saturating_add(1),
                width: count(width),
            };
            let indent = line.strip_suffix(trimmed).unwrap_or_default();
            let key_origin = at(indent, "");
            let (key, value) =
                trimmed.split_once('=').ok_or_else(|| Problem::at(key_origin, &Error::EnvLine))?;
            if key.starts_with(|first: char| first.is_ascii_digit()) {
                return Err(Problem::at(key_origin, &Error::EnvKey));
            }
            let before = line.strip_suffix(value).unwrap_or_default();
            Ok(EnvLine { key, key_origin: at(indent, key), value: Node::string(value, at(before, value)) })
        })
    })
}

fn count(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealwave_core::document::Sources;

    #[test]
    fn lines_are_read_as_kubectl_reads_them() {
        let text = "# comment\n\n  A=1\r\nB=\"two words\" \nC=\n\t# D=4\nE=a=b\nF\n1G=x\n";
        let read: Vec<_> = lines(text, Sources::default().add("app.env"))
            .map(|line| match line {
                Ok(EnvLine { key, key_origin, value }) => {
                    let at = value.origin;
                    let text = value.as_str().unwrap();
                    format!(
                        "{}:{} {key} | {}:{}+{} {text}",
                        key_origin.line, key_origin.column, at.line, at.column, at.width
                    )
                }
                Err(problem) => problem.message,
            })
            .collect();
        let expected = [
            "3:3 A | 3:5+1 1",
            "4:1 B | 4:3+12 \"two words\" ",
            "5:1 C | 5:3+0 ",
            "7:1 E | 7:3+3 a=b",
            "line is not `KEY=VALUE`; it is not shown, since it may be a value",
            "name of the variable is not valid; it is not shown, since it may be a value",
        ];
        assert_eq!(read, expected);
    }
}
