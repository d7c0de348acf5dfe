//! The reviewer's page for a candidate with a thousand features and five hundred slices, beside the style sheet that the same server hands
//! out in between: what the page costs and how large it is.

use crate::home::Home;
use crate::serving::Serving;
use crate::site::Site;
use crate::stopwatch::Times;
use crate::visitor::Visitor;
use crate::wide;
use anyhow::Context as _;

/// Rows of a delivery: enough to train on, few enough to wait for.
const ROWS: usize = 1_200;
/// Times that each page is read.
const READS: usize = 400;
/// The style sheet's address.
const STYLE: &str = "/assets/countersign.css";

/// Prints it.
pub async fn report(home: &Home) -> anyhow::Result<()> {
    let site = prepare(home)?;
    let serving = Serving::start(site.command(&["serve"]))?;
    let mut visitor = Visitor::sign_in(&site, &serving)?;
    let requests = site.open_requests(1).await?;
    let (request, _) = requests.first().context("the second run waits")?;
    let review = visitor.get(&format!("/api/v1/requests/{request}"))?.data()?;
    println!("reviewer's page, {} features and {} slices", review["data"]["features"], review["metrics"]["slices"]);
    drop(serving);
    let serving = Serving::start(site.command(&["serve"]))?;
    let mut visitor = Visitor::sign_in(&site, &serving)?;
    let page = format!("/requests/{request}");
    let mut first = Times::default();
    let html = first.take(|| visitor.get(&page))?.body.len();
    let css = visitor.get(STYLE)?.body.len();
    println!("  first look                {:>8.2} ms, nothing of it read before", first.within(100));
    for path in [page.clone(), format!("{page}/features"), format!("{page}/slices"), format!("/api/v1{page}")] {
        let (mut pages, mut style) = (Times::default(), Times::default());
        for _ in 0..READS {
            pages.take(|| visitor.get(&path))?;
            style.take(|| visitor.get(STYLE))?;
        }
        let what = path.replace(request.as_str(), "…");
        println!(
            "  {what:<24}  {pages}   ratio of p99 to the style sheet's ({:.2} ms): {:.0}",
            style.within(99),
            pages.within(99) / style.within(99)
        );
    }
    println!("  HTML and CSS              {:>8.1} KiB", (html + css) as f64 / 1024.0);
    Ok(())
}

/// One model live, and a candidate on data that moved: everything that the page can show is there.
fn prepare(home: &Home) -> anyhow::Result<Site<'_>> {
    let site = Site::new(home, "wide")?;
    let pipeline = site.root.join("wide.toml");
    std::fs::write(&pipeline, wide::PIPELINE)?;
    for (day, shift) in [(1, 0.0), (2, 0.8)] {
        std::fs::write(site.root.join(format!("incoming/rows-2026-11-0{day}.csv")), wide::delivery(ROWS, day, shift)?)?;
        site.run(&pipeline)?;
        if day == 1 {
            let runs = site.data(&["runs", "--limit", "1"])?;
            let run = runs[0]["id"].as_str().context("a run")?;
            let status = site.command(&["approve", run, "--reason", "the first one"]).status()?;
            anyhow::ensure!(status.success(), "the first model was not approved: {status}");
        }
    }
    Ok(site)
}
