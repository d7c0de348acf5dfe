//! Whatever comes in, what goes out is well-formed, finite and without anything that runs.

use countersign_plots::{
    Bar, Caption, Card, Cell, Interval, Mark, Node, Picture, Series, bars, cards, distribution, forest, graph, stack,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Checks one element with its children by the grammar that our writer uses; a text that breaks out of it is found.
fn check(picture: &Picture) {
    let mut open: Vec<&str> = Vec::new();
    let mut ids: Vec<&str> = Vec::new();
    let mut rest = picture.svg.as_str();
    while let Some(start) = rest.find('<') {
        check_text(&rest[..start]);
        let end = rest[start..].find('>').expect("an unclosed tag") + start;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        let (tag, alone) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let known = ["svg", "title", "desc", "defs", "pattern", "path", "rect", "circle", "text", "a"];
        assert!(known.contains(&name), "<{name}>");
        check_attributes(attributes, &mut ids);
        if !alone {
            open.push(name);
        }
    }
    assert_eq!((rest, open.len()), ("", 0));
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "identifiers clash");
    assert!(picture.table.rows.iter().all(|row| row.len() == picture.table.head.len()));
}

fn check_text(text: &str) {
    assert!(!text.chars().any(|character| character.is_control() && character != '\n'), "{text:?}");
    for entity in text.split('&').skip(1) {
        let known = ["amp;", "lt;", "gt;", "quot;", "#39;"];
        assert!(known.iter().any(|known| entity.starts_with(known)), "&{entity}");
    }
}

fn check_attributes<'a>(mut attributes: &'a str, ids: &mut Vec<&'a str>) {
    while !attributes.is_empty() {
        let (name, rest) = attributes.split_once("=\"").expect("an attribute without a value");
        let (value, rest) = rest.split_once('"').expect("an open quotation mark");
        check_text(value);
        assert!(!name.starts_with("on") && name != "style", "{name}");
        let stays = value.starts_with(['#', '?', '/']) && !value.starts_with("//") && !value.starts_with("/\\");
        assert!(name != "href" || stays, "{value}");
        let number = ["x", "y", "width", "height", "cx", "cy", "r", "font-size", "stroke-width"].contains(&name);
        assert!(!number || value.parse::<f64>().is_ok_and(|number| number.abs() < 1e7), "{name}={value}");
        assert!(!["d", "transform", "viewBox"].contains(&name) || !value.contains(['N', 'i']), "{name}={value}");
        if ["width", "height", "r"].contains(&name) {
            assert!(!value.starts_with('-'), "{name}={value}");
        }
        if name == "id" {
            ids.push(value);
        }
        attributes = rest.trim_start();
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        Just("</text><script>alert(1)</script>".to_string()),
        Just("\" onload=\"x".to_string()),
        Just("x\" id=\"cs-id-x fill=\"url(#cs-id-x".to_string()),
        Just("\u{202e}\u{0}\u{1b}]]>&amp;\n".to_string()),
        "[a-z]{0,6}",
    ]
}

fn number() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{ANY, NORMAL};
    prop_oneof![
        ANY,
        NORMAL,
        0.0..1.0,
        -1e3..1e3,
        Just(f64::MAX),
        Just(f64::MIN),
        Just(5e-324),
        Just(1e15),
        Just(0.1 + 0.2),
        Just(0.3),
    ]
}

fn link() -> impl Strategy<Value = String> {
    prop_oneof![
        text(),
        Just("javascript:alert(1)".to_string()),
        Just("//elsewhere.example".to_string()),
        Just("/\\elsewhere.example".to_string()),
        Just("/\t/elsewhere.example".to_string()),
        Just("/runs/1?a=\"b\"&c=<d>#e".to_string()),
    ]
}

fn caption(id: &str) -> Caption<'_> {
    Caption { id, title: id, description: id }
}

/// Draws twice: what is drawn depends on nothing else.
fn drawn(draw: impl Fn() -> Picture) -> Picture {
    let picture = draw();
    assert_eq!(picture, draw());
    check(&picture);
    picture
}

