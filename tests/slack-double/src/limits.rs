//! Slack's limits on blocks, read from the JSON by code that does not share a line with what makes it.

use serde_json::Value;
use std::collections::BTreeSet;

/// From here on Slack was seen to refuse a message, although it documents more.
const MESSAGE: usize = 13_200;

/// What Slack answers to a message's blocks when it does not take them.
pub(crate) fn judge_message(blocks: &[Value]) -> Result<(), String> {
    let together: usize = blocks.iter().map(|block| block.to_string().chars().count()).sum();
    if blocks.len() > 50 || together > MESSAGE {
        return Err("msg_blocks_too_long".to_string());
    }
    judge(blocks)
}

/// What Slack answers to a view that it does not take.
pub(crate) fn judge_view(view: &Value) -> Result<(), String> {
    let blocks = view["blocks"].as_array().map(Vec::as_slice).unwrap_or_default();
    let short = ["title", "submit", "close"].iter().all(|key| view[*key].is_null() || fits(&view[*key], 24));
    let hidden = view["private_metadata"].as_str().unwrap_or_default().chars().count() <= 3_000;
    if blocks.is_empty() || blocks.len() > 100 || !short || !hidden || view.to_string().len() > 250_000 {
        return Err("invalid_arguments".to_string());
    }
    judge(blocks)
}

fn judge(blocks: &[Value]) -> Result<(), String> {
    let mut ids = BTreeSet::new();
    let unique =
        blocks.iter().filter_map(|block| block["block_id"].as_str()).all(|id| ids.insert(id) && id.len() <= 255);
    if unique && blocks.iter().all(sound) { Ok(()) } else { Err("invalid_blocks".to_string()) }
}

fn sound(block: &Value) -> bool {
    let elements = block["elements"].as_array().map(Vec::as_slice).unwrap_or_default();
    match block["type"].as_str().unwrap_or_default() {
        "header" => fits(&block["text"], 150),
        "section" => fits(&block["text"], 3_000),
        "context" => (1..=10).contains(&elements.len()) && elements.iter().all(|element| fits(element, 2_000)),
        "image" => {
            let described = block["alt_text"].as_str().map_or(0, |text| text.chars().count());
            (1..=2_000).contains(&described) && (block["title"].is_null() || fits(&block["title"], 2_000))
        }
        "actions" => {
            let mut ids = BTreeSet::new();
            let button = |button: &Value| {
                let length = |key: &str| button[key].as_str().unwrap_or_default().chars().count();
                let id = button["action_id"].as_str().unwrap_or_default();
                fits(&button["text"], 75)
                    && (1..=255).contains(&id.len())
                    && length("value") <= 2_000
                    && length("url") <= 3_000
            };
            let unique = elements.iter().all(|element| ids.insert(element["action_id"].as_str()));
            (1..=25).contains(&elements.len()) && unique && elements.iter().all(button)
        }
        "input" => fits(&block["label"], 2_000) && block["element"]["action_id"].is_string(),
        _ => false,
    }
}

/// A text object that is neither empty nor longer than `most`.
fn fits(object: &Value, most: usize) -> bool {
    let length = object["text"].as_str().map_or(0, |text| text.chars().count());
    matches!(object["type"].as_str(), Some("plain_text" | "mrkdwn")) && (1..=most).contains(&length)
}
