//! The constructs and functions of Helm's template language that templates do not have, and what to write instead.
//!
//! Messages and `docs/writing/from-helm.md` use this table; a test compares them.

use crate::render::helpers;
use sealwave_core::text::closest_name;

/// A construct of another template language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConstructId {
    Assignment,
    Block,
    Break,
    CallWithCommas,
    Comment,
    Define,
    Dot,
    Else,
    End,
    If,
    Index,
    Jinja,
    Operator,
    Partial,
    Pipe,
    Range,
    RawText,
    Renamed,
    Trim,
    Variable,
    With,
}

/// A construct: how it is written there and here.
pub(crate) struct Construct {
    id: ConstructId,
    /// The difference, as the reason of a message.
    pub(super) reason: &'static str,
    /// An example in the other language.
    pub(super) theirs: &'static str,
    /// The same here. Also the form that a message shows if the author's text cannot be translated.
    pub(super) ours: &'static str,
}

const fn construct(
    id: ConstructId,
    reason: &'static str,
    theirs: &'static str,
    ours: &'static str,
) -> Construct {
    Construct { id, reason, theirs, ours }
}

/// All constructs, by their names.
pub(crate) static CONSTRUCTS: &[Construct] = &[
    construct(
        ConstructId::Assignment,
        "templates have no variables",
        "{{ $name := .Values.name }}",
        "{{name}}",
    ),
    construct(
        ConstructId::Block,
        "a partial is a file of its own",
        "{{ block \"labels\" . }}",
        "{{> labels}}",
    ),
    construct(
        ConstructId::Break,
        "a loop does not end early",
        "{{ break }}",
        "{{#if (eq item \"a\")}}x{{/if}}",
    ),
    construct(
        ConstructId::CallWithCommas,
        "arguments are separated by blanks",
        "{{ default(\"a\", name) }}",
        "{{default \"a\" name}}",
    ),
    construct(ConstructId::Comment, "a comment starts with `{{!--`", "{{/* text */}}", "{{!-- … --}}"),
    construct(
        ConstructId::Define,
        "a partial is a file of its own",
        "{{ define \"labels\" }}",
        "{{> labels}}",
    ),
    construct(ConstructId::Dot, "names have no leading dot", "{{ .Values.name }}", "{{name}}"),
    construct(
        ConstructId::Else,
        "`else` takes `if` and a condition",
        "{{ elif enabled }}",
        "{{else if enabled}}",
    ),
    construct(ConstructId::End, "a block ends with its own name", "{{ end }}", "{{/if}}"),
    construct(ConstructId::If, "a block starts with `#`", "{{ if .Values.enabled }}", "{{#if enabled}}"),
    construct(
        ConstructId::Index,
        "an item of a list needs `lookup`",
        "{{ features[0] }}",
        "{{lookup features 0}}",
    ),
    construct(ConstructId::Jinja, "a block is written in `{{ }}`", "{% if enabled %}", "{{#if enabled}}"),
    construct(
        ConstructId::Operator,
        "operators are helpers",
        "{{ if env == \"prod\" }}",
        "{{#if (eq env \"prod\")}}",
    ),
    construct(
        ConstructId::Partial,
        "a partial starts with `>`",
        "{{ include \"labels\" . }}",
        "{{> labels}}",
    ),
    construct(ConstructId::Pipe, "templates have no pipes", "{{ .Values.name | quote }}", "{{quote name}}"),
    construct(ConstructId::Range, "a loop is `#each`", "{{ range .Values.list }}", "{{#each list}}"),
    construct(
        ConstructId::RawText,
        "texts are in double quotes",
        "{{ printf `%s` .Values.name }}",
        "{{printf \"%s\" name}}",
    ),
    construct(
        ConstructId::Renamed,
        "the function has another name",
        "{{ int64 .Values.count }}",
        "{{int count}}",
    ),
    construct(ConstructId::Trim, "blanks are trimmed with `~`", "{{- .Values.name -}}", "{{~name~}}"),
    construct(ConstructId::Variable, "names have no `$`", "{{ $.Values.name }}", "{{@root.name}}"),
    construct(ConstructId::With, "a block starts with `#`", "{{ with .Values.image }}", "{{#with image}}"),
];

impl Construct {
    /// Returns the row of a construct.
    pub(crate) fn of(id: ConstructId) -> &'static Self {
        CONSTRUCTS.iter().find(|construct| construct.id == id).expect("each construct has a row")
    }
}

/// Functions of Helm that templates do not have.
pub(crate) struct ForeignFunctions {
    /// The names, separated by blanks.
    pub(super) names: &'static str,
    /// The alternative.
    pub(super) advice: &'static str,
}

