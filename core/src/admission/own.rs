//! What the process that holds a hub publishes itself.

use crate::admission::publication::{self, Fields};
use crate::config::Config;
use crate::terms::hub_url::HubUrl;
use crate::terms::update::Update;

/// An update that a process publishes to its own hub. It needs no token, and keeps to every other
/// rule of publications.
///
/// ```
/// use cinnabar_core::OwnPublication;
///
/// let public = OwnPublication::new("https://example.com/books/1", "{}");
/// let private = OwnPublication { private: true, ..public };
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnPublication {
    /// The canonical topic, then the alternate ones.
    pub topics: Vec<String>,
    /// The content.
    pub data: String,
    /// Whether it is only for subscribers to whom one of its topics was granted.
    pub private: bool,
    /// Its id; without one, the hub makes one.
    pub id: Option<String>,
    /// The type of its event.
    pub event_type: Option<String>,
    /// The reconnection time that its readers are told, in milliseconds.
    pub retry: Option<u32>,
}

/// Which rule it broke, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidPublication(String);

impl OwnPublication {
    /// A public update of one topic.
    #[must_use]
    pub fn new(topic: impl Into<String>, data: impl Into<String>) -> Self {
        Self { topics: vec![topic.into()], data: data.into(), ..Self::default() }
    }

    /// The update, if it keeps to the rules. `entropy` must be fresh random bytes, for its id.
    ///
    /// # Errors
    ///
    /// The first rule that it breaks.
    pub fn into_update(
        self,
        config: &Config,
        entropy: &[u8; 16],
    ) -> Result<Update, InvalidPublication> {
        let Self { topics, data, private, id, event_type, retry } = self;
        let retry = retry.map(|millis| millis.to_string());
        let data = Some(data);
        let fields = Fields { topics, targets: Vec::new(), data, private, id, event_type, retry };
        let own;
        let hub = match &config.hub_url {
            Some(hub) => hub,
            None => {
                // Whatever its host: it is the path that tells what is reserved.
                own = HubUrl::at_origin("http://localhost")
                    .map_err(|error| InvalidPublication(error.to_string()))?;
                &own
            }
        };
        publication::assemble(fields, config, hub, *entropy)
            .map(|(update, _)| update)
            .map_err(|refusal| InvalidPublication(refusal.sentence()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Platform;

    fn config() -> Config {
        let variables = [("MERCURE_PUBLISHER_JWT_KEY", "k".repeat(32)), ("ANONYMOUS", "1".into())];
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        Config::read(&Platform::new("a test"), variables).unwrap()
    }

    #[test]
    fn a_process_publishes_by_the_rules_of_publications() {
        let own = OwnPublication {
            private: true,
            id: Some("urn:1".into()),
            event_type: Some("ping".into()),
            retry: Some(7),
            ..OwnPublication::new("/books/1", "{}")
        };
        let update = own.clone().into_update(&config(), &[7; 16]).unwrap();
        let stored = update.store();
        assert_eq!((stored.id.as_str(), stored.topics.as_str()), ("urn:1", "/books/1"));
        assert_eq!((stored.data.as_str(), stored.private), ("{}", true));
        assert_eq!((stored.event_type.as_deref(), stored.retry), (Some("ping"), Some(7)));
        let made = OwnPublication { id: None, ..own.clone() };
        let made = made.into_update(&config(), &[7; 16]).unwrap();
        assert!(made.id().as_str().starts_with("urn:uuid:"));
        for wrong in [
            OwnPublication::default(),
            OwnPublication { id: Some("a\nb".into()), ..own.clone() },
            OwnPublication { event_type: Some("a\nb".into()), ..own.clone() },
            OwnPublication { retry: Some(u32::MAX), ..own.clone() },
            OwnPublication { data: "\n".repeat(1 << 20), ..own.clone() },
            OwnPublication::new("/.well-known/mercure/subscriptions/a/b", ""),
        ] {
            let error = wrong.clone().into_update(&config(), &[7; 16]).unwrap_err();
            assert!(error.to_string().ends_with('.'), "{wrong:?}: {error}");
        }
    }
}
