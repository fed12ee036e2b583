use super::*;
use crate::placeholder::PlaceholderText as Parsed;

fn found(text: &str) -> Option<LookAlike> {
    find_look_alike(text, None, &|name| name == "vault-prod")
}

fn kind(text: &str) -> Option<LookAlikeKind> {
    found(text).map(|found| found.kind)
}

use LookAlikeKind as K;

#[test]
fn near_misses_of_sealwave_placeholders_are_found() {
    for (text, expected) in [
        ("<shop/db.yaml#password>", K::NoProvider),
        ("<db#password>", K::NoProvider),
        ("pg://u:<shop/db.yaml#password>@h", K::NoProvider),
        ("<shop/db.yaml # password>", K::NoProvider),
        ("<shop/db.yaml#password | urlencode>", K::NoProvider),
        ("<shop/db#password#3>", K::NoProvider),
        ("<config><p><shop/db#password></p></config>", K::NoProvider),
        ("< file:shop/db.yaml#password>", K::Misspelled),
        ("<\tfile:shop/db.yaml#password>", K::Misspelled),
        ("<\u{a0}file:shop/db.yaml#password>", K::Misspelled),
        ("<\u{200b}file:shop/db.yaml#password>", K::Misspelled),
        ("<\nfile:shop/db.yaml#password>", K::Misspelled),
        ("<file :shop/db.yaml#password>", K::Misspelled),
        ("<File:shop/db.yaml#password>", K::Misspelled),
        ("<FILE:shop/db.yaml>", K::Misspelled),
        ("<vault.prod:shop/db#password>", K::Misspelled),
        ("<vault.prod:shop/db>", K::Misspelled),
        ("<Vault_Prod:shop/db#password>", K::Misspelled),
        ("<aws_sm:shop/db#password>", K::Misspelled),
        ("<AWS-SM:shop/db>", K::Misspelled),
        ("< env:DB_PASSWORD>", K::Misspelled),
        ("x < path:shop/db#password", K::Misspelled),
        ("<file;shop/db.yaml#password>", K::Misspelled),
        ("<file=shop/db.yaml#password>", K::Misspelled),
        ("<file shop/db.yaml#password>", K::Misspelled),
        ("<file\u{ff1a}shop/db.yaml#password>", K::Misspelled),
        ("<anything.else:shop/db#password>", K::Misspelled),
        ("${file:shop/db.yaml#password}", K::OtherBrackets),
        ("${ file:shop/db.yaml#password }", K::OtherBrackets),
        ("pg://u:${file:shop/db.yaml#password}@h", K::OtherBrackets),
        ("pg://u:${file:shop/db.yaml}@h", K::OtherBrackets),
        ("${file:shop/db.yaml#password | jsonPath {.a}}", K::OtherBrackets),
        ("${env:DB_PASSWORD}", K::OtherBrackets),
        ("{file:shop/db.yaml#password}", K::OtherBrackets),
        ("x {{ vault:shop/db#password }}", K::OtherBrackets),
        ("x $(vault-prod:shop/db#password)", K::OtherBrackets),
        ("[vault:shop/db#password]", K::OtherBrackets),
        ("vault:secret/data/shop#password", K::OtherBrackets),
        ("file:shop/db.yaml#password>", K::OtherBrackets),
        ("$file:shop/db.yaml#password", K::OtherBrackets),
        ("%file:shop/db.yaml#password%", K::OtherBrackets),
        (">>vault:secret/data/shop#password", K::OtherBrackets),
        (" file:shop/db.yaml#password\n", K::OtherBrackets),
        ("\\u003cfile:shop/db.yaml#password\\u003e", K::Escaped),
        ("{\"a\":\"\\u003cfile:shop/db.yaml#password\\u003e\"}", K::Escaped),
        ("{\"a\":\"\\u003Cpath:shop/db\\u003E\"}", K::Escaped),
        ("{\"a\":\"\\u003cpassword\\u003e\"}", K::Escaped),
        ("\\x3cfile:shop/db.yaml#password\\x3e", K::Escaped),
        ("&lt;file:shop/db.yaml#password&gt;", K::Escaped),
        ("pg://u:&LT;file:shop/db.yaml#password&GT;@h", K::Escaped),
        ("&amp;lt;file:shop/db.yaml#password&amp;gt;", K::Escaped),
        ("&#60;file:shop/db.yaml#password&#62;", K::Escaped),
        ("&#060;file:shop/db.yaml#password&#062;", K::Escaped),
        ("\\U0000003cfile:shop/db.yaml#password\\U0000003e", K::Escaped),
        ("\u{ab}file:shop/db.yaml#password\u{bb}", K::Escaped),
        ("\u{3008}file:shop/db.yaml#password\u{3009}", K::Escaped),
        ("&#x3C;file:shop/db.yaml#password&#x3E;", K::Escaped),
        ("pg://u:%3Cfile:shop/db.yaml%23password%3E@h", K::Escaped),
        ("pg://u:%3cfile%3Ashop%2Fdb.yaml%23password%3e@h", K::Escaped),
        ("%3Cshop/db.yaml#password%3E", K::Escaped),
        ("\u{ff1c}file:shop/db.yaml#password\u{ff1e}", K::Escaped),
        ("\u{ff1c}file\u{ff1a}shop/db.yaml#password\u{ff1e}", K::Escaped),
        ("\u{2039}file:shop/db.yaml#password\u{203a}", K::Escaped),
        ("&lt;password&gt;", K::Escaped),
        ("PGZpbGU6c2hvcC9kYi55YW1sI3Bhc3N3b3JkPg==", K::Base64),
    ] {
        assert_eq!(kind(text), Some(expected), "{text:?}");
    }
}

