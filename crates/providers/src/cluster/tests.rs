//! Requests to a stub of the API server: each failure names what was asked, and no text of a response.

use std::time::{Duration, Instant};

use serde_json::json;

use sealwave_core::diagnostic::Explain as _;
use sealwave_testkit::stub_server::{RecordedRequest, StubReply, StubServer};

use super::*;

/// A kubeconfig for an address, and a context with a hostile name.
struct Desk {
    _directory: tempfile::TempDir,
    access: ClusterAccess,
}

const CONTEXT: &str = "prod\u{1b}[2J";

impl Desk {
    fn new(address: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("kubeconfig");
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": CONTEXT,
            "clusters": [{"name": "c", "cluster": {"server": address}}],
            "users": [{"name": "u", "user": {"token": "CANARY"}}],
            "contexts": [{"name": CONTEXT, "context": {"cluster": "c", "user": "u"}}],
        });
        fs_err::write(&file, kubeconfig.to_string()).expect("written");
        let access = ClusterAccess { kubeconfigs: vec![file], context: None };
        Self { _directory: directory, access }
    }

    fn connect(&self, time: Duration) -> ClusterClient {
        self.access.connect(Instant::now() + time).expect("a client")
    }
}

/// Starts a stub, and returns the result of a request to it, with the address.
fn ask<T>(
    answer: impl Fn(&RecordedRequest, usize) -> StubReply + Send + Sync + 'static,
    request: impl FnOnce(&ClusterClient) -> Result<T, ClusterError>,
) -> (Result<T, ClusterError>, StubServer) {
    let server = StubServer::start(answer);
    let client = Desk::new(&server.address).connect(Duration::from_secs(20));
    (request(&client), server)
}

const POD: ApiObject<'static> = ApiObject::named(ApiResource::PODS, "shop", "web-1");

/// Returns the message and the hint of a request for a pod that is answered like this.
fn failure(answer: impl Fn(&RecordedRequest, usize) -> StubReply + Send + Sync + 'static) -> String {
    let (result, server) = ask(answer, |client| client.get(&POD).map(drop));
    let error = result.expect_err("a failure");
    let text = error.to_string();
    let end = format!("; server `{}`, context `prod\\u{{1b}}[2J`", server.address);
    assert!(text.ends_with(&end) && text.contains("Pod `web-1` in namespace `shop`"), "{text}");
    let whole = format!("{text}\n{}", error.hint().expect("a hint"));
    assert!(!whole.contains("CANARY") && !whole.contains('\u{1b}'), "{whole}");
    whole.replace(&end, "")
}

