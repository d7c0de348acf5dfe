//! Takes a page apart as a browser's tokenizer would, far enough to see what data could have broken out of.

/// Elements that our pages are made of.
const ELEMENTS: &[&str] = &[
    "a",
    "article",
    "bdi",
    "blockquote",
    "body",
    "button",
    "caption",
    "circle",
    "code",
    "dd",
    "defs",
    "desc",
    "details",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figure",
    "form",
    "g",
    "h1",
    "h2",
    "h3",
    "h4",
    "head",
    "header",
    "html",
    "input",
    "label",
    "legend",
    "li",
    "line",
    "link",
    "main",
    "meta",
    "meter",
    "nav",
    "ol",
    "option",
    "p",
    "path",
    "pattern",
    "pre",
    "rect",
    "section",
    "select",
    "span",
    "strong",
    "style",
    "summary",
    "svg",
    "table",
    "tbody",
    "td",
    "text",
    "textarea",
    "th",
    "thead",
    "time",
    "title",
    "tr",
    "ul",
];
const VOID: &[&str] = &["input", "link", "meta"];

/// One start tag.
pub struct Tag {
    pub name: String,
    pub attributes: Vec<(String, String)>,
}

impl Tag {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// The start tags of a page in which every element is known, every attribute quoted and every tag closed.
pub fn tags(html: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut rest = html.strip_prefix("<!doctype html>").unwrap_or_else(|| panic!("no doctype: {:?}", html.get(..60)));
    while let Some(at) = rest.find('<') {
        let inside = &rest[at + 1..];
        if let Some(name) = inside.strip_prefix('/') {
            let end = name.find('>').unwrap();
            assert_eq!(
                open.pop().as_deref(),
                Some(&name[..end]),
                "closed near {:?}",
                name.chars().take(80).collect::<String>()
            );
            rest = &name[end + 1..];
            continue;
        }
        let (tag, after, closed) = start(inside);
        assert!(
            ELEMENTS.contains(&tag.name.as_str()),
            "an element of nobody's: {:?}",
            inside.chars().take(80).collect::<String>()
        );
        rest = after;
        if tag.name == "style" {
            rest = &rest[rest.find("</style>").unwrap()..];
        }
        if !closed && !VOID.contains(&tag.name.as_str()) {
            open.push(tag.name.clone());
        }
        tags.push(tag);
    }
    assert_eq!(open, Vec::<String>::new(), "left open");
    tags
}

fn start(text: &str) -> (Tag, &str, bool) {
    let end = text.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap();
    let mut tag = Tag { name: text[..end].to_string(), attributes: Vec::new() };
    let mut rest = text[end..].trim_start();
    loop {
        if let Some(after) = rest.strip_prefix("/>") {
            return (tag, after, true);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (tag, after, false);
        }
        let name = rest.find(|c: char| c.is_whitespace() || "=>/".contains(c)).unwrap();
        let (attribute, after) = rest.split_at(name);
        let valid = !attribute.is_empty()
            && attribute.chars().all(|c| c.is_ascii_alphabetic() || c == '-' || c.is_ascii_digit());
        assert!(valid, "an attribute {attribute:?} of {}", tag.name);
        let (value, after) = match after.strip_prefix("=\"") {
            Some(quoted) => {
                let end = quoted.find('"').unwrap();
                (&quoted[..end], &quoted[end + 1..])
            }
            None => ("", after),
        };
        tag.attributes.push((attribute.to_string(), value.to_string()));
        rest = after.trim_start();
    }
}

/// What a page must be whatever the data: no script, no style in the markup, nothing from elsewhere, headings in order, a label for
/// every field, identifiers once.
pub fn must_be_sound(name: &str, html: &str) {
    let tags = tags(html);
    let mut level = 0;
    let mut ids = std::collections::BTreeSet::new();
    for tag in &tags {
        for (attribute, value) in &tag.attributes {
            assert!(!attribute.starts_with("on") && attribute != "style", "{name}: {attribute} of {}", tag.name);
            if ["href", "src", "action"].contains(&attribute.as_str()) {
                let own = value.starts_with(['/', '#', '?']) && !value.starts_with("//") || value == "data:,";
                assert!(own, "{name}: {attribute}={value}");
            }
        }
        if let Some(id) = tag.attribute("id") {
            assert!(ids.insert(id.to_string()), "{name}: {id} is there twice");
        }
        if let Some(heading) = tag.name.strip_prefix('h').and_then(|digit| digit.parse::<u32>().ok()) {
            assert!(heading <= level + 1, "{name}: h{heading} after h{level}");
            level = heading;
        }
    }
    let labels: std::collections::BTreeSet<&str> =
        tags.iter().filter(|tag| tag.name == "label").filter_map(|tag| tag.attribute("for")).collect();
    for tag in tags.iter().filter(|tag| ["input", "select", "textarea"].contains(&tag.name.as_str())) {
        if tag.attribute("type") != Some("hidden") {
            let id = tag.attribute("id").unwrap_or_default();
            assert!(labels.contains(id), "{name}: no label for {id:?}");
        }
    }
    for attribute in ["aria-labelledby", "for"] {
        for wanted in tags.iter().filter_map(|tag| tag.attribute(attribute)).flat_map(str::split_whitespace) {
            assert!(ids.contains(wanted), "{name}: {attribute} names {wanted}, which is not there");
        }
    }
    let mut regions = std::collections::BTreeSet::new();
    for region in tags.iter().filter(|tag| tag.attribute("role") == Some("region")) {
        let label = region.attribute("aria-label").unwrap_or_default();
        assert!(
            regions.insert(label) && region.attribute("tabindex") == Some("0"),
            "{name}: two boxes are called {label}"
        );
    }
    assert_eq!(tags.iter().filter(|tag| tag.name == "h1").count(), 1, "{name}");
    for svg in tags.iter().filter(|tag| tag.name == "svg") {
        assert!(
            svg.attribute("role").is_some() && svg.attribute("aria-labelledby").is_some(),
            "{name}: a nameless picture"
        );
    }
}
