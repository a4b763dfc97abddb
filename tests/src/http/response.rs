//! Answers, and what cases expect of them.

use std::fmt;
use std::io::{self, ErrorKind};

/// The status line and header fields of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// Names in lower case, values as they came.
    pub(crate) headers: Vec<(String, String)>,
}

impl Head {
    /// The value of a field; if there are several, they are joined as HTTP joins them.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self
            .headers
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// Whether a field that is a list has this member, in any case.
    pub(crate) fn lists(&self, name: &str, member: &str) -> bool {
        self.header(name).is_some_and(|value| {
            value.split(',').any(|other| other.trim().eq_ignore_ascii_case(member))
        })
    }

    pub(super) fn parse(bytes: &[u8]) -> io::Result<Self> {
        let invalid = || io::Error::new(ErrorKind::InvalidData, "not an HTTP answer");
        // A value can be raw UTF-8, and must then be exactly that.
        let text = std::str::from_utf8(bytes).map_err(|_| invalid())?;
        let mut lines = text.split("\r\n");
        let status = lines
            .next()
            .filter(|line| line.starts_with("HTTP/1."))
            .and_then(|line| line.split(' ').nth(1))
            .and_then(|status| status.parse().ok())
            .ok_or_else(invalid)?;
        let headers = lines
            .map(|line| {
                let (name, value) = line.split_once(':').ok_or_else(invalid)?;
                Ok((name.to_ascii_lowercase(), value.trim().to_owned()))
            })
            .collect::<io::Result<_>>()?;
        Ok(Self { status, headers })
    }
}

/// A whole answer.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
    /// The request, for the message of a case that fails.
    pub(super) request: String,
    /// Whether `WWW-Authenticate` arrives under its own name.
    pub(super) challenges: bool,
}

impl Response {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.head.header(name)
    }

    #[track_caller]
    pub(crate) fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    #[track_caller]
    pub(crate) fn expect_header(self, name: &str, value: &str) -> Self {
        assert_eq!(self.header(name).as_deref(), Some(value), "{name} of {self}");
        self
    }

    /// The status, and a `Bearer` challenge with this error code, or with none.
    // RFC 6750, section 3; draft-08, "Error Responses"
    #[track_caller]
    pub(crate) fn expect_challenge(self, status: u16, error: Option<&str>) -> Self {
        let response = self.expect_status(status);
        if response.challenges {
            let challenge = response.header("WWW-Authenticate").unwrap_or_default();
            let (scheme, parameters) = challenge.split_once(' ').unwrap_or((&challenge, ""));
            assert_eq!(scheme, "Bearer", "the challenge of {response}");
            let code = parameters
                .split(',')
                .find_map(|parameter| parameter.trim().strip_prefix("error="))
                .map(|code| code.trim_matches('"'));
            assert_eq!(code, error, "the challenge of {response}");
        }
        response
    }

    /// The status, without a challenge: the token is not to blame.
    #[track_caller]
    pub(crate) fn expect_no_challenge(self, status: u16) -> Self {
        let response = self.expect_status(status);
        assert_eq!(response.header("WWW-Authenticate"), None, "{response}");
        response
    }
}

impl fmt::Display for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, head, request, .. } = self;
        let text = self.text();
        write!(formatter, "{status} {:?} {text:.400} in answer to {request}", head.headers)
    }
}
