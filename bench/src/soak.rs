//! What becomes of a daemon that works all day: a delivery every few seconds, each a run of four steps, and somebody who looks at pages
//! now and then. Memory, file descriptors and threads have to stay where they are, and each run has to add as much to the record as
//! the one before it; what holds them up is the same daemon's first minutes.

use crate::home::Home;
use crate::serving::Serving;
use crate::site::Site;
use crate::stopwatch::Stopwatch;
use crate::visitor::Visitor;
use crate::wide::Draws;
use sqlx::Connection as _;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// Seconds between deliveries, between samples, and between lines of the table.
const DELIVERY: u64 = 3;
const SAMPLE: u64 = 10;
const WINDOW: u64 = 300;
/// Rows of a delivery.
const ROWS: usize = 200;
/// What is looked at with each sample.
const PAGES: &[&str] = &["/", "/runs", "/pipelines", "/api/v1/runs", "/metrics"];
const MIB: f64 = 1_048_576.0;

/// How the daemon and its record are at one moment.
struct Sample {
    second: f64,
    resident_mib: f64,
    anonymous_mib: f64,
    descriptors: f64,
    threads: f64,
    database: f64,
    log: f64,
    artifacts: f64,
    runs: f64,
    cpu_seconds: f64,
}

/// Lets it work for so many minutes and prints how it was.
pub async fn report(home: &Home, minutes: u64) -> anyhow::Result<()> {
    let site = prepare(home)?;
    let serving = Serving::start(site.command(&["serve"]))?;
    let mut visitor = Visitor::sign_in(&site, &serving)?;
    println!(
        "a daemon at work for {minutes} minutes: a delivery of {ROWS} rows every {DELIVERY} s is a run of four steps"
    );
    println!(
        "  five minutes'   runs  resident  anonymous  files  threads   WAL  per run: database  artifacts      CPU"
    );
    let watch = Stopwatch::start();
    let mut samples = vec![sample(&site, &serving, 0.0).await?];
    for second in 0..=minutes * 60 {
        std::thread::sleep(Duration::from_secs(second).saturating_sub(watch.elapsed()));
        if second % DELIVERY == 0 {
            deliver(&site, second / DELIVERY)?;
        }
        if second % SAMPLE == 0 {
            visitor.connect_again(&serving)?;
            for page in PAGES {
                visitor.get(page)?;
            }
            samples.push(sample(&site, &serving, watch.elapsed().as_secs_f64()).await?);
        }
        if second > 0 && second % WINDOW == 0 {
            let since = (second - WINDOW) as f64;
            let window: Vec<&Sample> = samples.iter().filter(|sample| sample.second >= since).collect();
            line(&format!("{:>3} to {:>3}", (second - WINDOW) / 60, second / 60), &window);
        }
    }
    slopes(&samples);
    let failed = site.data(&["runs", "--status", "failed"])?;
    let deliveries = minutes * 60 / DELIVERY + 1;
    let ended = samples.last().map_or(0.0, |sample| sample.runs);
    println!(
        "  {deliveries} deliveries, {ended} runs that ended well, {} that failed",
        failed.as_array().map_or(0, Vec::len)
    );
    Ok(())
}

fn prepare(home: &Home) -> anyhow::Result<Site<'_>> {
    let site = Site::new(home, "soak")?;
    let settings = std::fs::read_to_string(site.settings())?;
    std::fs::write(site.settings(), format!("pipelines = [\"pipelines\"]\npoll_seconds = 1\n{settings}"))?;
    let source = site.root.join("incoming/rows-{SPAN}.csv");
    let pipeline = format!(
        r#"name = "soak"
[trigger]
arrival = ["rows"]
[source.rows]
path = {source:?}
ready = "renamed"
[step.examples]
component = "ingest"
inputs = {{ delivery = "rows" }}
params = {{ format = "csv", split = {{ train = 1 }} }}
grant = ["query"]
[step.statistics]
component = "statistics"
inputs = {{ examples = "examples" }}
grant = ["query"]
[step.schema]
component = "schema"
inputs = {{ statistics = "statistics", base = {{ resolve = "previous schema" }} }}
[step.validation]
component = "validate"
inputs = {{ statistics = "statistics", schema = "schema", examples = "examples", previous = {{ resolve = "previous statistics" }} }}
grant = ["query"]
"#
    );
    std::fs::create_dir_all(site.root.join("pipelines"))?;
    std::fs::write(site.root.join("pipelines/soak.toml"), pipeline)?;
    Ok(site)
}

