//! PostgreSQL is restarted, loses its sessions, takes no writes, is gone for a while, or is another server from then on, with runs on
//! their way.

use crate::harness::eventually;
use crate::pipelines;
use crate::record::Record;
use crate::site::{Daemon, Site};
use countersign_postgres::{Server, Stop};
use std::time::Duration;
use tokio::time::Instant;

/// Two daemons on a server of their own.
struct Scene<'a> {
    record: Record<'a>,
    site: &'a Site,
    daemons: [Daemon; 2],
    delivered: usize,
}

impl Scene<'_> {
    /// Trouble comes while one run is in its long step and another one arrives.
    fn during(&mut self, what: &str, trouble: impl FnOnce(&Self)) {
        self.delivered += 1;
        self.site.deliver("north", self.delivered);
        eventually("the component is at work", || {
            let working = "SELECT count(*) FROM executions WHERE step = 'nap' AND status = 'running'";
            (self.record.number(working) > 0).then_some(())
        });
        self.delivered += 1;
        self.site.deliver("north", self.delivered);
        let complaints = self.complaints();
        let begun = Instant::now();
        trouble(self);
        let back = Instant::now();
        for daemon in &self.daemons {
            eventually("it is ready again", || (daemon.get("/readyz").status == 200).then_some(()));
        }
        let ready = back.elapsed();
        self.site.succeeded(self.delivered);
        let complaints = self.complaints() - complaints;
        println!(
            "{what}: {:?} of trouble; ready {ready:?} and all done {:?} after it; {complaints} complaints",
            back - begun,
            back.elapsed()
        );
        assert!(complaints <= 40, "{what}:\n{}", self.daemons[0].text());
        self.record.holds();
    }

    fn complaints(&self) -> usize {
        self.daemons.iter().map(Daemon::complaints).sum()
    }
}

fn scene(server: &Server, test: impl FnOnce(Scene<'_>)) {
    let site = Site::new(Some(server.database()), &[("north", pipelines::work("north"))]);
    let record = Record { server, url: site.url.as_deref().expect("a URL") };
    let daemons = [site.serve(&[]), site.serve(&[])];
    test(Scene { record, site: &site, daemons, delivered: 0 });
    site.is_sound();
}

#[test]
fn restarts_and_sessions_that_end_lose_and_double_nothing() {
    let Some(server) = Server::start() else { return };
    scene(&server, |mut scene| {
        scene.during("a restart", |scene| scene.record.server.restart(Stop::Fast));
        scene.during("a crash", |scene| scene.record.server.restart(Stop::Immediate));
        scene.during("sessions that end", |scene| {
            for _ in 0..20 {
                scene.record.server.terminate_backends();
                std::thread::sleep(Duration::from_millis(150));
            }
        });
    });
}

#[test]
fn a_server_that_is_gone_or_takes_no_writes_is_said_once_and_waited_for() {
    let Some(server) = Server::start() else { return };
    scene(&server, |mut scene| {
        scene.during("ten seconds without a server", |scene| {
            scene.record.server.stop(Stop::Fast);
            let gone = Instant::now();
            for daemon in &scene.daemons {
                eventually("it says that it is not ready", || (daemon.get("/readyz").status == 503).then_some(()));
                assert_eq!(daemon.get("/healthz").status, 200);
            }
            std::thread::sleep(Duration::from_secs(10).saturating_sub(gone.elapsed()));
            scene.record.server.start_again();
        });
        scene.during("three seconds without writes", |scene| {
            read_only(scene, "on");
            for daemon in &scene.daemons {
                eventually("it says that it is not ready", || (daemon.get("/readyz").status == 503).then_some(()));
                assert_eq!(daemon.get("/healthz").status, 200);
            }
            std::thread::sleep(Duration::from_secs(3));
            read_only(scene, "off");
        });
    });
}

#[test]
fn a_standby_that_takes_over_goes_on_with_the_same_record() {
    let Some(server) = Server::start() else { return };
    let standby = server.standby();
    scene(&server, |mut scene| {
        scene.during("a failover", |_| standby.take_over(&server));
        scene.during("a restart of the new one", |_| standby.restart(Stop::Fast));
    });
}

fn read_only(scene: &Scene<'_>, value: &str) {
    // Sessions that are there already obey, too; this one must be able to say the contrary.
    let set = format!("ALTER SYSTEM SET default_transaction_read_only = {value}");
    let url = format!("{}&options=-c%20default_transaction_read_only%3Doff", scene.record.url);
    scene.record.server.execute(&url, &set);
    scene.record.server.execute(&url, "SELECT pg_reload_conf()");
}
