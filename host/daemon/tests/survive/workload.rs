//! A short life of an installation that passes through every transition: the clock, arrivals, hooks, pauses, people in every place, pushes,
//! a restart, a move to another database. Each act waits until what it is about is in the record, so the end is the same whatever dies.

use crate::installation::{Installation, now};
use crate::record::{Place, Record};

/// One after another; the daemon may be killed at any time within each.
pub const ACTS: &[fn(&mut Installation)] = &[
    begin,
    pause,
    events_while_paused,
    go_on,
    approve_on_the_page,
    restart,
    replace_what_runs,
    approve_in_slack,
    reject_in_the_terminal,
    approve_in_the_terminal,
    supersede_and_cancel,
    converge,
];

/// Lives through all of it.
pub fn live(this: &mut Installation) {
    for act in ACTS {
        this.moments.next_act(now());
        act(this);
    }
    this.until("every kill happened", |this| this.moments.are_over().then_some(()));
    converge(this);
    collect(this);
    while !this.stop() {
        this.start();
        converge(this);
    }
    move_out(this);
}

fn begin(this: &mut Installation) {
    this.start();
    this.until("the pipelines are registered", |this| {
        (this.record.number("SELECT count(*) FROM pipelines") == 5).then_some(())
    });
}

fn paused(record: &Record, pipeline: &str) -> bool {
    record.number(&format!("SELECT count(*) FROM paused WHERE pipeline = '{pipeline}'")) == 1
}

fn pause(this: &mut Installation) {
    for pipeline in ["slow", "brief"] {
        this.bring_about(
            "a pause",
            |record| paused(record, pipeline),
            |this| drop(this.try_run(&["pipeline", "pause", pipeline])),
        );
    }
}

/// Of two events for a pipeline that holds what comes, the second replaces the first; one that skips records the skip.
fn events_while_paused(this: &mut Installation) {
    for (hook, id) in [("orders", "A"), ("orders", "B"), ("requests", "C"), ("orders", "B")] {
        this.until("an event is accepted", |this| this.hook(hook, id));
    }
}

fn go_on(this: &mut Installation) {
    for pipeline in ["slow", "brief"] {
        this.bring_about(
            "an end of a pause",
            |record| !paused(record, pipeline),
            |this| drop(this.try_run(&["pipeline", "resume", pipeline])),
        );
    }
    this.until("an event is accepted", |this| this.hook("requests", "D"));
}

/// Run and request of a delivery's candidate, once people are asked.
fn asked(this: &mut Installation, number: usize) -> (String, String) {
    let query = format!(
        "SELECT q.run, q.id FROM requests q JOIN runs r ON r.id = q.run \
         WHERE r.pipeline = 'tips' AND r.span = '{number}' AND q.status = 'open'"
    );
    this.until(&format!("people are asked about delivery {number}"), |this| {
        this.record.rows(&query).pop().map(|row| (row[0].clone(), row[1].clone()))
    })
}

fn is_decided(request: &str) -> impl Fn(&Record) -> bool + use<> {
    let query = format!("SELECT count(*) FROM requests WHERE id = '{request}' AND status <> 'open'");
    move |record| record.number(&query) == 1
}

fn is_live(this: &mut Installation, number: usize) {
    let query = format!(
        "SELECT count(*) FROM pushes p JOIN runs r ON r.id = p.run \
         WHERE r.span = '{number}' AND r.status = 'succeeded' AND p.completed_at IS NOT NULL"
    );
    this.until(&format!("delivery {number} is live"), |this| (this.record.number(&query) == 1).then_some(()));
}

fn approve_on_the_page(this: &mut Installation) {
    this.deliver(1);
    let (_, request) = asked(this, 1);
    let ada = this.until("ada is signed in", |this| this.sign_in("ada"));
    let poked = |record: &Record| record.number("SELECT count(*) FROM pokes") > 0;
    this.bring_about("a poke", poked, |this| drop(this.poke(&ada, &request)));
    let bob = this.until("bob is signed in", |this| this.sign_in("bob"));
    let refused = |record: &Record| record.number("SELECT count(*) FROM audit WHERE action LIKE '%refused'") > 0;
    this.bring_about("a refusal", refused, |this| drop(this.approve_on_page(&bob, &request, None)));
    // A code that was used by a decision that never came to be is used.
    let mut steps = [0, 1, -1].into_iter().cycle();
    this.bring_about("an approval on the page", is_decided(&request), |this| {
        let step = steps.next().expect("endless");
        drop(this.approve_on_page(&ada, &request, Some(step)));
    });
    is_live(this, 1);
}

/// The run that is going on is given back and taken up again.
fn restart(this: &mut Installation) {
    running_slowly(this, "B");
    this.stop();
    this.start();
}

fn running_slowly(this: &mut Installation, event: &str) -> String {
    let query = format!(
        "SELECT r.id FROM runs r JOIN executions e ON e.run = r.id \
         WHERE r.pipeline = 'slow' AND r.status = 'running' AND r.cause LIKE '%\"id\":\"{event}\"%' AND e.status = 'failed'"
    );
    this.until(&format!("the run of {event} goes on"), |this| this.record.texts(&query).pop())
}

