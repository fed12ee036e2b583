//! A proxy in front of an AWS emulator, which answers some requests itself, or loses their responses.
//!
//! It also sends requests that tests need to prepare the emulator. Uses only the standard library.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// A request on its way to the emulator.
#[derive(Clone, Debug)]
pub struct ProxiedRequest {
    /// The operation: the part after the dot in `X-Amz-Target`, the `Action` of a form, or the method for S3.
    pub operation: String,
    /// The id of the access key that signed it.
    pub access_key: String,
    pub body: String,
    head: Vec<String>,
}

/// The decision about a request.
pub enum ProxyDecision {
    /// The emulator answers.
    Forward,
    /// The emulator answers, but the response is lost.
    LoseResponse,
    /// The client gets an error with this status and code; the emulator gets nothing.
    Refuse(u16, &'static str),
}

/// A running proxy.
pub struct AwsProxy {
    pub endpoint: String,
    asked: Arc<Mutex<Vec<ProxiedRequest>>>,
}

impl AwsProxy {
    /// Starts a proxy for an emulator. `decide` also gets the number of earlier requests of the same operation.
    pub fn start(
        target: &str,
        decide: impl Fn(&ProxiedRequest, usize) -> ProxyDecision + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, decide, target) = (Arc::clone(&asked), Arc::new(decide), target.to_owned());
        thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                let (log, decide, target) = (Arc::clone(&log), Arc::clone(&decide), target.clone());
                thread::spawn(move || serve(stream, &target, &log, &*decide));
            }
        });
        Self { endpoint, asked }
    }

    /// Returns the operations of all requests so far.
    pub fn operations(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().map(|asked| asked.operation.clone()).collect()
    }
}

type DecideFn = dyn Fn(&ProxiedRequest, usize) -> ProxyDecision + Send + Sync;

fn serve(
    mut stream: TcpStream,
    target: &str,
    log: &Mutex<Vec<ProxiedRequest>>,
    decide: &DecideFn,
) -> Option<()> {
    let asked = read(&stream)?;
    let before = {
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        let before = log.iter().filter(|other| other.operation == asked.operation).count();
        log.push(asked.clone());
        before
    };
    match decide(&asked, before) {
        ProxyDecision::Forward => {
            let answer = forward(target, &asked)?;
            stream.write_all(&answer).ok()
        }
        ProxyDecision::LoseResponse => {
            forward(target, &asked)?;
            None
        }
        ProxyDecision::Refuse(status, code) => {
            let is_json = asked.head.iter().any(|line| line.to_ascii_lowercase().starts_with("x-amz-target"));
            // The message must never be printed.
            let (kind, body) = if is_json {
                ("application/x-amz-json-1.1", format!("{{\"__type\":\"{code}\",\"message\":\"CANARY\"}}"))
            } else if asked.body.is_empty() {
                ("application/xml", format!("<Error><Code>{code}</Code><Message>CANARY</Message></Error>"))
            } else {
                (
                    "text/xml",
                    format!(
                        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>CANARY</Message></Error></ErrorResponse>"
                    ),
                )
            };
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            stream.write_all((head + &body).as_bytes()).ok()
        }
    }
}

fn read(stream: &TcpStream) -> Option<ProxiedRequest> {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        head.push(line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    let header = |name: &str| {
        head.iter()
            .filter_map(|line| line.split_once(':'))
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
    };
    let target = header("x-amz-target").and_then(|(_, value)| value.rsplit_once('.'));
    let action = || body.split('&').find_map(|pair| pair.strip_prefix("Action="));
    let operation = match target {
        Some((_, operation)) => operation.to_owned(),
        None => action().or_else(|| head.first()?.split(' ').next()).unwrap_or("").to_owned(),
    };
    let credential = header("authorization").and_then(|(_, value)| value.split_once("Credential="));
    let access_key = credential.and_then(|(_, rest)| rest.split('/').next()).unwrap_or("").to_owned();
    Some(ProxiedRequest { operation, access_key, body, head })
}

fn forward(target: &str, asked: &ProxiedRequest) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(target.strip_prefix("http://")?).ok()?;
    let is_kept = |line: &&String| !line.to_ascii_lowercase().starts_with("connection:");
    let head: Vec<&str> = asked.head.iter().filter(is_kept).map(String::as_str).collect();
    let request = format!("{}\r\nconnection: close\r\n\r\n{}", head.join("\r\n"), asked.body);
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    // The client must not use the connection again.
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let lines: Vec<&str> =
        head.split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("connection:")).collect();
    Some(format!("{}\r\nConnection: close\r\n\r\n{body}", lines.join("\r\n")).into_bytes())
}

/// Sends a request to an emulator, which checks no signature. Returns the body of the response.
pub fn call_emulator(endpoint: &str, service: &str, first_line: &str, headers: &str, body: &str) -> String {
    let address = endpoint.strip_prefix("http://").expect("plain HTTP");
    let mut stream = TcpStream::connect(address).expect("an emulator");
    let length = body.len();
    let request = format!(
        "{first_line} HTTP/1.1\r\nHost: {address}\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIAMOTO/20260101/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("a response");
    assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
}

/// Sends an action of IAM to an emulator.
pub fn call_iam(endpoint: &str, action: &str, parameters: &str) -> String {
    let body = format!("Action={action}&Version=2010-05-08&{parameters}");
    let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
    call_emulator(endpoint, "iam", "POST /", headers, &body)
}

/// Sends an action of Secrets Manager or Parameter Store to an emulator.
pub fn call_json(endpoint: &str, service: &str, target: &str, body: &str) -> serde_json::Value {
    let headers = format!("Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: {target}\r\n");
    let answer = call_emulator(endpoint, service, "POST /", &headers, body);
    serde_json::from_str(&answer).expect("JSON")
}

/// Returns the text of the first element with this name.
pub fn element(xml: &str, name: &str) -> String {
    let (_, rest) = xml.split_once(&format!("<{name}>")).expect("the element");
    rest.split('<').next().unwrap_or("").to_owned()
}
