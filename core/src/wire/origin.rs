//! Origins: whose pages a configuration means, and whose page a browser says it is.
//!
//! A browser puts the origin of a page into the field `Origin`, always in one spelling: lower case,
//! Punycode, no default port, nothing after the port. So a request's origin is compared byte for
//! byte. What people write is put into that spelling once, when the configuration is read; and what
//! no browser can ever send is a mistake, since it would look like a hub that does not work.

use std::fmt;

use url::{Host, Url};

/// A list of origins, and of the origins below domains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origins(Vec<OriginPattern>);

impl Origins {
    /// Reads a list that is separated by white space, commas or semicolons.
    ///
    /// # Errors
    ///
    /// What is wrong with the first entry that is not an origin, and what to write.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let pattern = |entry| {
            OriginPattern::parse(entry)
                .map_err(|invalid| format!("`{}` {invalid}", without_user(entry)))
        };
        entries(text).map(pattern).collect::<Result<_, _>>().map(Self)
    }

    /// Whether the origin of a request, as it came, is listed.
    pub(crate) fn contains(&self, origin: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(origin))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The entries of a list.
pub(crate) fn entries(text: &str) -> impl Iterator<Item = &str> {
    let entries = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
    entries.filter(|entry| !entry.is_empty())
}

/// An entry without the quotes and brackets that other formats of lists put around it.
pub(crate) fn unquoted(entry: &str) -> &str {
    entry.trim_matches(|c| "\"'`“”‘’«»<>()[]{}".contains(c))
}

/// A URL as it may be shown: without a user, who may have a password.
pub(crate) fn without_user(url: &str) -> String {
    match url.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}"),
        None => url.to_owned(),
    }
}

/// One origin, or those below a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
enum OriginPattern {
    /// This origin, as browsers spell it.
    Exactly(String),
    /// Every origin with this scheme (`https://`) whose host and port are one label or more, and
    /// then this end (`.example.com:8443`).
    Below { scheme: String, end: String },
}

/// Why an entry is not an origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum InvalidOrigin {
    #[error(
        "is every origin: any page could use the cookies of its visitors (CSRF); list the origins of your own pages"
    )]
    Every,
    #[error(
        "is what browsers send for pages without an origin of their own, and anybody can make such a page; serve yours from an origin, and list that"
    )]
    Null,
    #[error("has no scheme; write {0}, or the same with http")]
    NoScheme(OriginPattern),
    #[error("has a scheme that no page has; write https or http, like https://www.example.com")]
    Scheme,
    #[error("holds more than a scheme, a host and a port; write {0}")]
    More(OriginPattern),
    #[error("names a host that no page can have; write it like https://www.example.com")]
    Host,
    #[error(
        "may have a `*` only in place of the first names of a host, before a domain that is yours: write it like https://*.example.com"
    )]
    Wildcard,
    #[error(
        "has a `*` as its port; list an origin for each port, like http://localhost:3000 http://localhost:5173"
    )]
    EveryPort,
    #[error(
        "has a `*`, which stands for hosts below a domain alone; list the whole origin of each app, and of no browser's extension, since one may read answers if its manifest has the hub's address in `host_permissions`"
    )]
    EveryApp,
    #[error("is not an origin; write scheme and host alone, like https://www.example.com")]
    NotAnOrigin,
}

impl OriginPattern {
    fn parse(entry: &str) -> Result<Self, InvalidOrigin> {
        let bare = unquoted(entry);
        // As it stands first: an IPv6 address ends with a bracket of its own.
        Self::read(entry).map_err(|why| match Self::read(bare) {
            Ok(pattern) => InvalidOrigin::More(pattern),
            Err(inner) if why == InvalidOrigin::NotAnOrigin => inner,
            Err(_) => why,
        })
    }

    fn read(text: &str) -> Result<Self, InvalidOrigin> {
        if text == "*" {
            return Err(InvalidOrigin::Every);
        }
        if text.eq_ignore_ascii_case("null") {
            return Err(InvalidOrigin::Null);
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(Self::without_scheme(text));
        };
        match scheme.to_ascii_lowercase().as_str() {
            scheme @ ("https" | "http") => Self::of_site(scheme, rest),
            // The pages of the last four have the origin of another page, or none.
            "ws" | "wss" | "ftp" | "javascript" | "data" | "blob" | "about" => {
                Err(InvalidOrigin::Scheme)
            }
            // Every other scheme may be an app's, but these are misspelt.
            scheme if scheme.bytes().all(|byte| b"htps".contains(&byte)) => {
                Err(InvalidOrigin::Scheme)
            }
            scheme => Self::of_app(scheme, rest),
        }
    }

