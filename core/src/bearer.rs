//! Where a request carries its access token.

use crate::config::Config;
use crate::error::Refusal;
use crate::request::Request;

/// The cookie of the 0.x protocol.
const LEGACY_COOKIE: &str = "mercureAuthorization";

/// An access token, unverified, and how it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bearer {
    pub(crate) token: String,
    /// Whether the browser attached it, with or without its user's wish.
    pub(crate) from_cookie: bool,
}

/// Finds the token of a request, if it has one.
///
/// draft-08, "Presenting the Access Token": the `Authorization` field, and only without it the
/// cookie. The first that is present is the token; a bad one does not fall back to the next.
///
/// # Errors
///
/// An `Authorization` field that is not one `Bearer` token; cookies are then not consulted.
pub(crate) fn bearer(request: &Request, config: &Config) -> Result<Option<Bearer>, Refusal> {
    let mut fields = request.header_values("authorization");
    match (fields.next(), fields.next()) {
        (None, _) => Ok(cookie(request, &config.cookie_name)
            .or_else(|| cookie(request, LEGACY_COOKIE))
            .map(|token| Bearer { token, from_cookie: true })),
        (Some(field), None) => {
            let token = authorization(field).ok_or(Refusal::MalformedToken)?;
            Ok(Some(Bearer { token, from_cookie: false }))
        }
        (Some(_), Some(_)) => Err(Refusal::MalformedToken),
    }
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

/// The first cookie of this name that is not empty, without quotes around its value.
///
/// Split as bytes: what another cookie holds must not hide this one.
fn cookie(request: &Request, name: &str) -> Option<String> {
    request
        .header_values("cookie")
        .flat_map(|field| field.split(|&byte| byte == b';'))
        .filter_map(|pair| std::str::from_utf8(pair).ok()?.split_once('='))
        .filter(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim().trim_matches('"'))
        .find(|value| !value.is_empty())
        .map(str::to_owned)
}
