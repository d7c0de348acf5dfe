//! One SQLite file has one daemon; commands beside it are welcome.

use crate::pipelines;
use crate::site::Site;

#[test]
fn a_second_daemon_on_sqlite_is_refused_and_commands_beside_the_first_work() {
    let site = Site::new(None, &[("tips", pipelines::tips())]);
    let mut first = site.serve(&[]);
    site.run(&["serve"]).must(1).says("another daemon serves").says("use PostgreSQL");
    site.deliver("tips", 1);
    let (run, _) = site.waiting();
    site.run(&["status"]).must(0);
    site.run(&["events"]).must(0).says("tips");
    site.run(&["pipeline", "pause", "tips", "--reason", "a look"]).must(0);
    site.run(&["pipeline", "resume", "tips"]).must(0);
    site.run(&["approve", &run, "--reason", "seen in a terminal"]).must(0);
    site.succeeded(1);
    site.is_sound();
    // The lock goes with whoever held it, however it ended.
    first.process.kill();
    let second = site.serve(&[]);
    assert_eq!(second.get("/readyz").status, 200);
}