    /// What is wrong with a text that does not begin with a scheme.
    fn without_scheme(text: &str) -> InvalidOrigin {
        let is_host = text.contains(['.', ':']) || text.eq_ignore_ascii_case("localhost");
        match Self::of_site("https", text.trim_start_matches('/')) {
            Ok(pattern) if is_host => InvalidOrigin::NoScheme(pattern),
            _ => InvalidOrigin::NotAnOrigin,
        }
    }

    /// Reads what follows the scheme, which is `https` or `http`.
    fn of_site(scheme: &str, rest: &str) -> Result<Self, InvalidOrigin> {
        let (rest, is_below) = match rest.strip_prefix("*.") {
            Some(domain) => (domain, true),
            None => (rest, false),
        };
        let (authority, _path) = split_authority(rest);
        if authority.strip_suffix(":*").is_some_and(|host| !host.is_empty() && !host.contains('*'))
        {
            return Err(InvalidOrigin::EveryPort);
        }
        if authority.contains('*') {
            return Err(InvalidOrigin::Wildcard);
        }
        let url =
            Url::parse(&format!("{scheme}://{rest}")).map_err(|_| InvalidOrigin::NotAnOrigin)?;
        match url.host() {
            Some(Host::Domain(domain)) if !domain.split('.').all(is_label) => {
                return Err(InvalidOrigin::Host);
            }
            // Below a name that everybody shares are the pages of everybody.
            Some(Host::Domain(domain)) if domain.contains('.') || domain == "localhost" => {}
            _ if is_below => return Err(InvalidOrigin::Wildcard),
            _ => {}
        }
        // HTML, "Serialization of an origin": Punycode, no default port.
        let origin = url.origin().ascii_serialization();
        let pattern = match origin.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://")) {
            Some(end) if is_below => {
                Self::Below { scheme: format!("{scheme}://"), end: format!(".{end}") }
            }
            _ => Self::Exactly(origin),
        };
        let is_bare = url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && !authority.contains('%');
        if is_bare { Ok(pattern) } else { Err(InvalidOrigin::More(pattern)) }
    }

    /// Reads what follows the scheme of an app: `capacitor://localhost`, `chrome-extension://<id>`.
    /// The URL standard gives such a URL no origin, so this is what browsers do.
    fn of_app(scheme: &str, rest: &str) -> Result<Self, InvalidOrigin> {
        // RFC 3986, section 3.1.
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        if !is_scheme {
            return Err(InvalidOrigin::NotAnOrigin);
        }
        let (authority, path) = split_authority(rest);
        if authority.contains('*') {
            return Err(InvalidOrigin::EveryApp);
        }
        let authority = authority.to_ascii_lowercase();
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority.as_str(), None),
        };
        let has_host = match scheme {
            // What apps send whose pages are files.
            "file" => authority.is_empty(),
            _ => host.split('.').all(is_label),
        };
        let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
        let port = match port.map(|port| port.parse::<u16>().ok().filter(|_| is_port(port))) {
            None => String::new(),
            Some(Some(port)) => format!(":{port}"),
            Some(None) => return Err(InvalidOrigin::Host),
        };
        if !has_host {
            return Err(InvalidOrigin::Host);
        }
        let pattern = Self::Exactly(format!("{scheme}://{host}{port}"));
        if matches!(path, "" | "/") { Ok(pattern) } else { Err(InvalidOrigin::More(pattern)) }
    }

    fn matches(&self, origin: &str) -> bool {
        match self {
            Self::Exactly(listed) => origin == listed,
            Self::Below { scheme, end } => origin
                .strip_prefix(scheme.as_str())
                .and_then(|host| host.strip_suffix(end.as_str()))
                .is_some_and(|names| names.split('.').all(is_label)),
        }
    }
}