#[test]
fn placeholders_of_other_tools_are_found() {
    for (text, expected) in [
        ("<password>", K::Name),
        (" <password>\n", K::Name),
        ("<db password>", K::Name),
        ("<your-password-here>", K::Name),
        ("<<password>>", K::Name),
        ("<password | base64encode>", K::Name),
        ("pg://<username>:<password>@db/shop", K::Name),
        ("user=app password=<password>", K::Name),
        ("Bearer <token>", K::Name),
        ("token: <token>\nuser: app\n", K::Name),
        ("[a]\nkey = <key>\n", K::Name),
        ("{\"auth\": \"<password>\"}", K::Name),
        ("<settings><password><db-password></password></settings>", K::Name),
        ("<settings><password><password></password></settings>", K::Name),
        ("ENC[AES256_GCM,data:abc=,iv:abc=,tag:abc=,type:str]", K::Encrypted("SOPS")),
        ("password=ENC[AES256_GCM,data:abc=,iv:abc=,tag:abc=,type:str]", K::Encrypted("SOPS")),
        ("ENC[PKCS7,MIIBeQYJ]", K::Encrypted("hiera-eyaml")),
        ("$ANSIBLE_VAULT;1.1;AES256\n6638\n", K::Encrypted("Ansible Vault")),
        ("!vault secret/shop", K::Encrypted("Ansible Vault")),
        ("ref+vault://secret/shop/db#/password", K::Foreign("vals")),
        ("pg://u:ref+awssecrets://shop/db@h", K::Foreign("vals")),
        ("secretref+sops://db.yaml#/password", K::Foreign("vals")),
        ("{{ .Values.password }}", K::Foreign("a template engine (only `.hbs` files are templates)")),
        ("{{ dbPassword }}", K::Foreign("a template engine (only `.hbs` files are templates)")),
        ("$(DB_PASSWORD)", K::Foreign("a shell or of Kustomize")),
        ("((shop/db.password))", K::Foreign("Concourse")),
        ("op://shop/db/password", K::Foreign("1Password")),
    ] {
        assert_eq!(kind(text), Some(expected), "{text:?}");
    }
}

