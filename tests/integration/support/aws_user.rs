//! A stub of AWS with a user `airflow`, a secret, and values that contain the marker.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use sealwave_testkit::stub_server::{RecordedRequest, StubReply, StubServer};

/// The key that the user has at first.
pub const OLD_KEY: &str = "AKIAEXAMPLEOLD000001";
const NEW_KEY: &str = "AKIAEXAMPLENEW000001";
const USER: &str = "arn:aws:iam::123456789012:user/airflow";

/// The contents of the account.
struct Account {
    /// Ids of access keys with their status.
    keys: Vec<(&'static str, String)>,
    /// The versions of the secret, the newest last.
    versions: Vec<String>,
    /// Whether a rotation of Secrets Manager was started.
    rotated: bool,
}

/// Starts an account.
pub fn start() -> StubServer {
    start_with(|_| None)
}

/// Starts an account. `decide` gets each operation first, and may answer it.
pub fn start_with(decide: impl Fn(&str) -> Option<StubReply> + Send + Sync + 'static) -> StubServer {
    let document = format!(
        r#"{{"AWS_ACCESS_KEY_ID":"{OLD_KEY}","AWS_SECRET_ACCESS_KEY":"CANARY-old","other":"CANARY-other"}}"#
    );
    let account =
        Account { keys: vec![(OLD_KEY, "Active".to_owned())], versions: vec![document], rotated: false };
    let account = Arc::new(Mutex::new(account));
    StubServer::start(move |asked, _| {
        let answer = decide(&operation(asked));
        answer.unwrap_or_else(|| account.lock().expect("not poisoned").answer(asked))
    })
}

/// Returns the operation of a request: of its target, of its form, or the method for S3.
pub fn operation(asked: &RecordedRequest) -> String {
    let target = asked.header("x-amz-target").and_then(|target| target.rsplit_once('.'));
    let action = || asked.body.split('&').find_map(|pair| pair.strip_prefix("Action="));
    target.map(|(_, operation)| operation).or_else(action).unwrap_or(&asked.method).to_owned()
}

impl Account {
    fn answer(&mut self, asked: &RecordedRequest) -> StubReply {
        let target = asked.header("x-amz-target").and_then(|target| target.rsplit_once('.'));
        match target {
            Some((_, operation)) => self.answer_json(operation, &asked.body),
            None if asked.method == "GET" => StubReply::json(200, "<ListBucketResult/>"),
            None => self.answer_form(&asked.body),
        }
    }

    fn answer_json(&mut self, operation: &str, body: &str) -> StubReply {
        let asked: Value = serde_json::from_str(body).unwrap_or_default();
        let ok = |body: Value| StubReply::json(200, body.to_string());
        let name = asked["SecretId"].as_str().unwrap_or_default();
        let refused = |code: &str| {
            StubReply::json(400, json!({"__type": code, "message": "CANARY in a message"}).to_string())
        };
        match operation {
            _ if name.contains("missing") => refused("ResourceNotFoundException"),
            _ if name.contains("denied") => refused("AccessDeniedException"),
            "GetSecretValue" => {
                let back = usize::from(asked["VersionStage"] == "AWSPREVIOUS");
                let number = self.versions.len() - 1 - back;
                let (version, text) = (format!("version-{number}"), &self.versions[number]);
                ok(json!({"Name": name, "VersionId": version, "SecretString": text}))
            }
            "PutSecretValue" => {
                self.versions.push(asked["SecretString"].as_str().expect("text").to_owned());
                ok(json!({"Name": name, "VersionId": format!("version-{}", self.versions.len() - 1)}))
            }
            "DescribeSecret" => {
                let stages = if self.rotated {
                    json!({"v1": ["AWSPREVIOUS"], "v2": ["AWSCURRENT", "AWSPENDING"]})
                } else {
                    json!({"v1": ["AWSCURRENT"]})
                };
                let note = "CANARY in a description";
                ok(
                    json!({"Name": name, "Description": note, "RotationEnabled": true, "VersionIdsToStages": stages}),
                )
            }
            "RotateSecret" => {
                self.rotated = true;
                ok(json!({"Name": name, "VersionId": "v2"}))
            }
            "GetParameters" => ok(json!({"Parameters": [], "InvalidParameters": asked["Names"]})),
            "PutParameter" => ok(json!({"Version": 1})),
            _ => refused("UnknownOperationException"),
        }
    }

    fn answer_form(&mut self, body: &str) -> StubReply {
        let field = |name: &str| {
            let mut pairs = body.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(known, _)| *known == name).map_or("", |(_, value)| value)
        };
        let action = field("Action");
        let result = match action {
            "GetCallerIdentity" => {
                format!("<Arn>{USER}</Arn><UserId>AIDAEXAMPLE</UserId><Account>123456789012</Account>")
            }
            _ if field("UserName") == "denied" => {
                let error = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>CANARY</Message></Error></ErrorResponse>";
                return StubReply::json(403, error).header("Content-Type", "text/xml");
            }
            "GetUser" => format!(
                "<User><Path>/</Path><UserName>airflow</UserName><UserId>AIDAEXAMPLE</UserId><Arn>{USER}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></User>"
            ),
            "ListAccessKeys" => {
                let keys: Vec<String> = self.keys.iter().map(|(id, status)| member(id, status)).collect();
                format!("<AccessKeyMetadata>{}</AccessKeyMetadata><IsTruncated>false</IsTruncated>", keys.concat())
            }
            "GetAccessKeyLastUsed" => {
                "<UserName>airflow</UserName><AccessKeyLastUsed><ServiceName>N/A</ServiceName><Region>N/A</Region></AccessKeyLastUsed>".to_owned()
            }
            "CreateAccessKey" => {
                self.keys.push((NEW_KEY, "Active".to_owned()));
                format!(
                    "<AccessKey><UserName>airflow</UserName><AccessKeyId>{NEW_KEY}</AccessKeyId><Status>Active</Status><SecretAccessKey>CANARY-created</SecretAccessKey></AccessKey>"
                )
            }
            "UpdateAccessKey" => {
                let (id, status) = (field("AccessKeyId"), field("Status").to_owned());
                self.keys.iter_mut().filter(|(known, _)| *known == id).for_each(|key| key.1.clone_from(&status));
                String::new()
            }
            "DeleteAccessKey" => {
                self.keys.retain(|(known, _)| *known != field("AccessKeyId"));
                String::new()
            }
            _ => return StubReply::json(400, "CANARY"),
        };
        let xml = format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>");
        StubReply::json(200, xml).header("Content-Type", "text/xml")
    }
}

fn member(id: &str, status: &str) -> String {
    format!(
        "<member><UserName>airflow</UserName><AccessKeyId>{id}</AccessKeyId><Status>{status}</Status><CreateDate>2026-01-01T00:00:00Z</CreateDate></member>"
    )
}