proptest! {
    #[test]
    fn distributions(id in text(), series in vec((text(), vec((text(), number()), 0..50)), 0..6)) {
        let cells = |cells: &[(String, f64)]| cells.iter().map(|(label, share)| Cell { label: label.clone(), share: *share }).collect();
        let series: Vec<Series> =
            series.iter().map(|(name, all)| Series { name: name.clone(), cells: cells(all) }).collect();
        drawn(|| distribution(&caption(&id), &series));
    }

    #[test]
    fn bars_and_marks(id in text(), unit in text(), all in vec((text(), option::of(number()), option::of(number())), 0..50)) {
        let all: Vec<Bar> = all.into_iter().map(|(label, value, mark)| Bar { label, value, mark }).collect();
        let picture = drawn(|| bars(&caption(&id), &unit, &all));
        prop_assert!(picture.table.rows.iter().zip(&all).all(|(row, bar)| row[0] == bar.label));
    }

    #[test]
    fn intervals(
        id in text(),
        all in vec((text(), option::of(number()), option::of(number()), option::of(number())), 0..50),
    ) {
        let row = |(label, value, margin, reference)| Interval { label, value, margin, reference };
        let all: Vec<Interval> = all.into_iter().map(row).collect();
        drawn(|| forest(&caption(&id), &all));
    }

    #[test]
    fn graphs(
        id in text(),
        nodes in vec((text(), text(), option::of(link())), 0..12),
        edges in vec((0_usize..14, 0_usize..14), 0..30),
    ) {
        let nodes: Vec<Node> = nodes.into_iter().map(|(label, detail, link)| Node { label, detail, link }).collect();
        drawn(|| graph(&caption(&id), &nodes, &edges));
    }

    #[test]
    fn cards_and_stacks(
        id in text(),
        heading in text(),
        width in any::<u16>(),
        all in vec((text(), vec(text(), 0..16), 0_usize..3), 0..30),
    ) {
        let marks = [Mark::Good, Mark::Bad, Mark::Neutral];
        let card = |(heading, lines, mark): (String, Vec<String>, usize)| Card { heading, lines, mark: marks[mark] };
        let all: Vec<Card> = all.into_iter().map(card).collect();
        let hard = drawn(|| cards(&caption(&id), &all));
        let cell = Cell { label: heading.clone(), share: 0.5 };
        let series = ["a", "b", "c"].map(|name| Series { name: name.into(), cells: vec![cell.clone()] });
        let grained = drawn(|| distribution(&caption(&id), &series));
        let panels = [(heading.as_str(), &hard), ("b", &grained), ("c", &grained)];
        let whole = drawn(|| stack(&caption(&id), u32::from(width), &panels));
        drawn(|| stack(&caption(&id), 800, &[("d", &whole), ("e", &whole)]));
    }
}

#[test]
fn what_is_not_a_number_is_said_to_be_missing() {
    let bar = |value| Bar { label: "fare".into(), value, mark: None };
    for value in [None, Some(f64::NAN), Some(f64::INFINITY)] {
        let picture = bars(&caption("a"), "EUR", &[bar(value)]);
        assert!(picture.svg.contains(">no data<"));
        assert_eq!(picture.table.rows, [["fare", "no data"]]);
    }
    let mixed = bars(&caption("a"), "EUR", &[bar(Some(f64::NAN)), bar(Some(2.0))]);
    assert_eq!(mixed.svg.matches("no data").count(), 1);
    let empty = distribution(&caption("a"), &[]);
    assert!(empty.svg.contains(">no data<"));
}

#[test]
fn long_labels_are_cut_in_the_picture_and_whole_in_the_table() {
    let label = "x".repeat(500);
    let picture = bars(&caption("a"), "EUR", &[Bar { label: label.clone(), value: Some(1.0), mark: None }]);
    assert!(!picture.svg.contains(&"x".repeat(100)) && picture.svg.contains("x…<"));
    assert_eq!(picture.table.rows[0][0], label);
}

#[test]
fn only_links_within_the_site_are_drawn_and_then_the_picture_is_no_image() {
    let node = |link: &str| Node { label: "a".into(), detail: String::new(), link: Some(link.into()) };
    let linked = graph(&caption("a"), &[node("/runs/1"), node("javascript:x"), node("//e.example")], &[]);
    assert_eq!(linked.svg.matches("<a ").count(), 1);
    assert!(linked.svg.contains(r#"role="group""#));
    let plain = graph(&caption("a"), &[node("https://e.example")], &[]);
    assert!(plain.svg.contains(r#"role="img""#) && !plain.svg.contains("<a "));
}
