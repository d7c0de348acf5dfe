//! One realistic picture of each sort.

use countersign_plots::{
    Bar, Caption, Card, Cell, Interval, Mark, Node, Picture, Series, bars, cards, distribution, forest, graph, stack,
};

fn series(name: &str, labels: &[&str], shares: &[f64]) -> Series {
    let cells = labels.iter().zip(shares).map(|(label, share)| Cell { label: label.to_string(), share: *share });
    Series { name: name.to_string(), cells: cells.collect() }
}

fn caption<'a>(id: &'a str, title: &'a str, description: &'a str) -> Caption<'a> {
    Caption { id, title, description }
}

pub fn bins() -> Picture {
    let labels = ["0 to 2", "2 to 4", "4 to 8", "8 to 16", "16 to 32", "32 to 64"];
    let caption = caption("trip_miles", "trip_miles", "How the miles of a trip fall into bins.");
    let train = series("train", &labels, &[0.41, 0.27, 0.16, 0.1, 0.05, 0.01]);
    let eval = series("eval", &labels, &[0.4, 0.28, 0.15, 0.11, 0.05, 0.01]);
    let previous = series("previous", &labels, &[0.45, 0.25, 0.15, 0.09, 0.05, 0.01]);
    distribution(&caption, &[train, eval, previous])
}

pub fn categories() -> Picture {
    let labels = [
        "Taxi Affiliation Services",
        "Flash Cab",
        "Blue Ribbon Taxi Association Inc.",
        "Choice Taxi Association",
        "Dispatch Taxi Affiliation",
        "Star North Management LLC",
        "Chicago Elite Cab Corp. (Chicago Carriage Co.)",
        "Top Cab",
        "Northwest Management LLC",
        "(missing)",
    ];
    let caption = caption("company", "company", "Which companies drove.");
    let now = series("train", &labels, &[0.31, 0.2, 0.12, 0.1, 0.09, 0.06, 0.05, 0.03, 0.02, 0.02]);
    let before = series("previous", &labels[..9], &[0.33, 0.18, 0.02, 0.12, 0.12, 0.08, 0.07, 0.05, 0.03]);
    distribution(&caption, &[now, before])
}

pub fn drift() -> Picture {
    let bar = |label: &str, value: f64, mark: f64| Bar { label: label.into(), value: Some(value), mark: Some(mark) };
    let caption =
        caption("drift", "Drift by feature", "How far each feature moved, with where that starts to mean something.");
    let mut all = vec![
        bar("company", 0.0931, 0.02),
        bar("dropoff_community_area", 0.0112, 0.02),
        bar("trip_start_hour", 0.0041, 0.02),
        bar("a_feature_with_a_name_that_is_far_too_long_to_be_drawn", 0.0007, 0.02),
    ];
    all.push(Bar { label: "fare".into(), value: None, mark: Some(0.02) });
    bars(&caption, "Jensen-Shannon divergence", &all)
}

pub fn slices() -> Picture {
    let row = |label: &str, value: f64, margin: f64, live: f64| Interval {
        label: label.into(),
        value: Some(value),
        margin: Some(margin),
        reference: Some(live),
    };
    let caption = caption("slices", "AUC by slice", "The slices where the candidate is worst.");
    let rows = [
        row("overall", 0.9312, 0.0031, 0.9287),
        row("company = Blue Ribbon", 0.8721, 0.0212, 0.9104),
        row("trip_start_hour = 4", 0.9014, 0.0177, 0.8991),
        Interval { label: "company = Top Cab".into(), value: Some(0.91), margin: None, reference: None },
        Interval { label: "payment_type = Prcard".into(), value: None, margin: None, reference: Some(0.884) },
    ];
    forest(&caption, &rows)
}

pub fn lineage() -> Picture {
    let node = |label: &str, detail: &str, link: Option<&str>| Node {
        label: label.into(),
        detail: detail.into(),
        link: link.map(str::to_string),
    };
    let nodes = [
        node("trips", "delivery 3f9a01b2c4d5", Some("/artifacts/art_1")),
        node("ingest.examples", "41 200 rows", Some("/artifacts/art_2")),
        node("statistics.statistics", "3 splits", None),
        node("transform.graph", "18 columns", None),
        node("train.model", "candidate 77ab12cd90ef", Some("/artifacts/art_5")),
        node("evaluate.evaluation", "AUC 0.9312", Some("https://elsewhere.example/")),
    ];
    let edges = [(0, 1), (1, 2), (1, 3), (2, 3), (1, 4), (3, 4), (4, 5), (1, 5), (9, 1), (2, 2)];
    graph(&caption("lineage", "Lineage", "What the candidate was made from."), &nodes, &edges)
}

pub fn hardest() -> Picture {
    let card = |heading: &str, mark: Mark| Card {
        heading: heading.into(),
        lines: [
            "label tip, predicted no tip",
            "score 4.113",
            "company: Chicago Elite Cab Corp. (Chicago Carriage)",
            "fare: 7.25",
        ]
        .map(str::to_string)
        .to_vec(),
        mark,
    };
    let all = [
        card("Row 18 211", Mark::Bad),
        card("Row 90", Mark::Good),
        card("Row 4", Mark::Neutral),
        card("Row 5", Mark::Bad),
    ];
    cards(&caption("hardest", "Hardest rows", "The rows that the model learned last."), &all)
}

pub fn montage() -> Picture {
    let (slices, drift, bins) = (slices(), drift(), bins());
    let caption = caption("montage", "taxi, run 12", "Slices, drift and one feature.");
    stack(&caption, 800, &[("AUC by slice", &slices), ("Drift", &drift), ("trip_miles", &bins), ("Again", &bins)])
}

pub fn nothing() -> Picture {
    bars(&caption("none", "Drift by feature", "Nothing was compared."), "effect", &[])
}

pub fn all() -> Vec<(&'static str, Picture)> {
    vec![
        ("bins", bins()),
        ("categories", categories()),
        ("drift", drift()),
        ("slices", slices()),
        ("lineage", lineage()),
        ("hardest", hardest()),
        ("montage", montage()),
        ("nothing", nothing()),
    ]
}