fn replace_what_runs(this: &mut Installation) {
    running_slowly(this, "B");
    this.until("an event is accepted", |this| this.hook("orders", "E"));
}

fn approve_in_slack(this: &mut Installation) {
    this.deliver(2);
    let (_, request) = asked(this, 2);
    this.bring_about("an approval in Slack", is_decided(&request), |this| {
        let _ = this.approve_in_slack(&request);
    });
    is_live(this, 2);
}

/// The third is overdue before somebody says no; what was seen before and comes again is nothing new.
fn reject_in_the_terminal(this: &mut Installation) {
    this.deliver(1);
    this.deliver(3);
    let (run, request) = asked(this, 3);
    let overdue =
        format!("SELECT count(*) FROM requests WHERE id = '{request}' AND progress LIKE '%\"overdue\":true%'");
    this.until("the request is overdue", |this| (this.record.number(&overdue) == 1).then_some(()));
    this.bring_about("a rejection in the terminal", is_decided(&request), |this| {
        drop(this.try_run(&["reject", &run, "--reason", "not good enough"]));
    });
}

fn approve_in_the_terminal(this: &mut Installation) {
    this.deliver(4);
    let (run, request) = asked(this, 4);
    this.bring_about("an approval in the terminal", is_decided(&request), |this| {
        drop(this.try_run(&["approve", &run, "--reason", "seen in the terminal"]));
    });
    is_live(this, 4);
}

fn cancel(this: &mut Installation, run: &str) {
    let query = format!("SELECT count(*) FROM runs WHERE id = '{run}' AND status = 'cancelled'");
    this.bring_about(
        "a cancellation",
        |record| record.number(&query) == 1,
        |this| drop(this.try_run(&["cancel", run])),
    );
}

fn supersede_and_cancel(this: &mut Installation) {
    this.deliver(5);
    asked(this, 5);
    this.deliver(6);
    let (waiting, _) = asked(this, 6);
    cancel(this, &waiting);
    let slow = running_slowly(this, "E");
    cancel(this, &slow);
}

/// Nothing is left to do: everything that was started is over, everything that was to be told is told.
fn converge(this: &mut Installation) {
    const COUNTS: [(&str, i64); 6] = [
        ("SELECT count(*) FROM runs WHERE ended_at IS NULL", 0),
        ("SELECT count(*) FROM outbox WHERE status = 'pending'", 0),
        ("SELECT count(*) FROM runs WHERE pipeline = 'clock' AND status = 'succeeded'", 3),
        ("SELECT count(*) FROM runs WHERE pipeline = 'follower' AND status = 'succeeded'", 3),
        ("SELECT count(*) FROM runs WHERE pipeline = 'brief' AND status = 'expired'", 1),
        ("SELECT count(*) FROM runs WHERE pipeline = 'tips'", 6),
    ];
    this.until("nothing is left to do", |this| {
        COUNTS.iter().all(|(query, count)| this.record.number(query) == *count).then_some(())
    });
}

/// What no model that is or was live needs is removed, beside the daemon.
fn collect(this: &mut Installation) {
    this.until("retention is done", |this| {
        this.try_run(&["gc", "--keep-days", "0", "--keep-runs", "0"]).filter(|ran| ran.code == 0)
    });
}

/// The whole record in one file, and in another database of the same kind.
fn move_out(this: &mut Installation) {
    let file = this.home.path().join("record.export");
    let path = file.to_str().expect("a path").to_string();
    this.run(&["db", "export", &path]).must(0);
    let place = match &this.record.place {
        Place::Sqlite(_) => Place::Sqlite(this.home.path().join("moved/metadata.db")),
        Place::Postgres(_) => {
            Place::Postgres(countersign_postgres::Server::shared().expect("the server of before").database())
        }
    };
    let state = this.home.path().join("moved").to_string_lossy().into_owned();
    let variables = match &place {
        Place::Sqlite(_) => vec![("COUNTERSIGN_STATE_DIR", state.as_str())],
        Place::Postgres(url) => vec![("COUNTERSIGN_STATE_DIR", state.as_str()), ("COUNTERSIGN_DATABASE_URL", url)],
    };
    let imported = this.try_run_with(&["db", "import", &path], &variables);
    if imported.is_none_or(|ran| ran.code != 0) {
        // Either nothing of it is there and it can be done again, or all of it is there.
        let _ = this.try_run_with(&["db", "import", &path], &variables);
    }
    let moved = Record::new(place.clone(), crate::installation::runtime().handle());
    const WHOLE: &str = "SELECT hash FROM audit ORDER BY sequence DESC LIMIT 1";
    assert_eq!(moved.texts(WHOLE), this.record.texts(WHOLE), "all of it was read in, once");
    this.try_run_with(&["db", "check"], &variables).expect("nothing is armed").must(0);
}
