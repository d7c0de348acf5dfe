//! One name in which placeholders stand for the span: the part of a source's path that changes from delivery to delivery.

use chrono::{Datelike, Days, Months, NaiveDate};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NamePattern {
    /// One file.
    Fixed(String),
    /// Anything between the two.
    Span { before: String, after: String },
    /// Pieces of fixed width.
    Date(Vec<Piece>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Year,
    Month,
    Day,
}

impl NamePattern {
    /// Takes a name apart, or says what is wrong with it.
    pub(super) fn parse(name: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut span_at = None;
        let mut rest = name;
        while let Some(open) = rest.find(['{', '}']) {
            let inside = rest[open..].strip_prefix('{').and_then(|after| after.split_once('}'));
            let Some((placeholder, after)) = inside else {
                return Err("has a brace without its partner".into());
            };
            if open > 0 {
                pieces.push(Piece::Text(rest[..open].to_string()));
            }
            let date = match placeholder {
                "SPAN" if span_at.is_none() => {
                    span_at = Some(name.len() - rest.len() + open);
                    rest = after;
                    continue;
                }
                "SPAN" => return Err("has `{SPAN}` twice".into()),
                "YYYY" => Piece::Year,
                "MM" => Piece::Month,
                "DD" => Piece::Day,
                other => {
                    return Err(format!(
                        "has `{{{other}}}`: placeholders are `{{SPAN}}`, or `{{YYYY}}`, `{{MM}}`, `{{DD}}`"
                    ));
                }
            };
            if pieces.contains(&date) {
                return Err(format!("has `{{{placeholder}}}` twice"));
            }
            pieces.push(date);
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_string()));
        }
        let has = |piece| pieces.contains(&piece);
        match span_at {
            Some(_) if has(Piece::Year) || has(Piece::Month) || has(Piece::Day) => {
                Err("mixes `{SPAN}` with a date: use one of the two".into())
            }
            Some(at) => {
                Ok(Self::Span { before: name[..at].to_string(), after: name[at + "{SPAN}".len()..].to_string() })
            }
            None if has(Piece::Month) && !has(Piece::Year) => {
                Err("has `{MM}` without `{YYYY}`: next year's files would have the same spans".into())
            }
            None if has(Piece::Day) && !has(Piece::Month) => {
                Err("has `{DD}` without `{MM}`: next month's files would have the same spans".into())
            }
            None if has(Piece::Year) => Ok(Self::Date(pieces)),
            None => Ok(Self::Fixed(name.to_string())),
        }
    }

    /// The span of a name that fits: none inside when there is no placeholder.
    pub(super) fn read(&self, name: &str) -> Option<Option<String>> {
        match self {
            Self::Fixed(fixed) => (fixed == name).then_some(None),
            Self::Span { before, after } => {
                let span = name.strip_prefix(before.as_str())?.strip_suffix(after.as_str())?;
                (!span.is_empty()).then(|| Some(span.to_string()))
            }
            Self::Date(pieces) => read_date(pieces, name).map(Some),
        }
    }

    /// The text in front of the first placeholder.
    pub(super) fn start(&self) -> &str {
        match self {
            Self::Fixed(text) | Self::Span { before: text, .. } => text,
            Self::Date(pieces) => match pieces.first() {
                Some(Piece::Text(text)) => text,
                Some(Piece::Year | Piece::Month | Piece::Day) | None => "",
            },
        }
    }

    /// A date as spans have it.
    pub(super) fn example_date(&self) -> Option<&'static str> {
        self.step().map(|step| match step {
            Step::Day => "2026-11-22",
            Step::Month => "2026-11",
            Step::Year => "2026",
        })
    }

    fn step(&self) -> Option<Step> {
        let Self::Date(pieces) = self else { return None };
        Some(if pieces.contains(&Piece::Day) {
            Step::Day
        } else if pieces.contains(&Piece::Month) {
            Step::Month
        } else {
            Step::Year
        })
    }

    /// Every date's span between two, both included; none when spans are no dates or one of the two is none of this pattern's.
    pub(super) fn dates(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let step = self.step()?;
        let (mut at, last) = (step.read(from)?, step.read(to)?);
        let mut spans = Vec::new();
        while at <= last && spans.len() < MOST_DATES {
            spans.push(step.write(at));
            at = step.next(at)?;
        }
        Some(spans)
    }
}

/// A range of dates is not longer than three hundred years of days.
const MOST_DATES: usize = 110_000;

/// From one date's span to the next.
#[derive(Clone, Copy)]
enum Step {
    Day,
    Month,
    Year,
}

impl Step {
    fn read(self, span: &str) -> Option<NaiveDate> {
        let whole = match self {
            Self::Day => span.to_string(),
            Self::Month => format!("{span}-01"),
            Self::Year => format!("{span}-01-01"),
        };
        let date = NaiveDate::parse_from_str(&whole, "%Y-%m-%d").ok()?;
        // `2026-1-2` is read as well, and is no span.
        (self.write(date) == span).then_some(date)
    }

    fn write(self, date: NaiveDate) -> String {
        let (year, month, day) = (date.year(), date.month(), date.day());
        match self {
            Self::Day => format!("{year:04}-{month:02}-{day:02}"),
            Self::Month => format!("{year:04}-{month:02}"),
            Self::Year => format!("{year:04}"),
        }
    }

    fn next(self, date: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Day => date.checked_add_days(Days::new(1)),
            Self::Month => date.checked_add_months(Months::new(1)),
            Self::Year => date.checked_add_months(Months::new(12)),
        }
    }
}

/// The span of a name that fits the pieces and spells a date that exists.
fn read_date(pieces: &[Piece], file_name: &str) -> Option<String> {
    let (mut year, mut month, mut day) = ("", None, None);
    let mut rest = file_name;
    for piece in pieces {
        let width = match piece {
            Piece::Text(text) => text.len(),
            Piece::Year => 4,
            Piece::Month | Piece::Day => 2,
        };
        let (found, after) = rest.split_at_checked(width)?;
        let digits = found.bytes().all(|byte| byte.is_ascii_digit());
        match piece {
            Piece::Text(text) if text == found => {}
            Piece::Year if digits => year = found,
            Piece::Month if digits => month = Some(found),
            Piece::Day if digits => day = Some(found),
            Piece::Text(_) | Piece::Year | Piece::Month | Piece::Day => return None,
        }
        rest = after;
    }
    let number = |text: Option<&str>| text.map_or(Some(1), |text| text.parse().ok());
    NaiveDate::from_ymd_opt(year.parse().ok()?, number(month)?, number(day)?).filter(|_| rest.is_empty())?;
    Some([Some(year), month, day].into_iter().flatten().collect::<Vec<_>>().join("-"))
}
