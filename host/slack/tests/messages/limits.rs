//! Slack's limits as its documentation states them, read from the JSON by code that does not share a line with what makes it.

use serde_json::Value;
use std::collections::BTreeSet;

/// Everything wrong with the blocks of a message and its fallback.
pub fn of_message(text: &str, blocks: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let list = blocks.as_array().cloned().unwrap_or_default();
    if list.is_empty() || list.len() > 50 {
        wrong.push(format!("{} blocks", list.len()));
    }
    let together = blocks.to_string().chars().count();
    if together > 12_000 {
        wrong.push(format!("{together} characters in all"));
    }
    if text.is_empty() || text.chars().count() > 4_000 {
        wrong.push(format!("fallback of {} characters", text.chars().count()));
    }
    wrong.extend(of_mrkdwn(text));
    wrong.extend(of_blocks(&list));
    wrong
}

/// Everything wrong with a view.
pub fn of_view(view: &Value) -> Vec<String> {
    let mut wrong = of_blocks(view["blocks"].as_array().expect("blocks"));
    if view.to_string().len() > 250_000 {
        wrong.push("view over 250 kB".into());
    }
    for key in ["title", "submit", "close"] {
        wrong.extend(of_text(&view[key], 24));
    }
    let metadata = view["private_metadata"].as_str().expect("private_metadata");
    let callback = view["callback_id"].as_str().expect("callback_id");
    if metadata.len() > 3_000 || callback.len() > 255 || view["type"] != "modal" {
        wrong.push("metadata, callback or type".into());
    }
    wrong
}

fn of_blocks(blocks: &[Value]) -> Vec<String> {
    let mut ids = BTreeSet::new();
    let mut wrong = Vec::new();
    for block in blocks {
        if let Some(id) = block["block_id"].as_str()
            && (!ids.insert(id) || id.len() > 255)
        {
            wrong.push(format!("block id {id}"));
        }
        wrong.extend(match block["type"].as_str().unwrap_or_default() {
            "header" => of_text(&block["text"], 150),
            "section" => of_text(&block["text"], 3_000),
            "context" => {
                let elements = block["elements"].as_array().expect("elements");
                let many = (elements.is_empty() || elements.len() > 10).then(|| "elements of a context".to_string());
                elements.iter().flat_map(|element| of_text(element, 2_000)).chain(many).collect()
            }
            "image" => {
                let alt = block["alt_text"].as_str().expect("alt_text").chars().count();
                let mut wrong = of_text(&block["title"], 2_000);
                wrong.extend((alt == 0 || alt > 2_000).then(|| format!("alt text of {alt}")));
                wrong
            }
            "actions" => of_buttons(block["elements"].as_array().expect("elements")),
            "input" => of_input(block),
            other => vec![format!("block of type `{other}`")],
        });
    }
    wrong
}

fn of_buttons(buttons: &[Value]) -> Vec<String> {
    let mut ids = BTreeSet::new();
    let mut wrong = Vec::new();
    for button in buttons {
        let id = button["action_id"].as_str().expect("action_id");
        let value = button["value"].as_str().expect("value").chars().count();
        let url = button["url"].as_str().unwrap_or_default().chars().count();
        if !ids.insert(id) || id.len() > 255 || value > 2_000 || url > 3_000 {
            wrong.push(format!("button {button}"));
        }
        wrong.extend(of_text(&button["text"], 75));
    }
    if buttons.is_empty() || buttons.len() > 25 {
        wrong.push(format!("{} buttons", buttons.len()));
    }
    wrong
}

fn of_input(block: &Value) -> Vec<String> {
    let mut wrong = of_text(&block["label"], 2_000);
    if !block["hint"].is_null() {
        wrong.extend(of_text(&block["hint"], 2_000));
    }
    if !block["element"]["placeholder"].is_null() {
        wrong.extend(of_text(&block["element"]["placeholder"], 150));
    }
    if block["element"]["max_length"].as_u64().is_some_and(|most| most == 0 || most > 3_000) {
        wrong.push("max_length".into());
    }
    wrong
}

/// A text object: not empty, not longer than `most`, and if it is mrkdwn nothing in it that is not ours.
fn of_text(object: &Value, most: usize) -> Vec<String> {
    let Some(text) = object["text"].as_str() else { return vec![format!("no text: {object}")] };
    let length = text.chars().count();
    let mut wrong = Vec::new();
    if length == 0 || length > most {
        wrong.push(format!("{length} characters where {most} may be: {text}"));
    }
    match object["type"].as_str() {
        Some("plain_text") => {}
        Some("mrkdwn") if object["verbatim"] == true => wrong.extend(of_mrkdwn(text)),
        _ => wrong.push(format!("text object {object}")),
    }
    wrong.extend(of_direction(text));
    wrong
}

/// Nothing between angle brackets but our own mentions and links; every ampersand begins an entity.
pub fn of_mrkdwn(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (place, _) in text.match_indices('&') {
        if !["&amp;", "&lt;", "&gt;"].iter().any(|entity| text[place..].starts_with(entity)) {
            wrong.push(format!("bare & in {text}"));
        }
    }
    let mut rest = text;
    while let Some(start) = rest.find(['<', '>']) {
        let Some((inside, after)) = rest[start..].strip_prefix('<').and_then(|inside| inside.split_once('>')) else {
            wrong.push(format!("bare bracket in {text}"));
            break;
        };
        if !is_ours(inside) {
            wrong.push(format!("<{inside}> is not ours"));
        }
        rest = after;
    }
    wrong
}

/// The identifiers and the address that the generated situations hold on purpose.
fn is_ours(inside: &str) -> bool {
    let link = inside.strip_prefix("https://countersign.example.org/r/run_1?a=1&amp;b=2|");
    ["@U02AB", "!subteam^S0123"].contains(&inside) || link.is_some_and(|words| !words.contains('<'))
}

/// No control over direction but isolates that are closed, and no control characters but our line breaks.
fn of_direction(text: &str) -> Vec<String> {
    let mut open = 0;
    for letter in text.chars() {
        match letter {
            '\u{2068}' => open += 1,
            '\u{2069}' if open > 0 => open -= 1,
            '\n' => {}
            '\u{2069}' | '\u{202a}'..='\u{202e}' | '\u{2066}' | '\u{2067}' => {
                return vec![format!("direction in {text:?}")];
            }
            other if other.is_control() => return vec![format!("control in {text:?}")],
            _ => {}
        }
    }
    if open == 0 { Vec::new() } else { vec![format!("open isolate in {text:?}")] }
}

#[test]
fn these_checks_find_faults() {
    let block = |block: Value| of_message("x", &Value::Array(vec![block]));
    let section =
        |text: &str| serde_json::json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}});
    assert_eq!(block(section("<@U02AB> a &amp; b")), Vec::<String>::new());
    for bad in [
        "<!channel>",
        "a & b",
        "<@U0EVIL>",
        "a > b",
        "\u{202e}",
        "\u{2068}",
        "",
        "<https://evil.example|x>",
        &"x".repeat(3_001),
    ] {
        assert!(!block(section(bad)).is_empty(), "{bad}");
    }
    assert!(
        !block(serde_json::json!({"type": "header", "text": {"type": "plain_text", "text": "x".repeat(151)}}))
            .is_empty()
    );
    assert!(!of_message("x", &Value::Array(vec![section(&"x".repeat(2_900)); 5])).is_empty());
    assert!(!of_message("x", &Value::Array(vec![section("x"); 51])).is_empty());
}
