//! Tokens are assembled at run time, so that the repository contains none.

use super::*;

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const HEX: &str = "0123456789abcdef";
const CAPITALS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Returns pseudo-random characters, the same on each run.
fn random(alphabet: &str, length: usize) -> String {
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % alphabet.len() as u64).unwrap()
    };
    (0..length).map(|_| alphabet.as_bytes()[next()] as char).collect()
}

fn samples() -> Vec<(String, &'static str)> {
    let l = |length| random(LETTERS, length);
    let h = |length| random(HEX, length);
    vec![
        (format!("ops_eyJ{}", l(250)), "a 1Password service account token"),
        (format!("AGE-SECRET-KEY-1{}", random("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)), "an age identity"),
        (format!("sk-ant-api03-{}", l(93)), "an Anthropic key"),
        (format!("AKCp{}", l(69)), "an Artifactory key"),
        (format!("AKIA{}", random(CAPITALS, 16)), "an AWS access key"),
        (format!("abc8Q~{}", l(34)), "an Azure client secret"),
        (format!("AccountName=a;AccountKey={}==;", l(86)), "an Azure key"),
        (format!("dapi{}", h(32)), "a Databricks token"),
        (format!("dop_v1_{}", h(64)), "a DigitalOcean token"),
        (format!("https://discord.com/api/webhooks/108642975310864297/{}", l(68)), "a Discord webhook"),
        (format!("dckr_pat_{}", l(27)), "a Docker token"),
        (format!("dp.st.prd.{}", l(43)), "a Doppler token"),
        (format!("ghp_{}", l(36)), "a GitHub token"),
        (format!("github_pat_{}_{}", l(22), l(59)), "a GitHub token"),
        (format!("glpat-{}", l(20)), "a GitLab token"),
        (format!("GOCSPX-{}", l(28)), "a Google client secret"),
        (format!("glsa_{}_{}", l(32), h(8)), "a Grafana token"),
        (format!("hf_{}", l(34)), "a Hugging Face token"),
        (format!("lin_api_{}", l(40)), "a Linear key"),
        (format!("NRAK-{}", random(CAPITALS, 27)), "a New Relic key"),
        (format!("npm_{}", l(36)), "an npm token"),
        (format!("sk-proj-{}T3BlbkFJ{}", l(40), l(40)), "an OpenAI key"),
        (format!("pscale_pw_{}", l(43)), "a PlanetScale credential"),
        (format!("pul-{}", h(40)), "a Pulumi token"),
        (format!("pypi-AgEIcHlwaS5vcmc{}", l(80)), "a PyPI token"),
        (format!("rubygems_{}", h(48)), "a RubyGems key"),
        (format!("SG.{}.{}", l(22), l(43)), "a SendGrid key"),
        (format!("sntryu_{}", h(64)), "a Sentry token"),
        (format!("shpat_{}", h(32)), "a Shopify token"),
        (format!("xoxb-{}", l(40)), "a Slack token"),
        (format!("https://hooks.slack.com/services/T0{}/B0{}/{}", l(8), l(8), l(24)), "a Slack webhook"),
        (format!("sk_live_{}", l(24)), "a Stripe key"),
        (format!("tskey-auth-{}-{}", l(12), l(32)), "a Tailscale key"),
        (
            format!("https://a.webhook.office.com/webhookb2/{}@{}/IncomingWebhook/{}/x", h(36), h(36), h(32)),
            "a Teams webhook",
        ),
        (format!("{}.atlasv1.{}", l(14), l(67)), "a Terraform Cloud token"),
        (format!("hvs.{}", l(90)), "a Vault token"),
        (format!("-----BEGIN {} KEY-----\n{}\n", "RSA PRIVATE", l(64)), "a private key"),
        (format!("-----BEGIN {} KEY-----\\n{}\\n", "PRIVATE", l(64)), "a private key"),
        (
            format!("-----BEGIN {} KEY-----\nProc-Type: 4,ENCRYPTED\n\n{}", "EC PRIVATE", l(64)),
            "a private key",
        ),
        (
            format!("client-key-data: LS0tLS1CRUdJTi{}{}", "BSU0EgUFJJVkFURSBLRVktLS0tLQ", l(64)),
            "a private key",
        ),
        (format!("postgres://app:{}@db:5432/app", l(16)), "a URI with a password"),
        (format!("redis://:{}%40@cache", l(16)), "a URI with a password"),
        (format!("Server=db;User Id=a;Password={};", l(16)), "a URI with a password"),
        (format!("jdbc:mysql://db/app?user=a&password={}", l(16)), "a URI with a password"),
    ]
}

#[test]
fn every_pattern_compiles() {
    assert!(tokens::patterns_compile());
}

#[test]
fn tokens_are_recognized_by_their_format() {
    for (sample, noun) in samples() {
        let inside = format!("first line\nx: \"{sample}\"\nlast line");
        for text in [sample.as_str(), &inside] {
            let found = detect(None, text).unwrap_or_else(|| panic!("{noun} was not found"));
            assert_eq!(found.noun(), noun);
            assert!(found.is_certain(), "{noun}");
        }
        assert_eq!(detect_in_lines(&inside).map(|(line, kind)| (line, kind.noun())), Some((1, noun)));
        let line = inside.lines().nth(1).unwrap();
        assert!(is_hidden(line), "{noun}");
    }
}

#[test]
fn a_json_web_token_is_not_certain() {
    let token = format!("eyJ{}.eyJ{}.{}", random(LETTERS, 30), random(LETTERS, 60), random(LETTERS, 43));
    assert_eq!(detect(None, &token), Some(CredentialKind::Jwt));
    assert!(!CredentialKind::Jwt.is_certain());
}

#[test]
fn a_publishable_key_is_not_certain() {
    let key = format!("AIza{}", random(LETTERS, 35));
    assert_eq!(detect(None, &key), Some(CredentialKind::Publishable("a Google API key")));
    assert!(!CredentialKind::Publishable("").is_certain());
}

#[test]
fn named_values_that_look_like_credentials_are_found() {
    let random_value = random(LETTERS, 24);
    for key in [
        "password",
        "DB_PASSWORD",
        "dbPassword",
        "admin-passwd",
        "spring.datasource.password",
        "PWD",
        "password2",
    ] {
        for value in ["Tr0ub4dor&3", "correcthorse", random_value.as_str()] {
            assert_eq!(detect(Some(key), value), Some(CredentialKind::Keyed), "{key} {value}");
        }
    }
    for key in [
        "token",
        "API_KEY",
        "apiKey",
        "clientSecret",
        "SECRET_KEY_BASE",
        "aws_secret_access_key",
        "x-auth-token",
    ] {
        assert_eq!(detect(Some(key), &random_value), Some(CredentialKind::Keyed), "{key}");
        assert_eq!(detect(Some(key), "correcthorse"), None, "{key}");
    }
}

#[test]
fn other_values_are_not_reported() {
    let random_value = random(LETTERS, 24);
    for key in [
        "TOKEN_TTL",
        "secretName",
        "tokenUrl",
        "passwordFile",
        "SECRET_KEY_REF",
        "tokenSecretRef",
        "existingSecretPasswordKey",
        "passwordPolicy",
        "PASSWORD_MIN_LENGTH",
        "oauth2-proxy-cookie",
        "monkey",
        "keycloak",
        "username",
        "key",
    ] {
        assert_eq!(detect(Some(key), &random_value), None, "{key}");
    }
    for value in [
        "",
        "short",
        "changeme",
        "CHANGE_ME",
        "<password>",
        "${DB_PASSWORD}",
        "$(DB_PASSWORD)",
        "{{ .Values.password }}",
        "$DB_PASSWORD_VALUE",
        "/etc/secrets/password",
        "./password.txt",
        "password.txt",
        "db-password",
        "postgres-admin-password",
        "userPassword",
        "admin_secret",
        "true",
        "86400",
        "3600s",
        "15m",
        "123e4567-e89b-12d3-a456-426614174000",
        "https://auth.internal/token",
        "<vault:shop/db#password>",
        "vault:secret/data/db#password",
        "ref+awssecrets://db/password",
        "arn:aws:secretsmanager:eu-west-1:1:secret:db",
        "********",
        "xxxxxxxxxxxx",
        "a sentence about passwords",
        "your-password-here",
        "password",
        "undefined",
        "tls-secret",
        "projects/p/secrets/s/versions/1",
    ] {
        for key in ["password", "DB_PASSWORD", "token", "secret", "api_key"] {
            assert_eq!(detect(Some(key), value), None, "{key}: {value}");
        }
    }
    for value in [
        "my-app-tls-7d9f8b6c54",
        "regcred",
        "basic-auth",
        "kube-system/my-secret",
        "oauth2ClientSecret",
        "Bearer",
        "argocd-initial-admin-secret",
    ] {
        for key in ["secret", "token", "imagePullSecret", "nginx.ingress.kubernetes.io/auth-secret"] {
            assert_eq!(detect(Some(key), value), None, "{key}: {value}");
        }
    }
}

#[test]
fn other_texts_are_not_reported() {
    for text in [
        "https://prometheus.monitoring.svc:9090/api/v1",
        "http://user@host/path",
        "https://user:<password>@host/",
        "https://user:${PASSWORD}@host/",
        "https://$(USER):$(PASSWORD)@host/",
        "postgres://user:password@host:5432/db",
        "postgres://USER:PASSWORD@HOST/db",
        "https://user:%s@host",
        "source: https://[^:]+:[^@]+@host",
        "certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSURCVENDQWUyZ0F3SUJBZ0lJ",
        "docker-pullable://nginx@sha256:0123456789abcdef",
        "registry:5000/a@sha256:abc://x:y",
        "docker://user:latest@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "git@github.com:org/repo.git",
        "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
        "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBa\n",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "host=db user=app password=$PGPASSWORD",
        "user=a&password=changeme",
        "curl -H 'Authorization: Bearer $TOKEN' https://api",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "task-ant-hill, disk-antenna, mask_v1_beta",
    ] {
        assert_eq!(detect(Some("url"), text), None, "{text}");
        assert_eq!(detect_in_lines(text), None, "{text}");
    }
    assert_eq!(detect(None, &format!("AKIA{}EXAMPLE", random(CAPITALS, 9))), None);
    assert_eq!(detect(None, &format!("ghp_{}", "x".repeat(36))), None);
}

#[test]
fn well_known_passwords_are_weak() {
    for text in
        ["amqp://guest:guest@rabbitmq:5672", "postgres://postgres:postgres@db/app", "http://admin:admin1@x"]
    {
        assert_eq!(detect(None, text), Some(CredentialKind::WeakUri), "{text}");
    }
}

#[test]
fn lines_of_files_are_read_as_assignments() {
    let random_value = random(LETTERS, 20);
    for line in [
        format!("spring.datasource.password={random_value}"),
        format!("  password: {random_value}"),
        format!("export API_TOKEN='{random_value}'"),
        format!("\"clientSecret\": \"{random_value}\","),
        format!("admin_password = {random_value}"),
    ] {
        assert_eq!(
            detect_in_lines(&format!("a = b\n{line}\nc = d\n")),
            Some((1, CredentialKind::Keyed)),
            "{line}"
        );
        assert!(is_hidden(&line), "{line}");
    }
    for line in [
        format!("# password = {random_value}"),
        format!(";admin_password = {random_value}"),
        "password = ${DB_PASSWORD}".to_owned(),
        "token: req.headers.authorization".to_owned(),
        "password := os.Getenv(\"DB_PASSWORD2_3\")".to_owned(),
        "password_file: /etc/alertmanager/secrets/smtp2/password3".to_owned(),
        "bearer_token_file: /var/run/secrets/kubernetes.io/serviceaccount/token".to_owned(),
        "secretName: prometheus-k8s-tls-assets-0".to_owned(),
        "password_pool: 12".to_owned(),
        "smtp_auth_password: <secret>".to_owned(),
        "secret_key_id: my-key-2".to_owned(),
    ] {
        assert_eq!(detect_in_lines(&format!("a = b\n{line}\n")), None, "{line}");
    }
}

#[test]
fn the_last_words_of_a_name_decide() {
    for key in [
        "PGPASSWORD",
        "dbpassword",
        "userpassword",
        "DB_PASSWORD_PROD",
        "PASSWORD_ADMIN",
        "RABBITMQ_DEFAULT_PASS",
        "requirepass",
        "clientsecret",
        "bottoken",
        "API_KEY_DEV",
        "REDIS_AUTH",
    ] {
        assert_eq!(detect(Some(key), "Xk92jsPq81mZ"), Some(CredentialKind::Keyed), "{key}");
        assert_eq!(detect(Some(key), "$2y$10$6Q1h0Vx4k9Jt2mZ3pR8sUe"), None, "{key}");
    }
    for key in ["nopassword", "users.htpasswd", "PASSWORD_POLICY", "tokenTTL", "AUTH_USER", "compass", "USER"]
    {
        assert_eq!(detect(Some(key), "Xk92jsPq81mZ"), None, "{key}");
    }
    for value in ["Xk92!ab", "12345678", "correct horse battery staple"] {
        assert_eq!(detect(Some("DB_PASSWORD"), value), Some(CredentialKind::Keyed), "{value}");
        assert_eq!(detect(Some("API_TOKEN"), value), None, "{value}");
    }
    for value in ["hunter", "3600", "604800", "taken from the operator", "1.2.3-4", "hidden", "0.12.1"] {
        assert_eq!(detect(Some("DB_PASSWORD"), value), None, "{value}");
    }
}

#[test]
fn credentials_are_found_within_lines() {
    let random_value = random(LETTERS, 20);
    for line in [
        format!("{{\"db\": {{\"password\": \"{random_value}\"}}}}"),
        format!("body = \"{{\\\"password\\\": \\\"{random_value}\\\"}}\""),
        format!("{{host: x, password: {random_value}, port: 1}}"),
        format!("PGPASSWORD={random_value} psql -h db"),
        format!("java -Ddb.password={random_value} -jar app.jar"),
        format!("server --api-token {random_value} --verbose"),
        format!("<user>a</user><password>{random_value}</password>"),
        format!("requirepass {random_value}"),
        format!("env: [{{name: A_TOKEN, value: {random_value}}}]"),
        format!("hash = {{ :password => '{random_value}' }}"),
    ] {
        assert_eq!(detect_in_lines(&format!("first\n{line}\n")), Some((1, CredentialKind::Keyed)), "{line}");
        assert!(looks_like_credential(std::slice::from_ref(&line), 0), "{line}");
    }
    for line in [
        format!("image: registry/token:{random_value}"),
        format!("if (token == {random_value}) {{"),
        format!("-- password = {random_value}"),
        format!("<!-- <password>{random_value}</password> -->"),
        format!("<passwordHash>{random_value}</passwordHash>"),
        format!("proxy_pass http://{random_value};"),
        format!("{{\"passwordFile\": \"{random_value}\", \"tokens\": \"{random_value}\"}}"),
        "password: FormControl;".to_owned(),
        "requirepass ${REDIS_PASSWORD}".to_owned(),
    ] {
        assert_eq!(detect_in_lines(&format!("first\n{line}\n")), None, "{line}");
    }
    assert_eq!(detect_in_lines("a: b\ndb:\n  password: SuperGeheim\n"), Some((2, CredentialKind::Keyed)));
    assert_eq!(detect_in_lines("a = b\n  password: SuperGeheim\n"), None);
}

#[test]
fn excerpts_hide_what_may_be_a_credential() {
    for line in [
        "password: hunter2",
        "  - --password=hunter2",
        "- {name: a, password: hunter2}",
        "# token = abcd",
        "key: MIIEpAIBAAKCAQEA7Zq3vX1b9Kc2mN8pQ4rS6tU0wY5zA",
        "-----BEGIN RSA PRIVATE KEY-----",
        "url: amqp://guest:guest@rabbitmq",
    ] {
        assert!(is_hidden(line), "{line}");
    }
    for line in [
        "replicas: 3",
        "image: registry.k8s.io/pause:3.9",
        "secretName: tls",
        "value: ${PASSWORD}",
        "- name: DB_PASSWORD",
        "password: <vault:a#b>",
    ] {
        assert!(!is_hidden(line), "{line}");
    }
}

fn is_hidden(line: &str) -> bool {
    looks_like_credential(&[line.to_owned()], 0)
}

#[test]
fn common_passwords_are_credentials_under_the_name_of_a_password() {
    for value in ["hunter2", "secretpassword", "Passw0rd", "mysecretpassword"] {
        assert!(detect(Some("DB_PASSWORD"), value).is_some(), "{value}");
        for key in ["DB_USER", "PASSWORD_FILE", "SECRET_NAME"] {
            assert!(detect(Some(key), value).is_none(), "{key}: {value}");
        }
    }
    assert!(detect(Some("DB_PASSWORD"), "changeme").is_none(), "a person replaces it");
}
