//! Restrictions of a program: files, programs, networks and other processes.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::Command;

use sealwave_programs::NetworkAccess;

use crate::support::{TestHost, require_landlock};

#[test]
fn only_named_files_can_be_read() {
    require_landlock();
    let host = TestHost::new();
    let outside = host.repository().parent().unwrap().join("outside");
    fs_err::write(&outside, "CANARY").unwrap();
    std::os::unix::fs::symlink(&outside, host.repository().join("link")).unwrap();
    assert_eq!(host.stdout("cat file"), "content");
    for path in [
        "/etc/passwd",
        "/proc/self/environ",
        "/proc/1/environ",
        "/proc/$PPID/environ",
        ".git/config",
        "../outside",
        "link",
    ] {
        let text = host.failure(&host.script(&format!("cat {path}")));
        assert!(text.ends_with("Permission denied"), "{path}: {text}");
    }
    let allowed = host.script("cat ../outside").readable(&outside);
    assert_eq!(host.run(&allowed).unwrap().stdout, b"CANARY");
}

#[test]
fn only_the_private_directory_can_be_written() {
    require_landlock();
    let host = TestHost::new();
    for script in [
        "echo x > new",
        "echo x > file",
        "rm file",
        "mkdir new",
        "truncate -s 0 file",
        "mv file \"$HOME\"",
        "echo x > /tmp/sealwave-test-file",
    ] {
        host.failure(&host.script(script));
    }
    assert_eq!(fs_err::read_to_string(host.repository().join("file")).unwrap(), "content");
    assert_eq!(fs_err::read_dir(host.repository()).unwrap().count(), 2);
    assert_eq!(host.stdout("echo x > \"$HOME/new\" && cat \"$HOME/new\" && echo y > /dev/null"), "x\n");
    let cache = tempfile::tempdir().unwrap();
    let run = host.script(&format!("echo x > '{}/new'", cache.path().display())).writable(cache.path());
    host.run(&run).unwrap();
    assert_eq!(fs_err::read_to_string(cache.path().join("new")).unwrap(), "x\n");
}

#[test]
fn only_named_programs_can_be_started() {
    require_landlock();
    let host = TestHost::new();
    // An exec plugin of a repository, and a program that the first one writes.
    fs_err::copy("/bin/true", host.repository().join("plugin")).unwrap();
    for script in ["./plugin", "cp /bin/true \"$HOME/plugin\"; \"$HOME/plugin\""] {
        let text = host.failure(&host.script(script));
        assert!(text.ends_with("Permission denied"), "{script}: {text}");
    }
    // `env` itself can be started, other programs cannot.
    let run = sealwave_programs::ProgramRun::new(Path::new("/usr/bin/env"), &host.repository());
    let text = host.failure(&run.args(["/usr/bin/id"]));
    assert!(text.ends_with("Permission denied"), "{text}");
}

#[test]
fn no_network_can_be_used() {
    let host = TestHost::new();
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    tcp.set_nonblocking(true).unwrap();
    udp.set_nonblocking(true).unwrap();
    let (tcp_port, udp_port) = (tcp.local_addr().unwrap().port(), udp.local_addr().unwrap().port());
    for script in [
        format!("exec 3<>/dev/tcp/127.0.0.1/{tcp_port}"),
        format!("exec 3<>/dev/udp/127.0.0.1/{udp_port}; echo x >&3"),
    ] {
        let text = host.failure(&host.script(&script));
        assert!(text.contains("Operation not permitted"), "{text}");
    }
    assert_eq!(tcp.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(udp.recv(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
    // Sockets with names in the file system, such as that of a container runtime.
    let script = "import socket; socket.socket(socket.AF_UNIX)";
    let text = host.failure(&host.script(&format!("/usr/bin/python3 -I -c '{script}'")));
    assert!(text.contains("Operation not permitted"), "{text}");
}

#[test]
fn only_allowed_ports_can_be_used() {
    require_landlock();
    let host = TestHost::new();
    let allowed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
    let run = |to: u16| {
        let network = NetworkAccess::Ports(vec![port(&allowed)]);
        host.script(&format!("exec 3<>/dev/tcp/127.0.0.1/{to}")).network(network)
    };
    host.run(&run(port(&allowed))).unwrap();
    let text = host.failure(&run(port(&other)));
    assert!(text.contains("Permission denied"), "{text}");
}

#[test]
fn other_processes_cannot_be_signaled() {
    require_landlock();
    let host = TestHost::new();
    let mut other = Command::new("sleep").arg("60").spawn().unwrap();
    let text = host.failure(&host.script(&format!("kill -9 {}", other.id())));
    assert!(text.ends_with("Operation not permitted"), "{text}");
    assert!(other.try_wait().unwrap().is_none());
    other.kill().unwrap();
    other.wait().unwrap();
    // The guard.
    let text = host.failure(&host.script("kill -9 $PPID"));
    assert!(text.ends_with("Operation not permitted"), "{text}");
}

#[test]
fn privileges_cannot_be_gained() {
    let host = TestHost::new();
    let script = "import re; print(re.search(\"NoNewPrivs.*\", open(\"/proc/self/status\").read()).group())";
    let run = host.script(&format!("/usr/bin/python3 -I -c '{script}'")).readable(Path::new("/proc"));
    assert_eq!(host.run(&run).unwrap().stdout, b"NoNewPrivs:\t1\n");
}
