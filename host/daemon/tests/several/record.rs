//! The record in PostgreSQL, as somebody with `psql` sees it.

use countersign_postgres::Server;

/// A database and its server.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    pub server: &'a Server,
    pub url: &'a str,
}

impl Record<'_> {
    pub fn text(&self, query: &str) -> String {
        self.server.execute(self.url, query)
    }

    pub fn number(&self, query: &str) -> i64 {
        self.text(query).parse().expect(query)
    }

    /// Each event is one run or one skip, each step of a run ended well at most once, nothing is left half done.
    pub fn holds(&self) {
        let nothing = [
            "SELECT run, step FROM executions WHERE status IN ('succeeded', 'cached') GROUP BY run, step HAVING count(*) > 1",
            "SELECT id FROM executions WHERE status = 'running'",
            "SELECT run FROM events WHERE run IS NOT NULL GROUP BY run HAVING count(*) > 1",
            "SELECT id FROM runs WHERE id NOT IN (SELECT run FROM events WHERE run IS NOT NULL)",
            "SELECT subject, detail FROM audit WHERE action IN ('run.claimed', 'run.ended', 'event.accepted') \
             GROUP BY subject, action, detail HAVING count(*) > 1",
            "SELECT model, target FROM pushes WHERE completed_at IS NULL",
        ];
        for query in nothing {
            assert_eq!(self.text(query), "", "{query}");
        }
    }

    /// Whoever claimed the run first.
    pub fn first_worker(&self, run: &str) -> String {
        let claimed = format!(
            "SELECT actor FROM audit WHERE action = 'run.claimed' AND subject = '{run}' ORDER BY sequence LIMIT 1"
        );
        self.text(&claimed)
    }

    /// What was written by a worker since the last time that somebody else claimed the run.
    pub fn written_late(&self, run: &str, worker: &str) -> i64 {
        self.number(&format!(
            "SELECT count(*) FROM audit WHERE actor = '{worker}' AND (subject = '{run}' OR detail LIKE '%{run}%') AND sequence > \
             (SELECT max(sequence) FROM audit WHERE action = 'run.claimed' AND subject = '{run}' AND actor <> '{worker}')"
        ))
    }
}
