//! Free ports of the loopback interface.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::Mutex;

/// Returns a port that is free now and was never returned before.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().expect("the lock of ports");
    loop {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        if given.insert(port) {
            return port;
        }
    }
}
