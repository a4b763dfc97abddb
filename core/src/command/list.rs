//! A question after active subscriptions, and its answer (draft-08, "Subscription API").

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LINK, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::terms::event_id::EventId;
use crate::terms::generation::Generation;
use crate::terms::hub_url::HubUrl;
use crate::terms::subscription::{ActiveSubscription, Scope, records};
use crate::wire::answer::{Answer, respond};
use crate::wire::cors::Cors;
use crate::wire::refusal::Refusal;
use crate::wire::{discovery, subscription, unavailable};

/// How many subscriptions one document holds at most,
const PAGE: usize = 1_000;

/// and how many bytes their texts may have, unless it is one.
const PAGE_SIZE: usize = 1 << 20;

/// A question after active subscriptions, from someone who may read them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    pub(crate) scope: Scope,
    /// In whose shape it is answered, and whose subscriptions it lists.
    pub(crate) generation: Generation,
    pub(crate) hub: HubUrl,
    /// The page that is asked for: what the store said of the one before.
    pub(crate) after: Option<String>,
    /// The entity tags that its sender knows.
    pub(crate) known: Option<String>,
    pub(crate) cors: Cors,
}

/// What a store holds of what was asked for, at one moment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Listing {
    newest: Option<EventId>,
    generation: Generation,
    #[serde(with = "records")]
    subscriptions: Vec<ActiveSubscription>,
    #[serde(skip)]
    size: usize,
    /// Where the last one is.
    #[serde(skip)]
    last: String,
    next: Option<String>,
}

impl List {
    /// The topics of the subscriptions that are asked for: those from the first on, and less than the
    /// second, byte by byte.
    #[must_use]
    pub fn topics(&self) -> [String; 2] {
        let path = self.scope.path(self.hub.path());
        // In a path that is encoded, nothing that may follow is less than `!`, and `0` follows `/`.
        match self.scope {
            Scope::All | Scope::Matcher(..) => [format!("{path}/"), format!("{path}0")],
            Scope::One(..) => [path.clone(), format!("{path}!")],
        }
    }

    /// The path of the collection that all of them are in; `None` if they are in several.
    #[must_use]
    pub fn collection(&self) -> Option<String> {
        let hub_path = self.hub.path();
        match &self.scope {
            Scope::All => None,
            Scope::Matcher(..) => Some(self.scope.path(hub_path)),
            Scope::One(match_type, matcher, _) => {
                Some(Scope::Matcher(*match_type, matcher.clone()).path(hub_path))
            }
        }
    }

    /// The mark behind which the page begins that is asked for, if it is not the first: see
    /// [`Listing::offer`].
    #[must_use]
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// The same question of someone who knows no earlier answer, for a platform that cannot send a
    /// 304, which has no body.
    #[must_use]
    pub fn unconditional(self) -> Self {
        Self { known: None, ..self }
    }

    /// A listing that is still empty, for a log whose newest event is this one, if it has any.
    #[must_use]
    pub fn begin(&self, newest: Option<EventId>) -> Listing {
        Listing {
            newest,
            generation: self.generation,
            subscriptions: Vec::new(),
            size: 0,
            last: String::new(),
            next: None,
        }
    }

    /// The answer.
    #[must_use]
    pub fn answer(&self, listing: &Listing) -> Answer {
        let Listing { newest, subscriptions, next, .. } = listing;
        let newest = newest.as_ref();
        let path = self.scope.path(self.hub.path());
        let body = match &self.scope {
            Scope::One(..) => match subscriptions.first() {
                Some(subscription) => subscription::one(subscription, newest),
                None => return Refusal::NoSubscription.into_answer(&self.cors),
            },
            Scope::All | Scope::Matcher(..) => {
                let id = match &self.after {
                    Some(after) => format!("{path}?after={after}"),
                    None => path.clone(),
                };
                subscription::several(&id, self.generation, subscriptions, newest)
            }
        };
        let mut headers = HeaderMap::new();
        let cursor = subscription::cursor(newest);
        headers.extend(
            discovery::subscriptions(&self.hub, cursor, self.generation).map(|it| (LINK, it)),
        );
        if let Some(next) = next {
            headers.extend(discovery::next(&self.hub, &path, next).map(|it| (LINK, it)));
        }
        // It may be read by some and not by others, and changes when somebody comes or goes.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        let tag = tag(&body);
        headers.extend(HeaderValue::try_from(&tag).map(|tag| (ETAG, tag)));
        let mut known = self.known.iter().flat_map(|known| known.split(','));
        let mut response = if known.any(|known| known.trim().trim_start_matches("W/") == tag) {
            respond(StatusCode::NOT_MODIFIED, headers, Vec::new(), &self.cors)
        } else {
            let content_type = HeaderValue::from_static(content_type(self.generation));
            headers.insert(CONTENT_TYPE, content_type);
            respond(StatusCode::OK, headers, body.into_bytes(), &self.cors)
        };
        if self.scope.generation().is_none() {
            // It is in the shape of the token (RFC 9110, section 12.5.5).
            response.headers_mut().append(VARY, HeaderValue::from_static("Authorization, Cookie"));
        }
        response.into()
    }

    /// The answer to a mark that the store did not make.
    #[must_use]
    pub fn unknown_page(&self) -> Answer {
        let sentence = "The parameter `after` is not of this hub; begin without it, and follow the link to the next page.";
        Refusal::Malformed(sentence.into()).into_answer(&self.cors)
    }

    /// The answer when it cannot be answered just now.
    #[must_use]
    pub fn unavailable(&self) -> Answer {
        unavailable::unavailable(&self.cors)
    }
}

/// The entity tag of a document: of what it says, and of nothing else. Two documents may be at one URL
/// after the same event: one of each generation, or one from before and one from after a hub was killed.
fn tag(document: &str) -> String {
    let digest = Sha256::digest(document);
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..16]))
}

/// The media type of a generation's documents.
pub(crate) fn content_type(generation: Generation) -> &'static str {
    match generation {
        Generation::V0 => "application/ld+json",
        Generation::V1 => "application/json",
    }
}

impl Listing {
    /// Offers a subscription, and where it is: a mark of the store's own, which it will be asked
    /// about for the next page. Returns whether more may be offered.
    pub fn offer(&mut self, subscription: ActiveSubscription, mark: impl Into<String>) -> bool {
        if subscription.match_type.generation() != self.generation {
            return true;
        }
        let size = subscription.topic.len() + subscription.record().len();
        let fits = self.subscriptions.len() < PAGE && self.size + size <= PAGE_SIZE;
        if !fits && !self.subscriptions.is_empty() {
            self.next = Some(std::mem::take(&mut self.last));
            return false;
        }
        self.size += size;
        self.last = mark.into();
        self.subscriptions.push(subscription);
        true
    }
}
