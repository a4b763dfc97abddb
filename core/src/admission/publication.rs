//! Publications: from a form to an update that its publisher may publish.

use std::collections::BTreeSet;

use crate::admission::route::Routed;
use crate::authorization::token::Token;
use crate::command::publish::{IdOrigin, Publish};
use crate::command::quota::Quota;
use crate::config::Config;
use crate::limits::MAX_TOPICS_LENGTH;
use crate::terms::event_id::{EventId, InvalidEventId};
use crate::terms::event_type::{EventType, InvalidEventType};
use crate::terms::hub_url::HubUrl;
use crate::terms::topic::{InvalidTopic, Topic};
use crate::terms::update::Update;
use crate::wire::form;
use crate::wire::refusal::Refusal;
use crate::wire::{retry, sse};

/// Reads a publication that `token` comes with (draft-08, "Publication").
///
/// # Errors
///
/// The first field that breaks a rule, or the first topic that the token does not grant.
pub(super) fn read(routed: &Routed<'_>, token: &Token, body: &[u8]) -> Result<Publish, Refusal> {
    let Routed { config, hub, cors, random, .. } = routed;
    let (update, id_origin) = update(body, config, hub, random.for_update())?;
    check_grants(&update, token, config, hub)?;
    let most = config.max_publications_per_second;
    let quota = most.map(|most| Quota { account: token.account, most });
    Ok(Publish { update: update.into(), id_origin, quota, cors: cors.clone() })
}

fn check_grants(
    update: &Update,
    token: &Token,
    config: &Config,
    hub: &HubUrl,
) -> Result<(), Refusal> {
    if token.publishes_ungranted(update, config) {
        return Ok(());
    }
    // Targets are of the protocol's first years: each must be granted as well, and a grant of a
    // target does not grant a topic.
    let topics = update.topics().iter().chain(update.targets());
    match token.grants.refuses(topics, hub) {
        None => Ok(()),
        Some(topic) => Err(Refusal::InsufficientScope(format!(
            "The access token does not grant publishing to `{topic}`."
        ))),
    }
}

/// Reads the fields of a form. Unknown ones are ignored, as the specification asks.
fn update(
    body: &[u8],
    config: &Config,
    hub: &HubUrl,
    random: [u8; 16],
) -> Result<(Update, IdOrigin), Refusal> {
    assemble(Fields::collect(body, config)?, config, hub, random)
}

/// Makes an update of fields, if each keeps to its rules.
pub(super) fn assemble(
    fields: Fields,
    config: &Config,
    hub: &HubUrl,
    random: [u8; 16],
) -> Result<(Update, IdOrigin), Refusal> {
    let topics = topics(&fields.topics, config, hub)?;
    // An id with spaces at its ends would not come back whole in `Last-Event-ID`; the
    // specification lets the hub use one of its own instead.
    let own = fields.id.filter(|id| !id.is_empty() && id.trim_matches(' ') == id);
    let targets = each_once("target", &fields.targets, config, Topic::target)?;
    let (id, id_origin) = match own {
        Some(id) => (EventId::parse(&id).map_err(wrong_id)?, IdOrigin::Publisher),
        None => (EventId::from_random(random), IdOrigin::Hub),
    };
    let update = Update {
        id,
        data: fields.data.unwrap_or_default(),
        private: fields.private || !targets.is_empty(),
        topics,
        targets,
        event_type: match fields.event_type.filter(|name| !name.is_empty()) {
            Some(name) => Some(EventType::parse(&name).map_err(wrong_type)?),
            None => None,
        },
        retry: match fields.retry.filter(|digits| !digits.is_empty()) {
            Some(digits) => Some(retry(&digits)?),
            None => None,
        },
    };
    let framed = sse::update(&update, retry::least(config.polls())).len();
    if framed > config.max_update_size {
        return Err(Refusal::TooLarge(format!(
            "The update takes {framed} bytes in an event stream, and {} are allowed; publish less, or a link to it.",
            config.max_update_size
        )));
    }
    Ok((update, id_origin))
}

