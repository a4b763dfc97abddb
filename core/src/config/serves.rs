//! What one deployment serves of the hub, and to whom.
//!
//! A hub may be deployed as two functions, so that streams cannot starve publishers: each answers
//! its own methods alone. And it may stand behind a content delivery network that alone is to reach
//! it: that one sends a secret along, and makes one URL of the functions.

use crate::config::Config;
use crate::wire::refusal::Refusal;
use crate::wire::request::Request;

/// The field in which whoever stands in front of the hub sends its secret.
const FIELD: &str = "x-origin-verify";

/// Which part of the hub a deployment serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Serves {
    Both,
    Publish,
    Subscribe,
}

impl Serves {
    fn methods(self) -> &'static str {
        match self {
            Self::Both => "GET, HEAD, QUERY, POST, OPTIONS",
            Self::Publish => "POST, OPTIONS",
            Self::Subscribe => "GET, HEAD, QUERY, OPTIONS",
        }
    }

    pub(crate) fn publishes(self) -> bool {
        self != Self::Subscribe
    }

    pub(crate) fn subscribes(self) -> bool {
        self != Self::Publish
    }
}

/// The methods of the hub's path, as clients see it.
pub(crate) fn methods(config: &Config) -> &'static str {
    match config.origin_secret {
        Some(_) => Serves::Both.methods(),
        None => config.serves.methods(),
    }
}

/// Refuses a request that came past whoever stands in front of the hub.
pub(crate) fn check_origin(request: &Request, config: &Config) -> Result<(), Refusal> {
    let Some(secret) = &config.origin_secret else { return Ok(()) };
    if request.header_values(FIELD).any(|value| is_equal(value, secret.as_bytes())) {
        Ok(())
    } else {
        Err(Refusal::Bypass)
    }
}

/// Compares in a time that does not tell where two texts of one length differ.
fn is_equal(given: &[u8], secret: &[u8]) -> bool {
    let differences = given.iter().zip(secret).fold(0, |all, (a, b)| all | (a ^ b));
    std::hint::black_box(differences) == 0 && given.len() == secret.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::config;
    use crate::{Admission, Step, Timestamp, admit};

    const HUB: &str = "https://hub.example/.well-known/mercure";

    fn answer(config: &Config, method: &str, fields: &[(&str, &str)]) -> (u16, String) {
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        let request = Request::new(method, &format!("{HUB}?match=a"), fields);
        match admit(&request, config, Timestamp::from_millis(1), &[0; 32]) {
            Step::Done(Admission::Answer(answer)) => {
                let allow = answer.response.headers().get("allow");
                let allow = allow.map(|allow| allow.to_str().unwrap().to_owned());
                (answer.response.status().as_u16(), allow.unwrap_or_default())
            }
            _ => (200, String::new()),
        }
    }

    #[test]
    fn each_part_answers_its_own_methods() {
        let publish = config(&[("SERVES", "publish"), ("ANONYMOUS", "1")]);
        assert_eq!(answer(&publish, "GET", &[]), (405, "POST, OPTIONS".into()));
        assert_eq!(answer(&publish, "HEAD", &[]), (405, "POST, OPTIONS".into()));
        assert_eq!(answer(&publish, "POST", &[]).0, 401);
        let subscribe = config(&[("SERVES", "subscribe"), ("ANONYMOUS", "1")]);
        assert_eq!(answer(&subscribe, "POST", &[]), (405, "GET, HEAD, QUERY, OPTIONS".into()));
        assert_eq!(answer(&subscribe, "GET", &[]).0, 200);
    }

    #[test]
    fn behind_one_url_the_parts_are_one_hub() {
        let secret = ("ORIGIN_SECRET", "a secret of the front");
        let subscribe = config(&[("SERVES", "subscribe"), secret]);
        let answer = answer(&subscribe, "PUT", &[("X-Origin-Verify", secret.1)]);
        assert_eq!(answer, (405, "GET, HEAD, QUERY, POST, OPTIONS".into()));
    }

    #[test]
    fn whoever_comes_past_the_front_is_refused() {
        let config = config(&[("ORIGIN_SECRET", "a secret of the front"), ("ANONYMOUS", "1")]);
        assert_eq!(answer(&config, "GET", &[]).0, 403);
        for wrong in ["", "a secret", "a secret of the frost", "a secret of the front door"] {
            assert_eq!(answer(&config, "GET", &[("X-Origin-Verify", wrong)]).0, 403, "{wrong}");
        }
        let right = [("X-Origin-Verify", "a secret of the front")];
        assert_eq!(answer(&config, "GET", &right).0, 200);
        assert_eq!(answer(&config, "POST", &[]).0, 403);
    }
}
