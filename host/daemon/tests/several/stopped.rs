//! A daemon is stopped for longer than its lease, in the middle of something; meanwhile another one finishes it. When the first one
//! wakes, it commits nothing and pushes nothing, and goes on to other work.

use crate::harness::eventually;
use crate::record::Record;
use crate::site::Site;
use crate::{page, pipelines};
use countersign_postgres::Server;
use std::fs::File;

#[test]
fn one_that_wakes_in_a_step_that_another_has_done_records_nothing() {
    let Some(server) = Server::shared() else { return };
    let site = Site::new(Some(server.database()), &[("north", pipelines::work("north"))]);
    let record = Record { server, url: site.url.as_deref().expect("a URL") };
    let stale = site.serve(&[]);
    site.deliver("north", 1);
    let run = eventually("the component is at work", || {
        let run = record.text("SELECT run FROM executions WHERE step = 'nap' AND status = 'running'");
        (!run.is_empty()).then_some(run)
    });
    stale.signal("-STOP");
    let worker = record.first_worker(&run);
    let mut other = site.serve(&[]);
    site.succeeded(1);
    stale.signal("-CONT");
    eventually("it has noticed", || stale.said("run settled").pop());
    assert_eq!(record.written_late(&run, &worker), 0);
    let of_nap = "SELECT string_agg(status, ' ' ORDER BY id) FROM executions WHERE step = 'nap'";
    assert_eq!(record.text(of_nap), "failed succeeded", "interrupted, and done by the other one");
    // Still of use.
    assert_eq!(other.process.terminate(), 0);
    site.deliver("north", 2);
    site.succeeded(2);
    assert_eq!(stale.said("run claimed").len(), 2);
    record.holds();
    site.is_sound();
}

#[test]
fn one_that_wakes_in_a_push_that_another_has_done_pushes_nothing() {
    let Some(server) = Server::shared() else { return };
    let site = Site::new(Some(server.database()), &[("tips", pipelines::tips())]);
    let record = Record { server, url: site.url.as_deref().expect("a URL") };
    let stale = site.serve(&[]);
    site.deliver("tips", 1);
    let (run, request) = site.waiting();
    // Whoever pushes waits here, between the record of the push and what the target shows.
    let lock = File::create(site.models().join(".lock")).expect("the target's lock");
    lock.lock().expect("lock the target");
    page::approve(&site, &stale, &request);
    eventually("the push has begun", || {
        (record.number("SELECT count(*) FROM pushes WHERE completed_at IS NULL") == 1).then_some(())
    });
    stale.signal("-STOP");
    let worker = record.text(&format!(
        "SELECT actor FROM audit WHERE action = 'run.claimed' AND subject = '{run}' ORDER BY sequence DESC LIMIT 1"
    ));
    lock.unlock().expect("unlock the target");
    let mut other = site.serve(&[]);
    site.succeeded(1);
    let live = site.live();
    assert_eq!(live.1, Some(live.0[0].clone().into()), "{live:?}");
    stale.signal("-CONT");
    eventually("it has noticed", || (stale.said("run settled").len() == 2).then_some(()));
    // What it was copying it copies to the end, on a thread of its own, before it takes it away.
    eventually("nothing of its attempt is left", || (site.live() == live).then_some(()));
    assert_eq!(record.written_late(&run, &worker), 0);
    assert_eq!(record.number("SELECT count(*) FROM audit WHERE action = 'push.completed'"), 1);
    assert_eq!(other.process.terminate(), 0);
    site.deliver("tips", 2);
    let (_, request) = site.waiting();
    page::approve(&site, &stale, &request);
    site.succeeded(2);
    let (versions, current) = site.live();
    assert_eq!((versions.len(), current), (2, versions.last().map(Into::into)));
    record.holds();
    site.is_sound();
}