#[test]
fn each_failure_names_the_object_the_server_and_the_context() {
    let pod = "Pod `web-1` in namespace `shop`";
    let reply =
        |status: u16, body: &'static str| move |_: &RecordedRequest, _: usize| StubReply::json(status, body);
    let expect = |text: String, message: &str, hint: &str| {
        let (found, advice) = text.split_once('\n').expect("two lines");
        assert_eq!(found, message);
        assert!(advice.contains(hint), "{advice}");
    };
    expect(
        failure(reply(401, "CANARY")),
        &format!("the cluster rejected the credentials of a request for {pod} (401)"),
        "has not expired",
    );
    expect(
        failure(reply(403, "CANARY")),
        &format!("this user is not allowed to `get` {pod} (403)"),
        "with a Role in namespace `shop`: `- {apiGroups: [\"\"], resources: [\"pods\"], verbs: [\"get\"]}`",
    );
    expect(failure(reply(404, "CANARY")), &format!("{pod} does not exist"), "the context of the kubeconfig");
    expect(
        failure(reply(409, "CANARY")),
        &format!("{pod} exists already or was changed by another client (409)"),
        "try again",
    );
    expect(
        failure(reply(302, "")),
        &format!("request for {pod} was rejected (302)"),
        "address is that of its API",
    );
    for status in [500, 503] {
        let text = failure(move |_, _| StubReply::json(status, "").header("Retry-After", "0"));
        let message = format!("{pod} cannot be reached: the cluster's API failed ({status})");
        expect(text, &message, "kubectl get --raw /readyz");
    }
    // A pause beyond the deadline is not waited for.
    let text = failure(|_, _| StubReply::json(429, "CANARY").header("Retry-After", "4294967295"));
    expect(text, &format!("{pod} cannot be reached: too many requests (429)"), "try again later");
    for body in ["<html>CANARY</html>", "\n <!DOCTYPE html>CANARY"] {
        let text = failure(reply(200, body));
        let message = format!("response about {pod} is not valid: it is HTML, as of a login page or a proxy");
        expect(text, &message, "address is that of its API server");
    }
    let deep = format!("{}CANARY", "[".repeat(200_000));
    let text = failure(move |_, _| StubReply::json(200, deep.clone()));
    expect(
        text,
        &format!("response about {pod} is not valid: it is not JSON, or is nested too deeply"),
        "address is that of its API server",
    );
    let text = failure(|_, _| StubReply::json(200, vec![b'x'; (8 << 20) + 1]));
    expect(text, &format!("response about {pod} is larger than 8 MiB"), "address is that of its API server");
    let text = failure(|_, _| StubReply::json(200, r#"{"kind": "Pod", "CANARY": 1}"#).cut(9));
    let cut = "the connection was closed before the response was complete (6 attempts)";
    expect(text, &format!("cannot `get` {pod}: {cut}"), "reachable from here");
}

#[test]
fn a_server_that_does_not_answer_is_named() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let desk = Desk::new(&format!("http://user:CANARY@{free}/?token=CANARY"));
    let error = desk.connect(Duration::from_secs(30)).get(&POD).expect_err("refused");
    let text = error.to_string();
    assert_eq!(
        text,
        format!(
            "cannot `get` Pod `web-1` in namespace `shop`: the cluster's API cannot be reached (6 attempts); \
             server `http://{free}`, context `prod\\u{{1b}}[2J`"
        )
    );
    let server = StubServer::start(|_, _| StubReply::json(200, "{}").after(Duration::from_secs(30)));
    let client = Desk::new(&server.address).connect(Duration::from_millis(300));
    let error = client.get(&POD).expect_err("too late").to_string();
    assert!(
        error.starts_with(
            "cannot `get` Pod `web-1` in namespace `shop`: the cluster did not respond before the deadline; server `"
        ),
        "{error}"
    );
    // The port does not speak TLS.
    let desk = Desk::new(&server.address.replace("http://", "https://"));
    let error = desk.connect(Duration::from_secs(20)).get(&POD).expect_err("no TLS").to_string();
    assert!(error.contains("; server `https://127.0.0.1:"), "{error}");
}

#[test]
fn a_context_that_does_not_exist_is_named() {
    let desk = Desk::new("http://127.0.0.1:1");
    let access = ClusterAccess { context: Some("prd\u{1b}[2J".to_owned()), ..desk.access.clone() };
    let error = access.connect(Instant::now() + Duration::from_secs(5)).err().expect("no such context");
    assert_eq!(error.to_string(), "the kubeconfig has no context `prd\\u{1b}[2J`");
    assert_eq!(error.hint().as_deref(), Some("did you mean `prod\\u{1b}[2J`?"));
}

#[test]
fn a_list_ends() {
    let pods = ApiObject::all_in(ApiResource::PODS, "shop");
    let list = |page: fn(usize) -> String| {
        let answer = move |_: &RecordedRequest, earlier: usize| StubReply::json(200, page(earlier));
        let (result, server) = ask(answer, |client| client.list(&pods, ""));
        (result.map(|items| items.len()).map_err(|error| error.failure().to_string()), server.asked().len())
    };
    let (result, requests) =
        list(|_| r#"{"kind": "PodList", "items": [{}], "metadata": {"continue": "again"}}"#.to_owned());
    let endless = "response about the list of Pods in namespace `shop` is not valid: its pages do not end";
    assert_eq!((result, requests), (Err(endless.to_owned()), 2));
    let (result, _) = list(|_| {
        json!({"kind": "PodList", "items": [], "metadata": {"continue": "x".repeat(1 << 20)}}).to_string()
    });
    assert_eq!(result, Err(endless.to_owned()));
    // Each page is small, and has another token.
    let (result, server) = ask(
        |asked, _| {
            let token = asked.target.rsplit("continue=").next().and_then(|token| token.parse::<u64>().ok());
            let next = (token.unwrap_or(0) + 1).to_string();
            StubReply::json(200, json!({"kind": "PodList", "metadata": {"continue": next}}).to_string())
        },
        |client| client.list(&pods, ""),
    );
    let error = result.expect_err("endless").failure().to_string();
    let is_bounded = error.ends_with("it has too many pages") || error.contains("before the deadline");
    assert!(is_bounded && server.asked().len() <= 2000, "{error}");
    let expired = |_: &RecordedRequest, _: usize| StubReply::json(410, "CANARY");
    let error = ask(expired, |client| client.list(&pods, "")).0.expect_err("expired");
    assert_eq!(
        error.failure().to_string(),
        "the list of Pods in namespace `shop` expired before all of its pages were read (410)"
    );
}

#[test]
fn a_huge_name_is_refused_and_shortened() {
    let name = "x".repeat(5 << 20);
    let (result, server) = ask(
        |_, _| StubReply::json(200, "{}"),
        |client| client.get(&ApiObject::named(ApiResource::PODS, "shop", &name)),
    );
    let text = result.expect_err("refused").to_string();
    assert!(text.len() < 1000 && text.contains("does not have a valid name"), "{}", text.len());
    assert!(server.asked().is_empty());
}

#[test]
fn a_denied_service_is_allowed_by_a_rule_for_it_alone() {
    let service = ServiceProxy {
        namespace: "kube-system".to_owned(),
        service: "sealed-secrets".to_owned(),
        port: "http".to_owned(),
    };
    let (result, _) = ask(
        |_, _| StubReply::json(403, "CANARY"),
        |client| client.proxy_post(&service, "v1/rotate", b"{}").map(drop),
    );
    let hint = result.expect_err("denied").hint().expect("a hint");
    assert!(
        hint.ends_with(
            "with a Role in namespace `kube-system`: `- {apiGroups: [\"\"], resources: [\"services/proxy\"], \
             verbs: [\"create\"], resourceNames: [\"http:sealed-secrets:http\"]}`"
        ),
        "{hint}"
    );
}
