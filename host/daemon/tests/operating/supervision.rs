//! What systemd hears, on a real socket.

use crate::daemon::Daemon;
use crate::harness::Home;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

struct Systemd(UnixDatagram);

impl Systemd {
    fn listen(home: &Home) -> (Self, String) {
        let path = home.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_secs(180))).expect("a time limit");
        (Self(socket), path.display().to_string())
    }

    /// The next message.
    fn hears(&self) -> String {
        let mut buffer = [0; 4096];
        let length = self.0.recv(&mut buffer).expect("a message");
        String::from_utf8_lossy(&buffer[..length]).trim_end().to_string()
    }

    /// The next message that is no sign of life.
    fn hears_else(&self) -> String {
        loop {
            let heard = self.hears();
            if heard != "WATCHDOG=1" {
                return heard;
            }
        }
    }
}

fn signal(daemon: &Daemon, name: &str) {
    let pid = daemon.process.0.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().expect("kill runs").success());
}

#[test]
fn systemd_hears_that_the_daemon_is_ready_lives_reloads_and_stops() {
    let home = Home::new();
    home.run(&["demo"]).must(4);
    let (systemd, path) = Systemd::listen(&home);
    let mut daemon = Daemon::start(&home, &[("NOTIFY_SOCKET", &path), ("WATCHDOG_USEC", "1000000")]);
    assert_eq!(systemd.hears(), "READY=1");
    assert_eq!(daemon.get("/readyz").status, 200, "ready means ready");
    for _ in 0..3 {
        assert_eq!(systemd.hears(), "WATCHDOG=1");
    }
    signal(&daemon, "-HUP");
    let reloading = systemd.hears_else();
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert_eq!(systemd.hears_else(), "READY=1");
    signal(&daemon, "-TERM");
    assert_eq!(systemd.hears_else(), "STOPPING=1");
    assert_eq!(daemon.process.0.wait().expect("it ends").code(), Some(0));
}

#[test]
fn nobody_is_told_of_life_who_did_not_ask() {
    let home = Home::new();
    home.run(&["demo"]).must(4);
    let (systemd, path) = Systemd::listen(&home);
    // The watchdog is for another process.
    let daemon = Daemon::start(&home, &[("NOTIFY_SOCKET", &path), ("WATCHDOG_USEC", "1000000"), ("WATCHDOG_PID", "1")]);
    assert_eq!(systemd.hears(), "READY=1");
    signal(&daemon, "-HUP");
    assert!(systemd.hears().starts_with("RELOADING=1"));
    assert_eq!(systemd.hears(), "READY=1");
    signal(&daemon, "-TERM");
    assert_eq!(systemd.hears(), "STOPPING=1");
}