/// The fields as they came; where only one counts, the first.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) topics: Vec<String>,
    pub(super) targets: Vec<String>,
    pub(super) data: Option<String>,
    pub(super) private: bool,
    pub(super) id: Option<String>,
    pub(super) event_type: Option<String>,
    pub(super) retry: Option<String>,
}

impl Fields {
    fn collect(body: &[u8], config: &Config) -> Result<Self, Refusal> {
        let mut fields = Self::default();
        for pair in form::pairs(body) {
            let (Ok(name), Ok(value)) = (pair.name(), pair.value()) else {
                return Err(malformed("The names and values of fields must be UTF-8.".into()));
            };
            let slot = match name {
                "topic" => {
                    fields.topics.push(value.to_owned());
                    continue;
                }
                // Its presence counts, whatever its value. `private[]` is what PHP makes of a
                // list, and those who send it mean it.
                "private" | "private[]" => {
                    fields.private = true;
                    continue;
                }
                // Without TARGETS it is an unknown field, as in all hubs since 0.10. An empty one
                // never restricted anything.
                "target" | "target[]" if config.targets && !value.is_empty() => {
                    fields.targets.push(value.to_owned());
                    continue;
                }
                "data" => &mut fields.data,
                "id" => &mut fields.id,
                "type" => &mut fields.event_type,
                "retry" => &mut fields.retry,
                _ => continue,
            };
            slot.get_or_insert_with(|| value.to_owned());
        }
        Ok(fields)
    }
}

/// The canonical topic, then the alternate ones.
fn topics(texts: &[String], config: &Config, hub: &HubUrl) -> Result<Vec<Topic>, Refusal> {
    let topics = each_once("topic", texts, config, |text| Topic::parse(text, hub))?;
    if topics.is_empty() {
        return Err(malformed("The field `topic` is missing; name at least one topic.".into()));
    }
    Ok(topics)
}

/// The values of a field that may come more than once, without repetitions and empty ones.
fn each_once(
    name: &str,
    texts: &[String],
    config: &Config,
    parse: impl Fn(&str) -> Result<Topic, InvalidTopic>,
) -> Result<Vec<Topic>, Refusal> {
    let mut parsed: Vec<Topic> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut length = 0;
    for text in texts.iter().filter(|text| !text.is_empty()) {
        if !seen.insert(text) {
            continue;
        }
        if parsed.len() == config.max_topics {
            return Err(Refusal::TooLarge(format!(
                "An update may have at most {} fields `{name}`.",
                config.max_topics
            )));
        }
        length += text.len();
        if length > MAX_TOPICS_LENGTH {
            return Err(Refusal::TooLarge(format!(
                "The fields `{name}` of an update may have at most {MAX_TOPICS_LENGTH} bytes together."
            )));
        }
        parsed.push(parse(text).map_err(|error| wrong_topic(name, error))?);
    }
    Ok(parsed)
}

/// Only ASCII digits (draft-08), and no more milliseconds than browsers can wait.
fn retry(digits: &str) -> Result<u32, Refusal> {
    let largest = i32::MAX.unsigned_abs();
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse::<u32>() {
        Ok(millis) if all_digits && millis <= largest => Ok(millis),
        _ => Err(malformed(format!(
            "The field `retry` must be a whole number of milliseconds, at most {largest}."
        ))),
    }
}

fn wrong_topic(name: &str, error: InvalidTopic) -> Refusal {
    let sentence = format!("The field `{name}` {error}.");
    match error {
        InvalidTopic::TooLong => Refusal::TooLarge(sentence),
        _ => malformed(sentence),
    }
}

fn wrong_id(error: InvalidEventId) -> Refusal {
    let sentence = format!("The field `id` {error}.");
    match error {
        InvalidEventId::TooLong => Refusal::TooLarge(sentence),
        _ => malformed(sentence),
    }
}

fn wrong_type(error: InvalidEventType) -> Refusal {
    let sentence = format!("The field `type` {error}.");
    match error {
        InvalidEventType::TooLong => Refusal::TooLarge(sentence),
        _ => malformed(sentence),
    }
}

fn malformed(sentence: String) -> Refusal {
    Refusal::Malformed(sentence)
}
