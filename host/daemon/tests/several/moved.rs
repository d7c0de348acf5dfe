//! An installation moves from SQLite to PostgreSQL while a run waits for people.

use crate::site::Site;
use crate::{page, pipelines};
use countersign_postgres::Server;
use serde_json::Value;

fn moved(site: &Site, way: &str, file: &str) -> Value {
    site.data(&["db", way, file])["tables"].clone()
}

#[test]
fn a_waiting_run_goes_on_in_the_other_database_and_nothing_is_lost_on_the_way() {
    let Some(server) = Server::shared() else { return };
    let mut site = Site::new(None, &[("tips", pipelines::tips())]);
    let mut daemon = site.serve(&[]);
    site.deliver("tips", 1);
    let (run, request) = site.waiting();
    assert_eq!(daemon.process.terminate(), 0);
    let left = moved(&site, "export", "left");
    site.run(&["db", "export", "left"]).must(2).says("name a new file");
    let cut = std::fs::read(site.home.path().join("left")).expect("the file");
    std::fs::write(site.home.path().join("cut"), &cut[..cut.len() - 200]).expect("write");
    // Into the database that it came from.
    site.run(&["db", "import", "left"]).must(1).says("empty");

    site.url = Some(server.database());
    site.run(&["db", "import", "cut"]).must(1);
    let arrived = moved(&site, "import", "left");
    assert_eq!((&arrived, moved(&site, "export", "again")), (&left, left.clone()));
    let again = std::fs::read(site.home.path().join("again")).expect("the file");
    assert!(again == cut, "the same bytes from either database");
    site.run(&["db", "import", "left"]).must(1).says("empty");

    let daemon = site.serve(&[]);
    assert_eq!(site.waiting().0, run);
    page::approve(&site, &daemon, &request);
    site.succeeded(1);
    assert_eq!(site.live().0.len(), 1);
    site.is_sound();
}