impl fmt::Display for OriginPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(origin) => formatter.write_str(origin),
            Self::Below { scheme, end } => write!(formatter, "{scheme}*{end}"),
        }
    }
}

/// What stands before the path of a URL, and what from there on.
fn split_authority(rest: &str) -> (&str, &str) {
    rest.split_at(rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len()))
}

/// Whether this is a name between the dots of a host, as browsers spell it. The URL standard lets
/// hosts hold almost any character, but no name server does.
fn is_label(text: &str) -> bool {
    let is_of_hosts = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
    };
    !text.is_empty() && text.bytes().all(is_of_hosts)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Entries as a browser spells them.
    fn spelt(list: &str) -> Vec<String> {
        Origins::parse(list).unwrap().0.iter().map(ToString::to_string).collect()
    }

    fn mistake(list: &str) -> String {
        Origins::parse(list).map(|_| list).unwrap_err()
    }

    #[test]
    fn a_list_is_separated_as_people_do() {
        let expected = ["https://a.example", "http://localhost:8788", "https://b.example"];
        for list in [
            "https://a.example http://localhost:8788 https://b.example",
            "https://a.example,http://localhost:8788,https://b.example",
            "https://a.example; http://localhost:8788; https://b.example;",
            "\thttps://a.example,\r\n  http://localhost:8788\u{a0},\n  https://b.example\n",
        ] {
            assert_eq!(spelt(list), expected, "{list:?}");
        }
        assert_eq!(spelt(""), [""; 0]);
    }

    #[test]
    fn what_can_mean_one_origin_only_is_spelt_as_browsers_do() {
        for (written, origin) in [
            ("https://A.Example/", "https://a.example"),
            ("HTTPS://a.example", "https://a.example"),
            ("https://a.example:443", "https://a.example"),
            ("http://a.example:80/", "http://a.example"),
            ("http://a.example:443", "http://a.example:443"),
            ("https://a.example:08443", "https://a.example:8443"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("https://*.Bücher.example", "https://*.xn--bcher-kva.example"),
            ("https://*.example.com:443/", "https://*.example.com"),
            ("http://*.localhost:3000", "http://*.localhost:3000"),
            ("http://127.1:3000", "http://127.0.0.1:3000"),
            ("http://[::1]", "http://[::1]"),
            ("http://[0:0::1]:3000", "http://[::1]:3000"),
            ("https://my_app.example", "https://my_app.example"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("Ionic://LocalHost/", "ionic://localhost"),
            ("tauri://localhost", "tauri://localhost"),
            ("app://-", "app://-"),
            ("app://obsidian.md:8080", "app://obsidian.md:8080"),
            ("app://obsidian.md:08080", "app://obsidian.md:8080"),
            ("com.example.app://web", "com.example.app://web"),
            ("chrome-extension://ponmlkjihgfedcba", "chrome-extension://ponmlkjihgfedcba"),
            ("moz-extension://4ed7f644-c3b5-4bf1/", "moz-extension://4ed7f644-c3b5-4bf1"),
            ("file://", "file://"),
            ("file:///", "file://"),
        ] {
            assert_eq!(spelt(written), [origin], "{written}");
            assert_eq!(spelt(origin), [origin], "{origin}");
            let is_one = !origin.contains('*');
            assert_eq!(Origins::parse(written).unwrap().contains(origin), is_one, "{written}");
        }
    }

    #[test]
    fn below_a_domain_are_its_subdomains_of_every_depth_and_nothing_else() {
        let origins = Origins::parse("https://*.example.com http://*.example.org:8080").unwrap();
        for origin in [
            "https://a.example.com",
            "https://a.b-c.example.com",
            "https://xn--bcher-kva.example.com",
            "https://example.com.example.com",
            "http://a.example.org:8080",
        ] {
            assert!(origins.contains(origin), "{origin}");
        }
        for origin in [
            "https://example.com",
            "https://.example.com",
            "https://a..example.com",
            "https://evilexample.com",
            "https://example.com.evil.example",
            "https://a.example.com.evil.example",
            "https://evil.example/.example.com",
            "https://evil.example/a.example.com",
            "https://evil.example:1.example.com",
            "https://evil.example@a.example.com",
            "https://evil.example#.example.com",
            "https://evil.example\\.example.com",
            "https://evil.example https://a.example.com",
            "https://evil.example,https://a.example.com",
            "https://*.example.com",
            "https://%61.example.com",
            "https://A.example.com",
            "https://bücher.example.com",
            "https://a.example.com/",
            "https://a.example.com.",
            "https://a.example.com:443",
            "https://a.example.com:8443",
            "http://a.example.com",
            "https://a.example.org:8080",
            "http://a.example.org",
            "a.example.com",
            "null",
            "*",
            "",
        ] {
            assert!(!origins.contains(origin), "{origin}");
        }
    }

    #[test]
    fn a_mistake_that_has_one_remedy_says_what_to_write() {
        for (wrong, right) in [
            ("a.example", "https://a.example, or the same with http"),
            ("//a.example", "https://a.example, or the same with http"),
            ("localhost:3000", "https://localhost:3000, or the same with http"),
            ("*.example.com", "https://*.example.com, or the same with http"),
            ("https://a.example;b.example", "https://b.example, or the same with http"),
            ("https://a.example/x", "https://a.example"),
            ("https://a.example//", "https://a.example"),
            ("https://a.example?x", "https://a.example"),
            ("https://user:secret@a.example:443", "https://a.example"),
            ("https://user:s@ecret@a.example/x", "https://a.example"),
            ("https://*.example.com/*", "https://*.example.com"),
            ("https://a%2Eexample", "https://a.example"),
            ("\"https://a.example\"", "https://a.example"),
            ("https://a.example\"", "https://a.example"),
            ("'https://a.example/'", "https://a.example"),
            ("[\"https://a.example\",\"https://b.example\"]", "https://a.example"),
            ("“https://a.example”", "https://a.example"),
            ("https://a.example]", "https://a.example"),
            ("<https://a.example>", "https://a.example"),
            ("capacitor://localhost/index.html", "capacitor://localhost"),
            ("file:///index.html", "file://"),
        ] {
            let mistake = mistake(wrong);
            assert!(mistake.ends_with(&format!("; write {right}")), "{wrong}: {mistake}");
            assert!(!mistake.contains("ecret"), "{mistake}");
        }
    }

    #[test]
    fn what_no_browser_sends_is_a_mistake() {
        for (wrong, word) in [
            ("*", "CSRF"),
            ("https://a.example *", "CSRF"),
            ("null", "anybody can make such a page"),
            ("\"NULL\"", "anybody can make such a page"),
            ("https://*", "https://*.example.com"),
            ("https://*:8443", "https://*.example.com"),
            ("https://*.com", "https://*.example.com"),
            ("https://*.", "not an origin"),
            ("https://a.*.example", "https://*.example.com"),
            ("https://*a.example", "https://*.example.com"),
            ("https://**.example.com", "https://*.example.com"),
            ("https://a.example:*", "for each port"),
            ("http://localhost:*", "for each port"),
            ("https://*.127.0.0.1", "https://*.example.com"),
            ("https://*.[::1]", "https://*.example.com"),
            ("chrome-extension://*", "`host_permissions`"),
            ("moz-extension://*", "`host_permissions`"),
            ("javascript://a", "no page has"),
            ("data://a", "no page has"),
            ("blob://a", "no page has"),
            ("about://blank", "no page has"),
            ("*://a.example", "not an origin"),
            ("https://a..example", "no page can have"),
            ("https://.example.com", "no page can have"),
            ("https://a.example.", "no page can have"),
            ("https://a.example&b.example", "no page can have"),
            ("https://\"a.example\"", "no page can have"),
            ("https://a.example|https://b.example", "not an origin"),
            ("https://a.example:99999", "not an origin"),
            ("https://", "not an origin"),
            ("https:///", "not an origin"),
            ("https:a.example", "not an origin"),
            ("htps://a.example", "no page has"),
            ("wss://a.example", "no page has"),
            ("capacitor://", "no page can have"),
            ("app://a:b", "no page can have"),
            ("app://a:+1", "no page can have"),
            ("file://host", "no page can have"),
            ("app://a@b", "no page can have"),
            ("1app://a", "not an origin"),
            ("all", "not an origin"),
        ] {
            let mistake = mistake(wrong);
            assert!(mistake.contains(word), "{wrong}: {mistake}");
        }
    }
}
