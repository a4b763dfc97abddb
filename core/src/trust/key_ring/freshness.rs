//! How long a set of keys may be used before it is fetched again.

use std::time::Duration;

use http::HeaderMap;
use http::header::{AGE, CACHE_CONTROL};

/// What an issuer allows is kept to within these bounds: no key that it took back serves for longer
/// than a day, and no issuer is asked all the time.
const SHORTEST: Duration = Duration::from_secs(5 * 60);
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Where an issuer says nothing.
const USUAL: Duration = Duration::from_secs(3600);

/// RFC 9111, sections 4.2 and 5.2.2: `max-age`, less what has passed of it on the way.
pub(super) fn lifetime(headers: &HeaderMap) -> Duration {
    let fields = headers.get_all(CACHE_CONTROL).iter().filter_map(|field| field.to_str().ok());
    let directives: Vec<String> = fields
        .flat_map(|field| field.split(','))
        .map(|directive| directive.trim().to_ascii_lowercase())
        .collect();
    if directives.iter().any(|directive| directive == "no-store" || directive == "no-cache") {
        return SHORTEST;
    }
    let max_age = directives.iter().find_map(|directive| directive.strip_prefix("max-age="));
    let Some(max_age) = max_age.and_then(|seconds| seconds.trim_matches('"').parse().ok()) else {
        return USUAL;
    };
    let age = headers.get(AGE).and_then(|age| age.to_str().ok()?.parse().ok()).unwrap_or(0);
    Duration::from_secs(u64::saturating_sub(max_age, age)).clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn an_issuer_says_how_long_within_bounds() {
        for (cache_control, age, minutes) in [
            ("", "", 60),
            ("public", "", 60),
            ("max-age=900", "", 15),
            ("public, MAX-AGE=21600, must-revalidate", "", 360),
            ("max-age=\"900\"", "", 15),
            ("max-age=21600", "3600", 300),
            ("max-age=900", "x", 15),
            ("max-age=1", "", 5),
            ("max-age=900", "900", 5),
            ("max-age=99999999", "", 24 * 60),
            ("max-age=99999999999999999999999", "", 60),
            ("max-age=-1", "", 60),
            ("no-store, max-age=900", "", 5),
            ("no-cache", "", 5),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache_control));
            headers.insert(AGE, HeaderValue::from_static(age));
            let expected = Duration::from_secs(minutes * 60);
            assert_eq!(lifetime(&headers), expected, "{cache_control}, {age}");
        }
        assert_eq!(lifetime(&HeaderMap::new()), USUAL);
    }
}