/// Typical content of Secrets.
const ORDINARY: &[&str] = &[
    "",
    "hunter2",
    "p<ss>w0rd!",
    "a < b",
    "a<b",
    "x <> y",
    "<-",
    "1 < 2 and 3 > 2",
    "if (a<b && c>d) { return <-ch; }",
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg/+kqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ==\n-----END PRIVATE KEY-----\n",
    "{\"a\": {\"b\": [1, \"x#y\"]}, \"c\": \"d:e/f\"}",
    "<?xml version=\"1.0\"?>\n<configuration>\n  <property name=\"a\">x</property>\n</configuration>\n",
    "<settings>\n  <servers><server><id>x</id><password>s3cret</password></server></servers>\n</settings>\n",
    "<a:b xmlns:a=\"urn:x\"/>",
    "<SOAP-ENV:Envelope><SOAP-ENV:Body/></SOAP-ENV:Envelope>",
    "<ENV:Envelope>x</ENV:Envelope>",
    "<configuration/>",
    "<!DOCTYPE html>\n<html><head><title>x</title></head><body><p>a<br>b</body></html>",
    "<!-- password: <name> --><a>x</a>",
    "<VirtualHost *:80>\n  <Directory /var/www>\n  </Directory>\n  <IfModule mod_ssl.c>\n  </IfModule>\n</VirtualHost>\n",
    "<source>\n  @type tail\n</source>\n<match app.**>\n</match>\n",
    "#!/bin/sh\ncat <<EOF >out\n$DB_HOST\nEOF\nsort <in | base64 >out\ncat <in.txt # redirects > out\n",
    "#!/bin/sh\n# usage: run <name>\necho \"usage: $0 <name> [file]\"\n",
    "#include <stdio.h>\nstd::vector<std::string> x;\n",
    "create table t (m map<text, text>, l list<int>);",
    "(?P<name>[a-z]+):(?<port>\\d+)",
    "List<String> x; Map<String, List<Integer>> y;",
    "user app on #hash <old >new ~* +@all",
    "Shop <noreply@example.com>",
    "<noreply@example.com>",
    "<14>1 2026-01-01T00:00:00Z host app",
    "plain <html>",
    "see <br> and <B>",
    "<#if x><@m/></#if><#list a as b></#list>",
    "<% x # y %>",
    "<font color=#fff>",
    "spring.datasource.url=${DB_URL:jdbc:h2:mem:x}\nserver.port=${PORT:8080}\n",
    "${DB_HOST}",
    "${DB_PASSWORD:changeme}",
    "jdbc:postgresql://${DB_HOST}:${DB_PORT}/shop",
    "color=${color:#fff} url=${url:http://x/#/home} name=${env:dev}",
    "password=${file:/opt/kafka/secrets.properties:password}",
    "otel: ${env:OTEL_TOKEN} ${file:/etc/token}",
    "log4j: ${env:HOME:-/tmp} ${sys:user.name}",
    "x ${FILE:-default} y",
    "{{ range .Alerts }}{{ .Labels.token }}{{ end }}",
    "summary: '{{ $labels.pod }} is {{ .Values.A }}'",
    "$2b$12$KIXQJ.mX0mJ9y8m1y7x8ueabcdefghijklmnopqrstuv",
    "oidc: $oidc.clientSecret",
    "file:///opt/app/config.xml#frag",
    "https://example.com/#/login?x=%3Cscript%3E",
    "&lt;p&gt;text&lt;/p&gt; &lt;env:Body&gt;x&lt;/env:Body&gt;",
    "{\"html\":\"\\u003cp\\u003etext\\u003c/p\\u003e\"}",
    "a \u{2039}quoted\u{203a} word, \u{27e8}x\u{27e9}",
    "vault:v1:8SDd3WHDOjf7mq69CyCqYjBXAiQQAVZRkFM13ok481zoCmHnSeDX9g==",
    "sops:\n  mac: ENC[AES256_GCM,data:abc=,iv:abc=,tag:abc=,type:str]\npassword: ENC[AES256_GCM,data:a]\n",
    "ENC(G6N718UuyPE5bHyWKyuLQSm02auQPUtm)",
    "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5",
    "href+https://x",
    "[file:line] (path:rest) {env:name}",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "<<: *default",
    "<svg><path fill=#fff d='M0 0#'/></svg>",
    "dit \u{ab}bonjour\u{bb}",
];

