//! A local AWS stub that speaks the JSON protocol, records requests, and fails on demand.
//!
//! Shared by tests of the providers and of the binary, and a benchmark; uses only the standard library and
//! `serde_json`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// A request.
#[derive(Clone, Debug)]
pub struct AwsRequest {
    /// The operation: the part after the dot in `X-Amz-Target`, or the `Action` of a form.
    pub operation: String,
    pub target: String,
    pub authorization: String,
    pub body: Value,
}

/// The response to a request.
pub enum AwsReply {
    /// A status and a JSON document.
    Json(u16, Value),
    /// These bytes as they are; then the connection is closed.
    Raw(Vec<u8>),
    /// Another response, after a delay.
    Later(Duration, Box<Self>),
    /// No response.
    Hang,
}

impl AwsReply {
    pub fn ok(body: Value) -> Self {
        Self::Json(200, body)
    }

    /// Returns an error in the format of AWS; the message must never be printed.
    pub fn error(status: u16, code: &str) -> Self {
        Self::Json(status, json!({"__type": code, "message": "CANARY in a message"}))
    }
}

pub struct AwsStub {
    pub endpoint: String,
    asked: Arc<Mutex<Vec<AwsRequest>>>,
}

impl AwsStub {
    /// Answers each request with `answer`; the second argument is the number of earlier requests.
    pub fn start(answer: impl Fn(&AwsRequest, usize) -> AwsReply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                thread::spawn(move || serve(stream, &log, &*answer));
            }
        });
        Self { endpoint, asked }
    }

    /// Returns all requests so far.
    pub fn asked(&self) -> Vec<AwsRequest> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the operations of all requests so far.
    pub fn operations(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.operation).collect()
    }
}

fn serve(stream: TcpStream, log: &Mutex<Vec<AwsRequest>>, answer: &dyn Fn(&AwsRequest, usize) -> AwsReply) {
    // Without this, an answer in two packets waits for the other side's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let Ok(writer) = stream.try_clone() else { return };
    let mut reader = BufReader::new(stream);
    while let Some(asked) = read(&mut reader) {
        let before = {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.push(asked.clone());
            log.len() - 1
        };
        if !write(&writer, answer(&asked, before)) {
            return;
        }
    }
}

/// Writes a response. Returns whether the connection stays open.
fn write(mut stream: &TcpStream, reply: AwsReply) -> bool {
    match reply {
        AwsReply::Json(status, body) => {
            let body = body.to_string();
            let head = format!(
                "HTTP/1.1 {status} Stub\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all((head + &body).as_bytes()).is_ok()
        }
        AwsReply::Raw(bytes) => {
            let _ = stream.write_all(&bytes);
            false
        }
        AwsReply::Later(delay, reply) => {
            thread::sleep(delay);
            write(stream, *reply)
        }
        AwsReply::Hang => {
            thread::sleep(Duration::from_mins(10));
            false
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<AwsRequest> {
    let (mut target, mut authorization, mut length) = (String::new(), String::new(), 0);
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "x-amz-target" => value.clone_into(&mut target),
            "authorization" => value.clone_into(&mut authorization),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let text = String::from_utf8_lossy(&body).into_owned();
    let operation = match target.rsplit_once('.') {
        Some((_, operation)) => operation.to_owned(),
        None => text.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap_or("").to_owned(),
    };
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Some(AwsRequest { operation, target, authorization, body })
}

/// Returns the names that a request asks for.
pub fn names(asked: &AwsRequest) -> Vec<String> {
    let field = ["SecretIdList", "Names", "SecretId"].into_iter().find_map(|field| asked.body.get(field));
    match field {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(name)) => vec![name.clone()],
        _ => Vec::new(),
    }
}

/// Returns a secret in the format of `GetSecretValue` and `BatchGetSecretValue`.
pub fn secret(name: &str, text: &str) -> Value {
    json!({
        "ARN": format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:{name}-AbCdEf"),
        "Name": name,
        "VersionId": "11111111-2222-3333-4444-555555555555",
        "SecretString": text,
        "VersionStages": ["AWSCURRENT"],
        "CreatedDate": 1.7e9,
    })
}

/// Answers requests for secrets and parameters; the text is computed from the name.
pub fn answer_with(text: impl Fn(&str) -> String, asked: &AwsRequest) -> AwsReply {
    let names = names(asked);
    match asked.operation.as_str() {
        "BatchGetSecretValue" => {
            let values: Vec<Value> = names.iter().map(|name| secret(name, &text(name))).collect();
            AwsReply::ok(json!({"SecretValues": values, "Errors": []}))
        }
        "GetSecretValue" => names.first().map_or(AwsReply::error(400, "ValidationException"), |name| {
            AwsReply::ok(secret(name, &text(name)))
        }),
        "GetParameters" => {
            let parameter = |name: &String| {
                let (base, selector) = name.split_once(':').unwrap_or((name, ""));
                let selector = if selector.is_empty() { Value::Null } else { format!(":{selector}").into() };
                json!({"Name": base, "Selector": selector, "Type": "SecureString", "Value": text(name), "Version": 1, "LastModifiedDate": 1.7e9})
            };
            let values: Vec<Value> = names.iter().map(parameter).collect();
            AwsReply::ok(json!({"Parameters": values, "InvalidParameters": []}))
        }
        _ => AwsReply::error(400, "UnknownOperationException"),
    }
}
