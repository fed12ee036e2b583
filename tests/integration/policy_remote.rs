//! Tests that authors cannot change the address, role, region, mount or namespace of a remote source: all requests match
//! the operator's settings.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests stop at the first surprise and print what they skip"
)]

use std::collections::BTreeSet;
use std::process::Command;

use crate::support::small_app::SmallApp;
use crate::support::watched_output;
use sealwave_testkit::stub_server::{RecordedRequest, StubReply, StubServer};

const POLICY: &str = "policy: [{projects: [shop], allow: ['aws-sm:shop/*', 'aws-ssm:/shop/*', 'k8s:*', 'vault:secret/shop/*']}]\n";
const OPEN_POLICY: &str = "policy: [{projects: [shop], allow: ['*:**']}]\n";

/// Credentials, as STS returns them for the operator's role.
const ROLE: &str = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
    <AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>CANARY</SecretAccessKey><SessionToken>CANARY</SessionToken>\
    <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";

const LOGIN: &str = "/v1/auth/kubernetes/login";
const REVOKE: &str = "/v1/auth/token/revoke-self";

/// Starts a server for all services, which answers every request with a secret.
fn services() -> StubServer {
    StubServer::start(|asked, _| {
        let secret = r#"{"ARN":"a","Name":"shop/db","VersionId":"1","SecretString":"{\"k\":\"CANARY\"}"}"#;
        match asked.header("x-amz-target").unwrap_or(&asked.target) {
            "/" => StubReply::json(200, ROLE).header("Content-Type", "text/xml"),
            "AmazonSSM.GetParameters" => {
                StubReply::json(200, r#"{"Parameters":[{"Name":"/shop/db","Value":"CANARY","Version":7}]}"#)
            }
            "secretsmanager.GetSecretValue" => StubReply::json(200, secret),
            login if login.ends_with("/login") => {
                StubReply::json(200, r#"{"auth":{"client_token":"CANARY"}}"#)
            }
            path if path.starts_with("/v1/") => {
                StubReply::json(200, r#"{"data":{"data":{"k":"CANARY"},"metadata":{"version":1}}}"#)
            }
            _ => StubReply::json(200, r#"{"kind":"Secret","type":"Opaque","data":{"k":"Q0FOQVJZ"}}"#),
        }
    })
}

/// Returns a small app with one secret of each source.
fn app(address: &str, policy: &str) -> SmallApp {
    let app = SmallApp::new();
    let role = format!(
        "{{roleArn: 'arn:aws:iam::123456789012:role/reader', externalId: shop, endpointUrl: '{address}'}}"
    );
    let aws = format!("region: eu-west-1, endpointUrl: '{address}', assumeRole: {role}");
    app.write(
        "operator/operator.yaml",
        &format!(
            "apiVersion: sealwave.dev/v1alpha1\nkind: Operator\nsealKeyFile: seal-key\ndeadlineSeconds: 20\n\
             clusters: {{dev: {{certificate: {{file: dev.pem, allowExpired: true}}}}}}\n{policy}providers:\n  \
             aws-sm: {{kind: aws-sm, {aws}}}\n  aws-ssm: {{kind: aws-ssm, {aws}}}\n  \
             k8s: {{kind: k8s, namespace: shop-secrets, kubeconfig: kubeconfig, context: shop}}\n  \
             vault: {{kind: vault, address: '{address}', namespace: team-a, mounts: {{secret: 2}}, \
             auth: {{kubernetes: {{role: argocd, tokenFile: jwt}}}}}}\n"
        ),
    );
    app.write("operator/jwt", "CANARY.jwt\n");
    app.write("operator/kubeconfig", &kubeconfig(address, "CANARY-operator"));
    with_references(&app, &["aws-sm:shop/db#k", "aws-ssm:/shop/db", "k8s:db#k", "vault:secret/shop/db#k"]);
    app
}

fn kubeconfig(address: &str, token: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Config, current-context: other, clusters: [{{name: c, cluster: {{server: '{address}'}}}}], \
         users: [{{name: u, user: {{token: {token}}}}}], contexts: [{{name: shop, context: {{cluster: c, user: u}}}}]}}"
    )
}

fn with_references(app: &SmallApp, references: &[&str]) {
    let item = |(index, text): (usize, &&str)| {
        format!("  i{index}: {}\n", serde_json::to_string(&format!("<{text}>")).unwrap())
    };
    let items: String = references.iter().enumerate().map(item).collect();
    app.write(
        "app/base/secrets.yaml",
        &format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: api, namespace: shop}}\nstringData:\n{items}"
        ),
    );
}