/// All functions of Helm without a helper of the same name, grouped by what to do instead.
pub(crate) static FUNCTIONS: &[ForeignFunctions] = &[
    ForeignFunctions {
        names: "include template",
        advice: "put the text in `partials/NAME.hbs`, and write `{{> NAME}}` on a line of its own; its indentation applies to all \
                 lines of the partial",
    },
    ForeignFunctions {
        names: "tpl",
        advice: "values are never evaluated as templates: write the expression in the template",
    },
    ForeignFunctions { names: "atoi int64 toDecimal", advice: "write `{{int value}}`" },
    ForeignFunctions { names: "add1", advice: "write `{{add value 1}}`" },
    ForeignFunctions { names: "index", advice: "write `{{lookup list 0}}` or `{{lookup map \"key\"}}`" },
    ForeignFunctions { names: "dig", advice: "write `{{default \"fallback\" map.key.key}}`" },
    ForeignFunctions { names: "toRawJson", advice: "write `{{toJson value}}`" },
    ForeignFunctions { names: "toYamlPretty", advice: "write `{{toYaml value}}`" },
    ForeignFunctions { names: "fromYamlArray", advice: "write `{{#each (fromYaml text)}}`" },
    ForeignFunctions { names: "fromJsonArray", advice: "write `{{#each (fromJson text)}}`" },
    ForeignFunctions { names: "print println", advice: "write `{{printf \"%s-%s\" a b}}`" },
    ForeignFunctions { names: "tuple", advice: "write `{{list a b}}`" },
    ForeignFunctions { names: "substr", advice: "write `{{trunc 5 text}}` for the first characters" },
    ForeignFunctions {
        names: "genPassword randAlpha randAlphaNum randAscii randBytes randInt randNumeric shuffle uuidv4 bcrypt htpasswd derivePassword \
                genPrivateKey genCA genCAWithKey genSelfSignedCert genSelfSignedCertWithKey genSignedCert genSignedCertWithKey \
                buildCustomCert encryptAES decryptAES",
        advice: "create the value once in a secret source, and write a placeholder such as `<vault:shop/db#password>` in the Secret",
    },
    ForeignFunctions {
        names: "now ago date dateInZone dateModify date_in_zone date_modify duration durationRound htmlDate htmlDateInZone mustDateModify \
                toDate unixEpoch",
        advice: "equal files always give equal manifests: define the date in `values.yaml`",
    },
    ForeignFunctions {
        names: "env expandenv getHostByName",
        advice: "templates see only the values of the app: define it in the environment's `values.yaml`",
    },
    ForeignFunctions {
        names: "sha1sum sha256sum sha512sum adler32sum",
        advice: "pod templates get checksums of the configuration that they read: remove the annotation",
    },
    ForeignFunctions {
        names: "title untitle camelcase kebabcase snakecase swapcase initials nospace abbrev abbrevboth wrap wrapWith plural trimAll trimall \
                ellipsis substring b32enc b32dec html js urlquery urlParse urlJoin osBase osDir osExt osClean base dir ext clean isAbs \
                toToml fromToml regexMatch regexFind regexFindAll regexReplaceAll regexReplaceAllLiteral regexSplit regexQuoteMeta",
        advice: "define the final text in `values.yaml`; the text helpers are `lower`, `upper`, `trim`, `trimPrefix`, `trimSuffix`, `trunc` \
                 and `replace`",
    },
    ForeignFunctions {
        names: "kindOf kindIs typeOf typeIs typeIsLike deepEqual",
        advice: "give the value the same type in all environments, and test it with `{{#if value}}` or `{{#if (hasKey map \"key\")}}`",
    },
    ForeignFunctions {
        names: "merge mergeOverwrite deepCopy set unset pick omit pluck dictValues",
        advice: "write the mapping in `values.yaml`; the `values.yaml` of an environment is merged over it",
    },
    ForeignFunctions {
        names: "has concat append prepend push uniq without compact reverse rest initial slice chunk sortNumeric toStrings splitn",
        advice: "write the list in `values.yaml` as it is needed; for `has`, use a mapping and `{{#if (hasKey map \"key\")}}`",
    },
    ForeignFunctions { names: "until untilStep seq", advice: "write the numbers: `{{#each (list 0 1 2)}}`" },
    ForeignFunctions {
        names: "semver semverCompare",
        advice: "define a value for the decision in each environment, and write `{{#if value}}`",
    },
    ForeignFunctions {
        names: "max min maxf minf floor ceil round float64 addf subf mulf divf add1f biggest",
        advice: "define the result in `values.yaml`; the helpers for numbers are `add`, `sub`, `mul`, `div`, `mod` and `int`",
    },
    ForeignFunctions { names: "any all", advice: "write `{{#if (or a b)}}` or `{{#if (and a b)}}`" },
    ForeignFunctions { names: "call", advice: "values cannot be called: write the helper's name" },
    ForeignFunctions {
        names: "humanize humanize1024 humanizeDuration humanizePercentage humanizeTimestamp query sortByLabel \
                pathPrefix externalURL tableLink graphLink safeHtml toUpper toLower stripPort parseDuration reReplaceAll",
        advice: "this is a function of Prometheus: for a tag that Prometheus fills in, write `\\{{ … }}`",
    },
    ForeignFunctions {
        names: "secret pkiCert",
        advice: "this is a function of Vault Agent: write a placeholder such as `<vault:shop/db#password>` in a Secret; for a tag that the agent fills in, write `\\{{ … }}`",
    },
];

