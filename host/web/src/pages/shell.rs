//! What every page has around its content.

use crate::access::Viewer;

/// The one stylesheet.
pub fn stylesheet() -> &'static str {
    include_str!("../../assets/countersign.css")
}

/// Who looks at a page, and what it says besides its content.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Who looks; none before signing in.
    pub viewer: Option<&'a Viewer>,
    /// What every form carries.
    pub csrf: &'a str,
    /// What just happened, in words.
    pub notice: Option<&'a str>,
    /// What every path begins with: empty, or a prefix without a slash at the end.
    pub base: &'a str,
}

/// What templates are given around the content.
pub(super) struct Shell<'a> {
    pub(super) base: &'a str,
    pub(super) csrf: &'a str,
    pub(super) notice: Option<&'a str>,
    /// Who is signed in.
    pub(super) person: Option<&'a str>,
    /// Whether the viewer may send forms: a session, not a token.
    pub(super) acts: bool,
    /// Whether other pages can be linked to. A report stands alone.
    pub(super) linked: bool,
    /// Which part of the navigation this is.
    pub(super) here: &'static str,
    /// The stylesheet, where it is not linked to.
    pub(super) style: &'static str,
}

impl<'a> Shell<'a> {
    /// Of a page.
    pub(super) fn of(frame: &Frame<'a>, here: &'static str) -> Self {
        Self {
            base: frame.base,
            csrf: frame.csrf,
            notice: frame.notice,
            person: frame.viewer.map(|viewer| viewer.identity.person.as_str()),
            acts: frame.viewer.is_some_and(|viewer| !viewer.read_only()),
            linked: true,
            here,
            style: "",
        }
    }

    /// Of a file that stands alone.
    pub(super) fn alone() -> Self {
        Self {
            base: "",
            csrf: "",
            notice: None,
            person: None,
            acts: false,
            linked: false,
            here: "",
            style: stylesheet(),
        }
    }
}