#[test]
fn ordinary_texts_are_ignored() {
    // Texts that the grammar refuses are not the subject of this test.
    assert!(ORDINARY.iter().all(|text| Parsed::parse(text).is_ok()));
    let wrong: Vec<_> = ORDINARY.iter().filter_map(|text| Some((*text, kind(text)?))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn placeholders_and_doubled_brackets_are_ignored() {
    for text in [
        "<file:shop/db.yaml#password>",
        "pg://<file:a#u>:<file:a#p | urlencode>@h",
        "<<file:shop/db.yaml#password>",
        "<file:a.json | jsonPath {.a}{'<password>'}{.b}>",
        "<file:x#y | default \"${file:shop/db.yaml#password}\">",
    ] {
        assert_eq!(kind(text), None, "{text:?}");
    }
    let generic = AvpPath::new("shop/db", None).expect("a path");
    let found = |text: &str| find_look_alike(text, Some(&generic), &|_| false).map(|found| found.kind);
    assert_eq!(found("<username>:<password>"), None);
    assert_eq!(found("<<password>"), None);
    assert_eq!(found("<username>:${file:a/b#c}"), Some(K::OtherBrackets));
}

#[test]
fn ranges_are_exact() {
    for (text, expected) in [
        ("pg://u:<shop/db.yaml#password>@h", "<shop/db.yaml#password>"),
        ("ä <file:a#b> < file:x#y> z", "< file:x#y>"),
        ("a ${file:x#y} b", "${file:x#y}"),
        ("ä %3Cfile:x%23y%3E b", "%3Cfile:x%23y%3E"),
        (" vault:a/b#c ", "vault:a/b#c"),
        ("x=ref+vault://a#/b y", "ref+vault://a#/b"),
        ("u:<password>@h", "<password>"),
    ] {
        let range = found(text).expect(text).range;
        assert_eq!(&text[range], expected, "{text}");
    }
}

#[test]
fn hints_name_the_annotation_and_messages_contain_no_text() {
    for text in
        ["<c4n4ry>", "<c4n4ry/x#c4n4ry>", "${file:c4n4ry#c4n4ry}", "ref+c4n4ry://c4n4ry", "< file:c4n4ry#c>"]
    {
        let kind = kind(text).expect(text);
        assert!(!kind.to_string().contains("c4n4ry"), "{kind}");
        assert!(kind.hint().contains("sealwave.dev/literal"), "{}", kind.hint());
    }
}

#[test]
fn no_text_panics_and_ranges_end_at_characters() {
    for unit in [
        "<", "< ", "<a>", "<a:b", "\n<", "${", "${file:", "(", "\\u003c", "%3c", "&lt;", "\u{ff1c}", "ref+",
        "{{", "<a", "</a>", "  ",
    ] {
        let long = format!("ä{}é", unit.repeat(20_000));
        if let Some(found) = found(&long) {
            assert!(long.get(found.range).is_some(), "{unit}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn ranges_are_within_the_text(text in "(<|>|#|:|/|\\||\\$\\{|\\}|\\{\\{|%3C|&lt;|\\\\u003c|file|path|ref\\+|://|password|trim|\n| |ä|＜){0,24}") {
        if let Some(found) = found(&text) {
            proptest::prop_assert!(text.get(found.range).is_some());
        }
    }
}