/// Returns what to write instead of a function of Helm, if templates do not have it.
pub(crate) fn function_advice(name: &str) -> Option<&'static str> {
    let has = |functions: &&ForeignFunctions| functions.names.split_whitespace().any(|known| known == name);
    FUNCTIONS.iter().find(has).map(|functions| functions.advice)
}

/// The function of Helm that asks the cluster, which has more arguments than the helper of its name.
pub(crate) const CLUSTER_LOOKUP: &str = "templates do not read the cluster: define the value in `values.yaml`, or write a placeholder such as \
                                         `<k8s:shop/db#password>` in a Secret";

/// Names of functions in other languages, and the helpers that do the same.
static SYNONYMS: &[(&str, &str)] = &[
    ("b64enc", "base64 base64encode b64encode base64Encode btoa encode64"),
    ("b64dec", "base64decode b64decode base64Decode atob"),
    ("contains", "includes"),
    ("default", "fallback"),
    ("eq", "equal equals is isEqual ifEquals ifeq"),
    ("ge", "greaterOrEqual"),
    ("gt", "greater greaterThan"),
    ("hasPrefix", "startsWith startswith starts_with"),
    ("hasSuffix", "endsWith endswith ends_with"),
    ("int", "integer toInt to_int number"),
    ("last", "tail"),
    ("len", "length size count"),
    ("list", "array"),
    ("dict", "object map hash"),
    ("lower", "lowercase lowerCase downcase lcase"),
    ("lt", "less lessThan smaller"),
    ("mul", "multiply times"),
    ("ne", "neq notEquals notEqual isnt"),
    ("not", "negate"),
    ("printf", "format sprintf"),
    ("quote", "dquote doubleQuote stringify"),
    ("sub", "subtract minus"),
    ("add", "plus sum"),
    ("ternary", "iif choose"),
    ("toJson", "json to_json tojson toJSON"),
    ("toYaml", "yaml to_yaml to_nice_yaml toyaml toYAML"),
    ("trim", "strip"),
    ("upper", "uppercase upperCase upcase ucase"),
];

/// Returns the helper that an unknown name probably means.
pub(crate) fn closest_helper(name: &str) -> Option<&'static str> {
    let has = |(_, names): &&(&str, &str)| names.split_whitespace().any(|known| known == name);
    let synonym = SYNONYMS.iter().find(has).map(|(helper, _)| *helper);
    synonym.or_else(|| closest_name(name, helpers::names()))
}

/// Objects of Helm and what to write instead of them.
pub(crate) static OBJECTS: &[(&str, &str)] = &[
    (".Capabilities", "the cluster is not asked: define a value in each environment's `values.yaml`"),
    (".Chart", "an app has no chart: define the value in `values.yaml`; the app's name is `{{app}}`"),
    (".Files", "write `{{file \"NAME\"}}`; `configMaps` in `sealwave.yaml` puts files into a ConfigMap"),
    (".Release", "an app has no release: its name is `{{app}}`, and its namespace `{{namespace}}`"),
    (".Subcharts", "an app has no subcharts: define the value in `values.yaml`"),
    (".Template", "templates do not know their path: write the text"),
];

/// Names of Helm that have a name here.
pub(crate) static NAMES: &[(&str, &str)] =
    &[(".Chart.Name", "app"), (".Release.Name", "app"), (".Release.Namespace", "namespace")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn synonyms_are_no_helpers_and_mean_helpers() {
        for (helper, names) in SYNONYMS {
            assert!(helpers::is_helper(helper), "{helper}");
            for name in names.split_whitespace() {
                assert!(!helpers::is_helper(name) && function_advice(name).is_none(), "{name}");
            }
        }
        assert_eq!(closest_helper("uppercase"), Some("upper"));
        assert_eq!(closest_helper("uper"), Some("upper"));
        assert_eq!(closest_helper("nothing-like-it"), None);
    }

    #[test]
    fn no_helper_is_called_unavailable() {
        for name in FUNCTIONS.iter().flat_map(|functions| functions.names.split_whitespace()) {
            assert!(!helpers::is_helper(name), "{name}");
        }
    }
}
