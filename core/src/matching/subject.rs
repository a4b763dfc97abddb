//! An update's topics, in the form that matchers use.

use std::cell::RefCell;
use std::rc::Rc;

use crate::matching::effort::{Effort, TRY_EFFORT};
use crate::matching::template::{Scan, Template};
use crate::matching::url_pattern::ParsedTopic;
use crate::terms::hub_url::HubUrl;
use crate::terms::topic::Topic;
use crate::terms::update::{StoredUpdate, Update};

/// The topics of one update: their texts and, once a pattern needs them, the URLs that they resolve
/// to. Each is resolved once per hub URL, and scanned once for templates, however many matchers
/// look at it.
pub(crate) struct Subject<'a> {
    topics: Vec<&'a str>,
    /// If there are any: what must be granted instead of the topics.
    targets: Option<Box<Self>>,
    resolved: RefCell<Vec<(HubUrl, Rc<Resolved>)>>,
    /// The topic that was scanned last, by its index. One is enough: templates are tried topic by
    /// topic, and a scan is much larger than a topic.
    scanned: RefCell<Option<(usize, Rc<Scan<'a>>)>>,
    effort: Effort,
}

/// What scanning a topic takes for each of its bytes; and resolving it.
const SCAN_EFFORT: usize = 8;

/// What resolving a topic takes besides, however short it is.
const RESOLVE_EFFORT: usize = 512;

/// Topics that parse as URL references; patterns match nothing else.
type Resolved = [Option<ParsedTopic>];

impl<'a> Subject<'a> {
    pub(crate) fn new(topics: impl Iterator<Item = &'a str>) -> Self {
        Self {
            topics: topics.collect(),
            targets: None,
            resolved: RefCell::default(),
            scanned: RefCell::default(),
            effort: Effort::default(),
        }
    }

    /// The topics and targets of an update.
    pub(crate) fn of(update: &'a Update) -> Self {
        Self::new(update.topics().iter().map(Topic::as_str))
            .for_targets(update.targets().iter().map(Topic::as_str))
    }

    /// The same for an update that a log keeps, without restoring it.
    pub(crate) fn of_stored(stored: &'a StoredUpdate) -> Self {
        Self::new(stored.each_topic()).for_targets(stored.each_target())
    }

    /// The same subject, restricted to these targets, if any.
    fn for_targets(self, targets: impl Iterator<Item = &'a str>) -> Self {
        let targets = Self { effort: self.effort.clone(), ..Self::new(targets) };
        let targets = (!targets.topics.is_empty()).then(|| Box::new(targets));
        Self { targets, ..self }
    }

    /// If the update is private, its readers must be granted one of these: its topics (draft-08,
    /// "Subscribers") or, as in the protocol's first years, its targets.
    pub(crate) fn audience(&self) -> &Self {
        self.targets.as_deref().unwrap_or(self)
    }

    /// What matching it has taken so far.
    pub(crate) fn effort(&self) -> &Effort {
        &self.effort
    }

    pub(crate) fn topics(&self) -> &[&'a str] {
        &self.topics
    }

    /// The topics, resolved against a hub's URL. Counts what that takes.
    pub(crate) fn resolved(&self, hub: &HubUrl) -> Rc<Resolved> {
        let mut resolved = self.resolved.borrow_mut();
        if let Some((_, topics)) = resolved.iter().find(|(base, _)| base == hub) {
            return Rc::clone(topics);
        }
        let resolve = |topic: &&str| {
            self.effort.spend(RESOLVE_EFFORT + topic.len() * SCAN_EFFORT);
            ParsedTopic::new(topic, hub)
        };
        let topics: Rc<Resolved> = self.topics.iter().map(resolve).collect();
        resolved.push((hub.clone(), Rc::clone(&topics)));
        topics
    }

    /// Whether a template selects the topic at an index.
    pub(crate) fn is_selected_by(&self, template: &Template, index: usize) -> bool {
        self.topics.get(index).is_some_and(|topic| {
            self.effort.spend(TRY_EFFORT);
            template.selects(topic, || {
                let literals = template.len() / u64::BITS as usize;
                self.effort.spend((template.cost() + literals) * topic.len());
                let mut scanned = self.scanned.borrow_mut();
                match &*scanned {
                    Some((scanned, topic)) if *scanned == index => Rc::clone(topic),
                    _ => {
                        self.effort.spend(topic.len() * SCAN_EFFORT);
                        let topic = Rc::new(Scan::new(topic));
                        *scanned = Some((index, Rc::clone(&topic)));
                        topic
                    }
                }
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_the_audience_of_a_stored_update() {
        let stored = |targets: &str| StoredUpdate {
            id: "urn:a".into(),
            topics: "a\nb".into(),
            targets: targets.into(),
            data: String::new(),
            private: true,
            event_type: None,
            retry: None,
        };
        let without = stored("");
        assert_eq!(Subject::of_stored(&without).audience().topics(), ["a", "b"]);
        let with = stored("/users/1\n/users/2");
        let subject = Subject::of_stored(&with);
        assert_eq!(subject.topics(), ["a", "b"]);
        assert_eq!(subject.audience().topics(), ["/users/1", "/users/2"]);
    }
}
