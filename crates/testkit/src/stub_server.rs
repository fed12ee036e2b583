//! An HTTP server for tests on loopback, with or without TLS. It records requests and replies as the test decides.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A recorded request.
#[derive(Clone, Debug, Default)]
pub struct RecordedRequest {
    pub method: String,
    /// The path with the query.
    pub target: String,
    /// Headers with lower-case names.
    headers: Vec<(String, String)>,
    pub body: String,
}

impl RecordedRequest {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A response.
#[derive(Clone, Debug)]
pub struct StubReply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// The number of body bytes that are sent before the connection is closed.
    cut: Option<usize>,
    /// The time before the response.
    delay: Duration,
}

impl StubReply {
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        Self { status, headers, body: body.into(), cut: None, delay: Duration::ZERO }
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn cut(self, bytes: usize) -> Self {
        Self { cut: Some(bytes), ..self }
    }

    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }
}

type AnswerFn = dyn Fn(&RecordedRequest, usize) -> StubReply + Send + Sync;

/// A server that runs until the test process ends.
pub struct StubServer {
    pub address: String,
    asked: Arc<Mutex<Vec<RecordedRequest>>>,
}

impl StubServer {
    /// Starts a server. `answers` gets each request, and the number of earlier requests with its method and target.
    pub fn start(answers: impl Fn(&RecordedRequest, usize) -> StubReply + Send + Sync + 'static) -> Self {
        Self::start_with(None, answers)
    }

    /// Starts a server with TLS.
    pub fn start_tls(
        tls: Arc<ServerConfig>,
        answers: impl Fn(&RecordedRequest, usize) -> StubReply + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(Some(tls), answers)
    }

    fn start_with(
        tls: Option<Arc<ServerConfig>>,
        answers: impl Fn(&RecordedRequest, usize) -> StubReply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let address = format!("{scheme}://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, answers): (_, Arc<AnswerFn>) = (Arc::clone(&asked), Arc::new(answers));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tls, log, answers) = (tls.clone(), Arc::clone(&log), Arc::clone(&answers));
                thread::spawn(move || accept(stream, tls, &log, &*answers));
            }
        });
        Self { address, asked }
    }

    /// Returns all requests so far.
    pub fn asked(&self) -> Vec<RecordedRequest> {
        self.asked.lock().expect("not poisoned").clone()
    }

    /// Counts the requests for a method and target.
    pub fn count(&self, method: &str, target: &str) -> usize {
        self.asked().iter().filter(|asked| asked.method == method && asked.target == target).count()
    }
}

fn accept(
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    log: &Mutex<Vec<RecordedRequest>>,
    answers: &AnswerFn,
) -> Option<()> {
    // Otherwise a response waits for the client's delayed acknowledgement.
    stream.set_nodelay(true).ok()?;
    match tls {
        None => serve(stream, log, answers),
        Some(tls) => serve(StreamOwned::new(ServerConnection::new(tls).ok()?, stream), log, answers),
    }
}

fn serve(stream: impl Read + Write, log: &Mutex<Vec<RecordedRequest>>, answers: &AnswerFn) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let asked = read(&mut reader)?;
        let before = {
            let mut log = log.lock().expect("not poisoned");
            let is_same =
                |other: &&RecordedRequest| (&other.method, &other.target) == (&asked.method, &asked.target);
            let before = log.iter().filter(is_same).count();
            log.push(asked.clone());
            before
        };
        let reply = answers(&asked, before);
        thread::sleep(reply.delay);
        let mut head = format!("HTTP/1.1 {} X\r\nContent-Length: {}\r\n", reply.status, reply.body.len());
        for (name, value) in &reply.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&reply.body[..reply.cut.unwrap_or(reply.body.len())]);
        let stream = reader.get_mut();
        stream.write_all(&bytes).and_then(|()| stream.flush()).ok()?;
        if reply.cut.is_some() {
            // Dropping the stream closes the connection.
            return Some(());
        }
    }
}

fn read(reader: &mut BufReader<impl Read>) -> Option<RecordedRequest> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
    let mut words = line.split(' ');
    let mut asked = RecordedRequest {
        method: words.next()?.to_owned(),
        target: words.next()?.to_owned(),
        ..RecordedRequest::default()
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        asked.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = asked.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    asked.body = String::from_utf8(body).ok()?;
    Some(asked)
}