fn argocd(app: &SmallApp) -> Command {
    let mut command = app.sidecar("shop", "shop", "dev");
    command
        .env("AWS_ACCESS_KEY_ID", "AKIASIDECAR")
        .env("AWS_SECRET_ACCESS_KEY", "CANARY")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// Returns the parts of a request that determine its target, identity and purpose; without its date and signature.
fn summary(asked: &RecordedRequest) -> String {
    let login = asked.header("authorization").map(|text| {
        let credential = text.split(',').next().unwrap_or_default();
        let dated = |part: &&str| !(part.len() == 8 && part.bytes().all(|byte| byte.is_ascii_digit()));
        credential.split('/').filter(dated).collect::<Vec<_>>().join("/")
    });
    let headers =
        ["host", "x-amz-target", "x-vault-namespace", "x-vault-token"].map(|name| asked.header(name));
    format!("{} {} {login:?} {headers:?} {}", asked.method, asked.target, asked.body)
}

fn summaries(asked: &[RecordedRequest]) -> BTreeSet<String> {
    asked.iter().map(summary).collect()
}

/// Returns the requests of a normal run of the app.
fn expected(server: &StubServer, app: &SmallApp) -> BTreeSet<String> {
    let before = server.asked().len();
    let output = watched_output(&mut argocd(app));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let asked = summaries(&server.asked()[before..]);
    // AssumeRole of both, two services, a Secret, a login, a read and a revocation: they contain all parts checked
    // below.
    assert_eq!(asked.len(), 7, "{asked:#?}");
    for part in [
        "ASIAROLE/eu-west-1/secretsmanager",
        "role%2Freader",
        "Bearer CANARY-operator",
        "\"team-a\"",
        "argocd",
    ] {
        assert!(asked.iter().any(|line| line.contains(part)), "{part}: {asked:#?}");
    }
    asked
}

/// An attempt of an author, given the address of a trap.
type Attempt = fn(&SmallApp, &str, &mut Command);

/// Environment variables that clients of these services read.
const VARIABLES: [&str; 27] = [
    "ALL_PROXY",
    "AVP_AUTH_TYPE",
    "AVP_TYPE",
    "AWS_ACCESS_KEY_ID",
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_STS",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "KUBECONFIG",
    "KUBERNETES_SERVICE_HOST",
    "REGION",
    "SEALWAVE_OPERATOR",
    "SSL_CERT_FILE",
    "VAULT_ADDR",
    "VAULT_NAMESPACE",
    "VAULT_ROLE",
    "VAULT_TOKEN",
];

/// Settings that lead to the trap.
const SETTINGS: &str = "providers: {vault: {kind: vault, address: 'ADDRESS', namespace: team-b, auth: {token: {file: t}}}, \
    aws-sm: {kind: aws-sm, region: us-east-1, endpointUrl: 'ADDRESS'}, k8s: {kind: k8s, namespace: kube-system}}\n";

const ATTEMPTS: &[(&str, Attempt)] = &[
    ("environment of the Application", |_, trap, command| {
        for name in VARIABLES {
            command.env(format!("ARGOCD_ENV_{name}"), trap).env(format!("PARAM_{name}"), trap);
        }
    }),
    ("parameters", |_, trap, command| {
        let parameters = serde_json::json!([
            {"name": "env", "string": "dev"},
            {"name": "region", "string": "us-east-1"},
            {"name": "address", "string": trap},
            {"name": "providers", "map": {"vault": trap, "namespace": "team-b"}},
            {"name": "vault", "array": [trap]},
        ]);
        command.env("ARGOCD_APP_PARAMETERS", parameters.to_string());
    }),
    ("the environment's name", |_, _, command| {
        command.env("ARGOCD_APP_PARAMETERS", r#"[{"name":"env","string":"../../operator"}]"#);
    }),
    (".argocd-source.yaml", |app, trap, _| {
        let text = format!(
            "plugin: {{env: [{{name: VAULT_ADDR, value: '{trap}'}}, {{name: AWS_REGION, value: us-east-1}}], \
             parameters: [{{name: address, string: '{trap}'}}]}}\n"
        );
        for name in [".argocd-source.yaml", ".argocd-source-shop.yaml"] {
            app.write(&format!("app/{name}"), &text);
        }
    }),
    ("an operator file in Git", |app, trap, _| {
        let text = format!(
            "apiVersion: sealwave.dev/v1alpha1\nkind: Operator\nsealKeyFile: seal-key\nclusters: {{}}\n{}",
            SETTINGS.replace("ADDRESS", trap)
        );
        for name in ["operator.yaml", ".sealwave.yaml", "operator/operator.yaml"] {
            app.write(&format!("app/{name}"), &text);
        }
    }),
    ("providers in the app file", |app, trap, _| {
        let text = "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\n";
        app.write("app/sealwave.yaml", &(text.to_owned() + &SETTINGS.replace("ADDRESS", trap)));
    }),
    ("values", |app, trap, _| {
        app.write("app/values.yaml", &SETTINGS.replace("ADDRESS", trap));
        app.write(
            "app/envs/dev/values.yaml",
            &format!("address: '{trap}'\nregion: us-east-1\nnamespace: team-b\n"),
        );
    }),
    ("configuration of clients in the app", |app, trap, _| {
        let profile = format!(
            "[default]\nregion = us-east-1\nendpoint_url = {trap}\nrole_arn = arn:aws:iam::1:role/evil\n"
        );
        for home in ["app", "app/~", "app/envs"] {
            app.write(&format!("{home}/.aws/config"), &profile);
            app.write(&format!("{home}/.kube/config"), &kubeconfig(trap, "CANARY-author"));
            app.write(&format!("{home}/.vault-token"), "CANARY-author");
        }
        app.write("app/kubeconfig", &kubeconfig(trap, "CANARY-author"));
        app.write("app/jwt", "CANARY-author");
        app.write("app/.env", &format!("VAULT_ADDR={trap}\nAWS_ENDPOINT_URL={trap}\nHTTPS_PROXY={trap}\n"));
    }),
    ("annotations", |app, trap, _| {
        let annotations = format!(
            "{{name: api, annotations: {{avp.kubernetes.io/path: other/db, avp.kubernetes.io/kv-version: '1', \
             vault.hashicorp.com/namespace: team-b, vault.hashicorp.com/role: root, \
             eks.amazonaws.com/role-arn: 'arn:aws:iam::1:role/evil', sealwave.dev/address: '{trap}'}}"
        );
        app.replace("app/base/secrets.yaml", "{name: api", &annotations);
    }),
    ("the Secret's namespace", |app, _, _| {
        app.replace("app/base/secrets.yaml", "namespace: shop", "namespace: kube-system");
    }),
];

#[test]
fn nothing_that_authors_write_changes_the_settings_of_a_source() {
    let (server, trap) = (services(), services());
    let expected = expected(&server, &app(&server.address, POLICY));
    for (description, attempt) in ATTEMPTS {
        let app = app(&server.address, POLICY);
        let before = server.asked().len();
        let mut command = argocd(&app);
        attempt(&app, &trap.address, &mut command);
        let output = watched_output(&mut command);
        let asked = summaries(&server.asked()[before..]);
        if output.status.success() {
            assert_eq!(asked, expected, "{description}");
        } else {
            assert!(asked.is_subset(&expected) && output.stdout.is_empty(), "{description}: {asked:#?}");
        }
    }
    assert!(trap.asked().is_empty(), "{:#?}", summaries(&trap.asked()));
}

/// References that try to reach another address, mount, namespace, region or endpoint.
const HOSTILE: [&str; 30] = [
    "aws-sm:../shop/db#k",
    "aws-sm:arn:aws:secretsmanager:evil.example.com/:123456789012:secret:shop/db",
    "aws-sm:arn:aws:secretsmanager:us-east-1.evil:123456789012:secret:shop/db",
    "aws-sm:arn:aws:sts:us-east-1:123456789012:assumed-role/x",
    "aws-sm:http://127.0.0.1:1/shop/db#k",
    "aws-sm:shop/db?region=us-east-1#k",
    "aws-ssm:/aws/reference/secretsmanager/shop/db",
    "aws-ssm:arn:aws:ssm:us-east-1@evil:123456789012:parameter/shop/db",
    "aws-ssm:shop db",
    "k8s:../kube-system/secrets/admin#k",
    "k8s:db/../../../kube-system/secrets/admin#k",
    "k8s:db?namespace=kube-system#k",
    "k8s:https://127.0.0.1:1/db#k",
    "k8s:kube-system%2Fadmin#k",
    "k8s:kube-system/admin#k",
    "k8s:shop-secrets/db#k",
    "vault://127.0.0.1:1/secret/db#k",
    "vault:/v1/secret/data/shop/db#k",
    "vault:auth/kubernetes/login#k",
    "vault:auth/token/lookup-self#id",
    "vault:cubbyhole/db#k",
    "vault:https://127.0.0.1:1/v1/secret/data/db#k",
    "vault:identity/oidc/token/x#k",
    "vault:secret/../sys/mounts#k",
    "vault:secret/./../../sys/raw#k",
    "vault:secret/shop/../../team-b/secret/data/db#k",
    "vault:secret/shop/db#k#2&namespace=team-b",
    "vault:sys/internal/ui/mounts/secret#k",
    "vault:team-a/secret/shop/db#k",
    "vault:team-b/secret/data/shop/db#k",
];

#[test]
fn no_reference_bypasses_the_operators_settings() {
    let server = services();
    for policy in [POLICY, OPEN_POLICY] {
        let app = app(&server.address, policy);
        for reference in HOSTILE {
            let before = server.asked().len();
            with_references(&app, &[reference]);
            let output = watched_output(&mut argocd(&app));
            assert_eq!(
                output.status.code(),
                Some(2),
                "{reference}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            assert!(output.stdout.is_empty(), "{reference}");
            // The only permitted requests are the operator's login and its revocation.
            for asked in &server.asked()[before..] {
                let is_login = [LOGIN, REVOKE].contains(&asked.target.as_str());
                assert!(is_login, "{reference}: {}", summary(asked));
            }
        }
    }
}

/// With a policy that allows everything, unusual names are still names below the operator's mount or namespace.
#[test]
fn unusual_names_stay_below_the_operators_mount() {
    let server = services();
    let app = app(&server.address, OPEN_POLICY);
    let odd = [
        "vault:secret/%2e%2e/sys/mounts#k",
        "vault:secret/..%2f..%2fsys/mounts#k",
        "vault:secret/a;b#k",
        "vault:secret/a b#k",
        "vault:secret/\u{e4}#k",
        "vault:secret/data/sys/mounts#k",
        "aws-sm:team-b/db#k",
        "k8s:kube-system.admin#k",
    ];
    for reference in odd {
        let before = server.asked().len();
        with_references(&app, &[reference]);
        watched_output(&mut argocd(&app));
        for asked in &server.asked()[before..] {
            let below = [LOGIN, REVOKE, "/v1/secret/data/", "/api/v1/namespaces/shop-secrets/secrets/"];
            let fits = below.iter().any(|start| asked.target.starts_with(start)) || asked.target == "/";
            assert!(fits, "{reference}: {}", summary(asked));
            // A server that decodes once, as all do, would not find a parent segment either.
            let decoded = percent_encoding::percent_decode_str(&asked.target).decode_utf8().unwrap();
            assert!(!decoded.split('/').any(|segment| segment == ".."), "{reference}: {}", summary(asked));
            assert!(!asked.target.starts_with("/v1/") || asked.header("x-vault-namespace") == Some("team-a"));
        }
    }
}
