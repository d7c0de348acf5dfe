//! Addresses on the web, as far as settings need them: checked by hand, because all that is wanted is a scheme, a host and
//! signs that are safe to print.

use crate::diagnostics::Problem;

/// What to write where a text is no address.
pub(super) const HELP: &str = "write it whole and without a `/` at the end, such as `https://countersign.example.org`";

/// `https://host:port/path`, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address<'t> {
    pub encrypted: bool,
    pub host: &'t str,
}

/// Reads an address without user, query and fragment, and without `/` at the end.
pub(super) fn read(text: &str) -> Option<Address<'_>> {
    let (encrypted, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return None,
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&()*+,;=:@/%".contains(&byte);
    if text.ends_with('/') || !path.bytes().all(path_sign) {
        return None;
    }
    let (host, port) = match authority.rsplit_once(':') {
        // The colons of an IPv6 address stand in brackets.
        Some((host, port)) if !port.ends_with(']') => (host, port.parse::<u16>().ok()),
        _ => (authority, Some(443)),
    };
    let name = |host: &str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let sound = bracketed.map_or(!host.is_empty() && name(host), |inner| inner.parse::<std::net::Ipv6Addr>().is_ok());
    (sound && port.is_some_and(|port| port > 0)).then_some(Address { encrypted, host })
}

/// The text, if it is an address to which something may be sent that others must not see: encrypted, or on this machine.
pub(super) fn encrypted(key: &str, text: &str, otherwise: &str) -> Result<String, Problem> {
    match read(text) {
        Some(address) if address.encrypted || address.is_loopback() => Ok(text.to_string()),
        Some(_) => {
            let message = format!("`{key}` can not be `{text}`: {otherwise}");
            Err(Problem::new("settings.bad-url", message, "use `https`; `http` is for this machine only"))
        }
        None => Err(Problem::new("settings.bad-url", format!("`{key}` can not be `{text}`"), HELP)),
    }
}

impl Address<'_> {
    /// Whether the host is this machine.
    pub fn is_loopback(&self) -> bool {
        let bare = self.host.trim_matches(['[', ']']);
        self.host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn an_address_has_a_scheme_and_a_host_and_nothing_that_could_be_misread() {
        for text in
            ["https://a.example.org", "http://127.0.0.1:8484", "https://a/b/c", "http://[::1]:80", "https://a:1/b"]
        {
            assert!(read(text).is_some(), "{text}");
        }
        let wrong = [
            "",
            "a.example.org",
            "ftp://a",
            "https://",
            "https:///a",
            "https://a/",
            "https://a?b",
            "https://a#b",
            "https://u@a",
            "https://u:p@a",
            "https://a:b",
            "https://a:0",
            "https://a:99999",
            "https://a b",
            "https://a/\"",
            "https://a/<b>",
            "https://a/|",
            "HTTPS://a",
            "https://[::1",
            "https://é",
            "https://a:",
        ];
        for text in wrong {
            assert_eq!(read(text), None, "{text}");
        }
        let loopback = |text: &str| read(text).unwrap().is_loopback();
        assert!(loopback("http://localhost:1") && loopback("http://127.8.9.1") && loopback("http://[::1]:2/a"));
        assert!(
            !loopback("http://localhost.example.org")
                && !loopback("http://10.0.0.1")
                && !loopback("http://127.0.0.1.nip.io")
        );
    }
}
