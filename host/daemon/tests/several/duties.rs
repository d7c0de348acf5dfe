//! What one daemon does for all: when it dies another one takes over, and nobody is told anything twice.

use crate::harness::eventually;
use crate::record::Record;
use crate::site::{Daemon, Site};
use crate::{page, pipelines};
use countersign_postgres::Server;
use countersign_slack_double::SlackDouble;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::runtime::Runtime;

#[test]
fn one_daemon_holds_the_socket_and_the_outbox_and_when_it_is_killed_another_takes_over() {
    let Some(server) = Server::shared() else { return };
    let runtime = Runtime::new().expect("a runtime");
    let slack = runtime.block_on(SlackDouble::start(Duration::from_millis(50)));
    let site = Site::new(Some(server.database()), &[("tips", pipelines::tips())]).with_slack(&slack);
    let record = Record { server, url: site.url.as_deref().expect("a URL") };
    let mut daemons = vec![site.serve(&[]), site.serve(&[]), site.serve(&[])];
    for number in 1..=2 {
        let open = eventually("one socket is open", || <[usize; 1]>::try_from(slack.sockets.open()).ok());
        site.deliver("tips", number);
        let (_, request) = site.waiting();
        eventually("the request is posted", || (told(&slack).len() == number).then_some(()));
        let holders: Vec<usize> = (0..daemons.len()).filter(|at| daemons[*at].has("slack")).collect();
        assert_eq!((holders.len(), slack.sockets.open()), (1, open.to_vec()), "one socket, of one daemon");
        let mut killed = daemons.remove(holders[0]);
        killed.process.kill();
        let begun = tokio::time::Instant::now();
        page::approve(&site, &daemons[0], &request);
        eventually("another daemon holds the socket", || {
            let now = slack.sockets.open();
            (now.len() == 1 && now != open).then_some(())
        });
        println!("socket taken over after {:?}", begun.elapsed());
        site.succeeded(number);
        eventually("the message says so", || {
            let live = slack.messages().iter().filter(|one| one.text.contains("is live")).count();
            (live == number).then_some(())
        });
        daemons.push(site.serve(&[]));
    }
    let posts: BTreeMap<String, usize> = told(&slack);
    assert!(posts.len() == 2 && posts.values().all(|count| *count == 1), "{posts:?}");
    assert_eq!(record.number("SELECT count(*) FROM outbox WHERE status <> 'done'"), 0);
    assert!(slack.sockets.refused() == 0 && daemons.iter().filter(|daemon: &&Daemon| daemon.has("slack")).count() == 1);
    record.holds();
    site.is_sound();
}

/// How many messages there are about each request.
fn told(slack: &SlackDouble) -> BTreeMap<String, usize> {
    let mut told = BTreeMap::new();
    for message in slack.messages().into_iter().filter(|message| message.thread.is_none()) {
        let request = message.metadata["event_payload"]["request"].as_str().unwrap_or_default().to_string();
        *told.entry(request).or_default() += 1;
    }
    told
}
