//! Where a request carries its access token.

use std::fmt;

use http::HeaderValue;

use crate::config::{Config, LEGACY_COOKIE};
use crate::terms::generation::Generation;
use crate::wire::request::Request;

/// The query parameter of the 0.x protocol.
const LEGACY_PARAMETER: &str = "authorization";

/// The schemes of RFC 9110, section 11, in which browsers answer for themselves.
const OTHER_SCHEMES: [&str; 4] = ["Basic", "Digest", "Negotiate", "NTLM"];

/// What may stand around a cookie: not everything that Unicode calls white space.
const SPACES: [char; 2] = [' ', '\t'];

/// How a token came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presentation {
    Header,
    Query,
    /// The browser attached it, whether or not its user meant to send the request.
    Cookie,
}

/// An access token, unverified.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Bearer {
    pub(crate) token: String,
    pub(crate) presented: Presentation,
}

impl fmt::Debug for Bearer {
    /// Leaves out the token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Bearer").field("presented", &self.presented).finish_non_exhaustive()
    }
}

/// An `Authorization` field that is meant for the hub and is not one `Bearer` token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MalformedAuthorization;

/// Finds the token of a request, if it has one.
///
/// draft-08, "Presenting the Access Token": the `Authorization` field, and only without it the
/// cookie; between the two the query parameter of the 0.x protocol. The first that is present is
/// the token; a bad one does not fall back to the next.
///
/// # Errors
///
/// An `Authorization` field that is not one `Bearer` token; nothing else is then consulted.
pub(crate) fn bearer(
    request: &Request,
    config: &Config,
) -> Result<Option<Bearer>, MalformedAuthorization> {
    let mut fields = request.header_values("authorization");
    let (token, presented) = match (fields.next(), fields.next()) {
        (Some(field), None) if !is_of_another_scheme(field) => {
            let token = authorization(field).ok_or(MalformedAuthorization)?;
            (Some(token), Presentation::Header)
        }
        (Some(_), Some(_)) => return Err(MalformedAuthorization),
        _ => match query(request, config) {
            Some(token) => (Some(token), Presentation::Query),
            None => {
                let legacy = || config.legacy_cookie.then(|| cookie(request, LEGACY_COOKIE))?;
                (cookie(request, &config.cookie_name).or_else(legacy), Presentation::Cookie)
            }
        },
    };
    Ok(token.map(|token| Bearer { token, presented }))
}

/// The first parameter that is not empty.
fn query(request: &Request, config: &Config) -> Option<String> {
    if !config.query_authorization || !config.protocol.contains(Generation::V0) {
        return None;
    }
    let mut tokens = request
        .query()
        .filter(|pair| pair.name() == Ok(LEGACY_PARAMETER))
        .map(|pair| pair.value_lossy().into_owned());
    tokens.find(|token| !token.is_empty())
}

/// Whether an `Authorization` field is for somebody else: where a proxy in front of the hub asks for
/// a password, browsers send that with every request, and the token is in a cookie behind it.
///
/// A `Bearer` token that was joined to it is a second field, as it would be by itself.
fn is_of_another_scheme(field: &[u8]) -> bool {
    let mut words = field.split(|byte| b" ,\t".contains(byte));
    let is = |word: &[u8], scheme: &str| word.eq_ignore_ascii_case(scheme.as_bytes());
    let scheme = words.next().unwrap_or_default();
    OTHER_SCHEMES.iter().any(|other| is(scheme, other)) && !words.any(|word| is(word, "bearer"))
}

/// RFC 6750, section 2.1: `Bearer`, in any case, spaces, and a `b64token`.
fn authorization(field: &[u8]) -> Option<String> {
    let (scheme, token) = std::str::from_utf8(field).ok()?.split_once(' ')?;
    let token = token.trim_matches(' ');
    let is_b64token = !token.is_empty()
        && token
            .trim_end_matches('=')
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte));
    (scheme.eq_ignore_ascii_case("bearer") && is_b64token).then(|| token.to_owned())
}

/// The cookies that may be access tokens, as a field that has no others: for whoever is shown the tokens, and
/// nothing else of whoever sends them.
pub(crate) fn token_cookies(request: &Request, config: &Config) -> Option<HeaderValue> {
    let legacy = config.legacy_cookie.then_some(LEGACY_COOKIE);
    let mut names = vec![config.cookie_name.as_str()];
    names.extend(legacy.filter(|legacy| *legacy != config.cookie_name));
    let pair = |name: &str| Some(format!("{name}={}", cookie(request, name)?));
    let pairs: Vec<_> = names.into_iter().filter_map(pair).collect();
    let mut field = HeaderValue::from_str(&pairs.join("; ")).ok()?;
    field.set_sensitive(true);
    (!pairs.is_empty()).then_some(field)
}

/// The first cookie of this name that is not empty, without quotes around its value.
///
/// Split as bytes, so that a cookie that is not UTF-8 does not hide another.
fn cookie(request: &Request, name: &str) -> Option<String> {
    request
        .header_values("cookie")
        .flat_map(|field| field.split(|&byte| byte == b';'))
        .filter_map(|pair| std::str::from_utf8(pair).ok()?.split_once('='))
        .filter(|(key, _)| key.trim_matches(SPACES) == name)
        .map(|(_, value)| value.trim_matches(SPACES).trim_matches('"'))
        .find(|value| !value.is_empty())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_not_shown() {
        let bearer = Bearer { token: "secret".into(), presented: Presentation::Header };
        assert_eq!(format!("{bearer:?}"), "Bearer { presented: Header, .. }");
    }
}
