//! A TCP proxy that gives each new connection to the next of several servers, as a Service of Kubernetes does.

use std::io;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

/// The proxy, on threads of its own. It ends with this value; its connections end with the programs.
pub struct RoundRobin {
    port: u16,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

struct State {
    /// The number of connections of each target.
    connections: Vec<AtomicUsize>,
    ends: AtomicBool,
    targets: Vec<u16>,
}

impl RoundRobin {
    /// Starts the proxy for these ports of the loopback interface.
    pub fn start(targets: &[u16]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let connections = targets.iter().map(|_| AtomicUsize::new(0)).collect();
        let state =
            Arc::new(State { connections, ends: AtomicBool::new(false), targets: targets.to_owned() });
        let running = Arc::clone(&state);
        let thread = std::thread::spawn(move || running.accept(&listener));
        Self { port, state, thread: Some(thread) }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns how many connections each target got.
    pub fn connections(&self) -> Vec<usize> {
        self.state.connections.iter().map(|number| number.load(Ordering::Relaxed)).collect()
    }
}

impl Drop for RoundRobin {
    fn drop(&mut self) {
        self.state.ends.store(true, Ordering::Relaxed);
        // Wakes the thread, which waits for a connection.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(thread) = self.thread.take() {
            // It panics only if no thread can be started.
            let _ = thread.join();
        }
    }
}

impl State {
    fn accept(&self, listener: &TcpListener) {
        for (number, client) in listener.incoming().enumerate() {
            if self.ends.load(Ordering::Relaxed) {
                return;
            }
            let target = number % self.targets.len();
            // A server that does not listen yet: the client tries again.
            if let (Ok(client), Ok(server)) =
                (client, TcpStream::connect((Ipv4Addr::LOCALHOST, self.targets[target])))
            {
                self.connections[target].fetch_add(1, Ordering::Relaxed);
                forward(&client, &server);
                forward(&server, &client);
            }
        }
    }
}

/// Copies what arrives until the end, on a thread of its own.
fn forward(from: &TcpStream, to: &TcpStream) {
    let (mut from, mut to) = (from.try_clone().expect("a handle"), to.try_clone().expect("a handle"));
    std::thread::spawn(move || {
        // A connection may end at any time.
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
}
