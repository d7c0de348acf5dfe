//! Daemons on one database share the work: each run, fire and delivery is one daemon's, whoever saw it first.

use crate::harness::eventually;
use crate::record::Record;
use crate::site::{Daemon, Site};
use crate::{page, pipelines};
use countersign_postgres::Server;

#[test]
fn two_daemons_carry_twelve_runs_of_three_pipelines_once_each() {
    let Some(server) = Server::shared() else { return };
    let names = ["north", "south", "west"];
    let site = Site::new(Some(server.database()), &names.map(|name| (name, pipelines::work(name))));
    let daemons = [site.serve(&[]), site.serve(&[])];
    // Both see each of them.
    for name in names {
        (1..=4).for_each(|number| site.deliver(name, number));
    }
    site.succeeded(12);
    let record = Record { server, url: site.url.as_deref().expect("a URL") };
    record.holds();
    let executions = "SELECT count(*) FROM executions WHERE status IN ('succeeded', 'cached')";
    assert_eq!((record.number(executions), record.number("SELECT count(*) FROM executions")), (24, 24));
    assert_eq!(record.number("SELECT count(*) FROM audit WHERE action = 'run.claimed'"), 12);
    let claimed = daemons.each_ref().map(|daemon| daemon.said("run claimed").len());
    assert!(claimed[0] + claimed[1] == 12 && claimed.iter().all(|count| *count > 0), "{claimed:?}");
    site.is_sound();
}

#[test]
fn schedules_that_three_daemons_find_late_fire_once_each() {
    let Some(server) = Server::shared() else { return };
    let site = Site::new(Some(server.database()), &[("clock", pipelines::CLOCK.to_string())]);
    let record = Record { server, url: site.url.as_deref().expect("a URL") };
    let mut first = site.serve(&[]);
    eventually("the schedule is registered", || (!record.text("SELECT at FROM fires").is_empty()).then_some(()));
    assert_eq!(first.process.terminate(), 0);
    record.text("UPDATE fires SET at = (EXTRACT(EPOCH FROM now() - INTERVAL '3 years') * 1000000)::BIGINT");
    let begun = [0; 3].map(|_| site.start(site.command(&["serve"])));
    let daemons = begun.map(Daemon::up);
    site.succeeded(3);
    // Each looks again, and more than once.
    daemons.iter().for_each(|daemon| {
        eventually("it has looked", || {
            daemon.get("/metrics").body.contains("countersign_trigger_lag_seconds").then_some(())
        });
    });
    record.holds();
    assert_eq!(record.number("SELECT count(*) FROM events"), 3, "{}", record.text("SELECT cause FROM events"));
    assert_eq!(record.number("SELECT count(DISTINCT dedupe_key) FROM events"), 3);
    site.is_sound();
}

#[test]
fn a_decision_at_one_daemon_goes_on_at_another() {
    let Some(server) = Server::shared() else { return };
    let site = Site::new(Some(server.database()), &[("tips", pipelines::tips())]);
    // It serves pages and carries nothing.
    let desk = site.serve(&["--concurrency", "0"]);
    let worker = site.serve(&[]);
    site.deliver("tips", 1);
    let (_, request) = site.waiting();
    page::approve(&site, &desk, &request);
    site.succeeded(1);
    let record = Record { server, url: site.url.as_deref().expect("a URL") };
    record.holds();
    assert_eq!((desk.said("run claimed").len(), worker.said("run claimed").len()), (0, 2));
    assert_eq!(site.live().0.len(), 1);
    site.is_sound();
}
