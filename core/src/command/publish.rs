//! Publications: from a form to an update, and the answer to the publisher.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::terms::event_id::{EventId, InvalidEventId};
use crate::terms::event_type::{EventType, InvalidEventType};
use crate::terms::hub_url::HubUrl;
use crate::terms::topic::{InvalidTopic, Topic};
use crate::terms::update::Update;
use crate::wire::answer::{Response, respond};
use crate::wire::cors::Cors;
use crate::wire::form;
use crate::wire::refusal::Refusal;
use crate::wire::sse;

/// An update that its publisher may publish, on its way to the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publish {
    pub(crate) update: Update,
    pub(crate) cors: Cors,
}

impl Publish {
    /// The update to append.
    #[must_use]
    pub fn update(&self) -> &Update {
        &self.update
    }

    /// Gives up the update.
    #[must_use]
    pub fn into_update(self) -> Update {
        self.update
    }

    /// The answer once the update is durable: its id, and nothing else (draft-08, "Publication").
    #[must_use]
    pub fn accepted(&self) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        let id = self.update.id.as_str().as_bytes().to_vec();
        respond(StatusCode::OK, headers, id, &self.cors)
    }

    /// The answer when the update is larger than the log can hold.
    #[must_use]
    pub fn too_large(&self, bytes: usize, limit: usize) -> Response {
        let sentence = format!(
            "The update takes {bytes} bytes in the hub's log, and {limit} are allowed; publish less, or a link to it."
        );
        Refusal::TooLarge(sentence).into_answer(&self.cors).response
    }

    /// The answer when the log will not take this update, nor another, until its owner has looked
    /// after it.
    #[must_use]
    pub fn refused(&self) -> Response {
        Refusal::BrokenLog.into_answer(&self.cors).response
    }
}

/// Reads the fields of a publication (draft-08, "Publication").
///
/// # Errors
///
/// The first field that breaks a rule. Fields that are not known are ignored, as the law has it.
pub(crate) fn read(
    body: &[u8],
    config: &Config,
    hub: &HubUrl,
    random: [u8; 16],
) -> Result<Update, Refusal> {
    let fields = Fields::collect(body, config)?;
    let topics = topics(&fields.topics, config, hub)?;
    // An id with spaces at its ends would not come back whole in `Last-Event-ID`; the law lets the
    // hub use one of its own.
    let own = fields.id.filter(|id| !id.is_empty() && id.trim_matches(' ') == id);
    let targets = each_once("target", &fields.targets, config, Topic::target)?;
    let update = Update {
        unique_id: own.is_none(),
        id: match own {
            Some(id) => EventId::parse(&id).map_err(wrong_id)?,
            None => EventId::from_random(random),
        },
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
    let framed = sse::update(&update).len();
    if framed > config.max_update_size {
        return Err(Refusal::TooLarge(format!(
            "The update takes {framed} bytes in an event stream, and {} are allowed; publish less, or a link to it.",
            config.max_update_size
        )));
    }
    Ok(update)
}

/// The fields as they came: of those that count once, the first.
#[derive(Default)]
struct Fields {
    topics: Vec<String>,
    targets: Vec<String>,
    data: Option<String>,
    private: bool,
    id: Option<String>,
    event_type: Option<String>,
    retry: Option<String>,
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
                // Presence is everything, whatever the value; `private[]` is what PHP makes of
                // a list, and its senders mean it.
                "private" | "private[]" => {
                    fields.private = true;
                    continue;
                }
                // Without TARGETS it is a field that is not known, as in all hubs since 0.10. An
                // empty one never restricted anything.
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

/// What a field holds that may come more than once, each value once; empty ones are dropped.
fn each_once(
    name: &str,
    texts: &[String],
    config: &Config,
    parse: impl Fn(&str) -> Result<Topic, InvalidTopic>,
) -> Result<Vec<Topic>, Refusal> {
    let mut parsed: Vec<Topic> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
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
        parsed.push(parse(text).map_err(|error| wrong_topic(name, error))?);
    }
    Ok(parsed)
}

/// Only ASCII digits (draft-08), and no more milliseconds than browsers can count.
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