/// Writes a delivery beside its place and renames it there.
fn deliver(site: &Site, number: u64) -> anyhow::Result<()> {
    let mut draw = Draws(number);
    let mut csv = "id,price,length,kind\n".to_string();
    for row in 0..ROWS {
        writeln!(csv, "{number}-{row},{:.3},{:.3},kind {}", draw.bell(), draw.bell(), draw.next() % 5)?;
    }
    let aside = site.root.join("delivery");
    std::fs::write(&aside, csv)?;
    std::fs::rename(aside, site.root.join(format!("incoming/rows-{number:06}.csv")))?;
    Ok(())
}

async fn sample(site: &Site<'_>, serving: &Serving, second: f64) -> anyhow::Result<Sample> {
    let mut database = site.database().await?;
    let ended = "SELECT count(*) FROM runs WHERE status = 'succeeded'";
    let runs: i64 = sqlx::query_scalar(ended).fetch_one(&mut database).await?;
    database.close().await?;
    let state = site.root.join("state");
    let bytes = |name: &str| std::fs::metadata(state.join(name)).map_or(0.0, |file| file.len() as f64);
    Ok(Sample {
        second,
        resident_mib: serving.resident_mib()?,
        anonymous_mib: serving.status_mib("RssAnon:")?,
        descriptors: serving.count("fd")?,
        threads: serving.count("task")?,
        database: bytes("metadata.db"),
        log: bytes("metadata.db-wal"),
        artifacts: bytes_below(&state.join("artifacts"))?,
        runs: runs as f64,
        cpu_seconds: serving.cpu_seconds()?,
    })
}

fn bytes_below(folder: &Path) -> anyhow::Result<f64> {
    let mut bytes = 0.0;
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        // What is being moved into its place has none for a moment.
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for entry in entries.flatten() {
            match entry.metadata() {
                Ok(found) if found.is_dir() => open.push(entry.path()),
                Ok(found) => bytes += found.len() as f64,
                Err(_) => {}
            }
        }
    }
    Ok(bytes)
}

/// Means of a stretch of time, and what each of its runs added.
fn line(what: &str, samples: &[&Sample]) {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return };
    let mean =
        |value: fn(&Sample) -> f64| samples.iter().map(|sample| value(sample)).sum::<f64>() / samples.len() as f64;
    let runs = last.runs - first.runs;
    let a_run = |value: fn(&Sample) -> f64| (value(last) - value(first)) / runs;
    println!(
        "  {what:<14} {runs:>5} {:>8.1}M {:>9.1}M {:>6.1} {:>8.1} {:>4.1}M {:>16.1}K {:>9.1}K {:>5.0} ms",
        mean(|sample| sample.resident_mib),
        mean(|sample| sample.anonymous_mib),
        mean(|sample| sample.descriptors),
        mean(|sample| sample.threads),
        mean(|sample| sample.log) / MIB,
        a_run(|sample| sample.database) / 1024.0,
        a_run(|sample| sample.artifacts) / 1024.0,
        a_run(|sample| sample.cpu_seconds) * 1e3,
    );
}

/// How fast things grow once everything was done for the first time.
fn slopes(samples: &[Sample]) {
    let warm: Vec<&Sample> = samples.iter().filter(|sample| sample.second >= WINDOW as f64).collect();
    let Some(last) = warm.last() else {
        println!("  too short to say what grows: it takes more than five minutes");
        return;
    };
    println!("  growth an hour, by least squares over what came after the first five minutes");
    let line = |what: &str, unit: &str, value: fn(&Sample) -> f64| {
        let slope = slope(&warm, value);
        println!("  {what:<22}  {slope:>+9.2} {unit:<4} an hour   beside {:.1} at the end", value(last));
    };
    line("resident memory", "MiB", |sample| sample.resident_mib);
    line("anonymous memory", "MiB", |sample| sample.anonymous_mib);
    line("file descriptors", "", |sample| sample.descriptors);
    line("threads", "", |sample| sample.threads);
    line("WAL", "MiB", |sample| sample.log / MIB);
    line("database", "MiB", |sample| sample.database / MIB);
    line("artifacts", "MiB", |sample| sample.artifacts / MIB);
}

/// Least squares, an hour.
fn slope(samples: &[&Sample], value: fn(&Sample) -> f64) -> f64 {
    let count = samples.len() as f64;
    let time = samples.iter().map(|sample| sample.second).sum::<f64>() / count;
    let height = samples.iter().map(|sample| value(sample)).sum::<f64>() / count;
    let (mut both, mut spread) = (0.0, 0.0);
    for sample in samples {
        both += (sample.second - time) * (value(sample) - height);
        spread += (sample.second - time).powi(2);
    }
    both / spread * 3600.0
}
