//! Which streams want an update.
//!
//! An index from matchers to the streams that have them, so that choosing the streams of an update
//! costs what the matching ones cost, however many others there are.

mod beginnings;
mod patterns;

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::matching::index::beginnings::Beginnings;
use crate::matching::index::patterns::PatternIndex;
use crate::matching::matcher::Matcher;
use crate::matching::matchers::Matchers;
use crate::matching::subject::Subject;
use crate::matching::template::Template;
use crate::terms::hub_url::HubUrl;

/// How many different hub URLs the patterns of an index may be relative to. Topics are resolved
/// once for each, and clients of a hub that is not told its own URL choose it, from all hosts at
/// which the hub answers.
const MAX_HUB_URLS: usize = 64;

/// Streams, or whatever `Id` identifies, by what they match.
#[derive(Debug)]
pub(crate) struct Index<Id> {
    every: BTreeSet<Id>,
    exact: BTreeMap<Arc<str>, BTreeSet<Id>>,
    /// By the hub URL that topics are resolved against; usually there is just one.
    patterns: BTreeMap<HubUrl, PatternIndex<Id>>,
    /// By the prefix of every topic that a template selects.
    templates: Beginnings<BTreeMap<Template, BTreeSet<Id>>>,
}

/// Whom an update is for.
#[derive(Debug)]
pub(crate) struct Selection<Id> {
    /// In order, each once.
    pub(crate) ids: Vec<Id>,
    /// Those of whom that could not be told with the effort that was allowed; in order, each once.
    pub(crate) undecided: Vec<Id>,
}

impl<Id: Copy + Ord> Selection<Id> {
    /// Adds those who have one matcher, if it selects the update, or if that was not tried.
    fn add(&mut self, ids: &BTreeSet<Id>, selects: Option<bool>) {
        match selects {
            Some(true) => self.ids.extend(ids),
            Some(false) => {}
            None => self.undecided.extend(ids),
        }
    }
}

// Deriving it would require `Id: Default`.
impl<Id> Default for Index<Id> {
    fn default() -> Self {
        Self {
            every: BTreeSet::new(),
            exact: BTreeMap::new(),
            patterns: BTreeMap::new(),
            templates: Beginnings::default(),
        }
    }
}

impl<Id: Copy + Ord> Index<Id> {
    /// Whether these matchers may be inserted: the hub URL that their patterns are relative to is
    /// already known, or there is room for another.
    pub(crate) fn has_room_for(&self, matchers: &Matchers, hub: &HubUrl) -> bool {
        self.patterns.len() < MAX_HUB_URLS
            || self.patterns.contains_key(hub)
            || !matchers.have_patterns()
    }

    /// Gives `id` its matchers, with patterns that are already here replaced by shared ones.
    pub(crate) fn insert(&mut self, id: Id, matchers: &mut Matchers, hub: &HubUrl) {
        for matcher in matchers.iter() {
            match matcher {
                Matcher::Every => self.every.insert(id),
                Matcher::Exact(topic) => {
                    self.exact.entry(Arc::clone(topic)).or_default().insert(id)
                }
                Matcher::Template(template) => {
                    let templates = self.templates.entry(template.prefix());
                    templates.entry(template.clone()).or_default().insert(id)
                }
                Matcher::Pattern(_) => continue,
            };
        }
        matchers.share_patterns(|pattern| {
            self.patterns.entry(hub.clone()).or_default().insert(pattern, id)
        });
    }

    pub(crate) fn remove(&mut self, id: Id, matchers: &Matchers, hub: &HubUrl) {
        for matcher in matchers.iter() {
            match matcher {
                Matcher::Every => {
                    self.every.remove(&id);
                }
                Matcher::Exact(topic) => remove_from(&mut self.exact, topic, id),
                Matcher::Template(template) => {
                    if let Some(templates) = self.templates.get_mut(template.prefix()) {
                        remove_from(templates, template, id);
                        if templates.is_empty() {
                            self.templates.remove(template.prefix());
                        }
                    }
                }
                Matcher::Pattern(pattern) => {
                    if let Some(index) = self.patterns.get_mut(hub) {
                        index.remove(pattern, id);
                        if index.is_empty() {
                            self.patterns.remove(hub);
                        }
                    }
                }
            }
        }
    }

    /// Every id with a matcher for any of these topics, as far as this much effort tells.
    ///
    /// The costly patterns are tried last, so that they alone are left undecided unless there are
    /// very many of the others.
    pub(crate) fn select(&self, subject: &Subject<'_>, effort: usize) -> Selection<Id> {
        let ids = self.every.iter().copied().collect();
        let mut selection = Selection { ids, undecided: Vec::new() };
        for topic in subject.topics() {
            selection.ids.extend(self.exact.get(*topic).into_iter().flatten());
        }
        let is_left = || subject.effort().spent() < effort;
        let costly_are_left = self.select_patterns(&mut selection, subject, is_left, false);
        for (index, topic) in subject.topics().iter().enumerate() {
            for (template, ids) in self.candidates(topic) {
                let selects = || subject.is_selected_by(template, index);
                selection.add(ids, is_left().then(selects));
            }
        }
        if costly_are_left {
            self.select_patterns(&mut selection, subject, is_left, true);
        }
        let Selection { ids, undecided } = &mut selection;
        for ids in [&mut *ids, &mut *undecided] {
            // The ids of each matcher are in order, and often there is but one that selects.
            ids.sort();
            ids.dedup();
        }
        undecided.retain(|id| ids.binary_search(id).is_err());
        selection
    }

    /// Tries the costly patterns, or the others. Returns whether there are any besides.
    fn select_patterns(
        &self,
        selection: &mut Selection<Id>,
        subject: &Subject<'_>,
        is_left: impl Fn() -> bool,
        costly: bool,
    ) -> bool {
        let mut are_left = false;
        for (hub, index) in &self.patterns {
            for topic in subject.resolved(hub).iter().flatten() {
                let mut candidates = index.candidates(topic);
                let all = candidates.len();
                candidates.retain(|(pattern, _)| (pattern.cost() > 0) == costly);
                are_left |= candidates.len() < all;
                candidates.sort_by_key(|(pattern, _)| pattern.cost());
                for (pattern, ids) in candidates {
                    let selects = || pattern.selects(topic, subject.effort());
                    selection.add(ids, is_left().then(selects));
                }
            }
        }
        are_left
    }

    /// The templates that agree with a topic up to their first expression: only these are matched.
    fn candidates(&self, topic: &str) -> impl Iterator<Item = (&Template, &BTreeSet<Id>)> {
        self.templates.of(topic).flatten()
    }
}

fn remove_from<Id: Ord, K: Ord + Borrow<Q>, Q: Ord + ?Sized>(
    index: &mut BTreeMap<K, BTreeSet<Id>>,
    key: &Q,
    id: Id,
) {
    if let Some(ids) = index.get_mut(key) {
        ids.remove(&id);
        if ids.is_empty() {
            index.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::effort::STEP_EFFORT;

    fn hub() -> HubUrl {
        HubUrl::parse("https://hub.example/.well-known/mercure").unwrap()
    }

    fn matchers() -> Matchers {
        let exact = ["a", "b"].map(|topic| Matcher::exact(topic).unwrap());
        let others = [
            Matcher::url_pattern("https://example.com/:id", &hub()).unwrap(),
            Matcher::selector("/books/{id}").unwrap(),
        ];
        exact.into_iter().chain(others).collect()
    }

    fn select(index: &Index<u64>, topics: &[&str]) -> Vec<u64> {
        let selection = index.select(&Subject::new(topics.iter().copied()), usize::MAX);
        assert!(selection.undecided.is_empty());
        selection.ids.into_iter().collect()
    }

    #[test]
    fn each_matching_stream_once() {
        let mut index = Index::default();
        index.insert(1, &mut matchers(), &hub());
        let mut every = [Matcher::Every, Matcher::exact("a").unwrap()].into_iter().collect();
        index.insert(2, &mut every, &hub());
        let mut other = [Matcher::exact("c").unwrap()].into_iter().collect();
        index.insert(3, &mut other, &hub());
        assert_eq!(select(&index, &["a", "b"]), [1, 2]);
        assert_eq!(select(&index, &["https://example.com/1"]), [1, 2]);
        assert_eq!(select(&index, &["/books/1"]), [1, 2]);
        assert_eq!(select(&index, &["x"]), [2]);
    }

    #[test]
    fn templates_that_begin_otherwise_are_not_asked() {
        let mut index = Index::default();
        for number in 0..2_000 {
            let template = Matcher::selector(&format!("/users/{number}/{{+rest}}")).unwrap();
            let mut matchers = [template].into_iter().collect();
            index.insert(number, &mut matchers, &hub());
        }
        let asked: Vec<String> = index
            .candidates("/users/7/books")
            .map(|(template, _)| format!("{template:?}"))
            .collect();
        assert_eq!(asked, [r#"Template("/users/7/{+rest}")"#]);
        assert_eq!(select(&index, &["/users/7/books", "/users/1999/"]), [7, 1999]);
        assert!(select(&index, &["/users/70000/books", "/users/"]).is_empty());
    }

    /// Counted, not timed.
    #[test]
    fn effort_is_bounded_and_the_costly_are_left_undecided() {
        let mut index = Index::default();
        let mut insert = |id, pattern: &str| {
            let pattern = Matcher::url_pattern(pattern, &hub()).unwrap();
            index.insert(id, &mut [pattern].into_iter().collect(), &hub());
        };
        insert(1, "/:any");
        for id in 2..12 {
            insert(id, &format!("/([a-z]*a[a-z]{{100}}[b-z]{{{id}}})"));
        }
        let topics: Vec<String> =
            (0..20).map(|number| format!("/{}{number}", "a".repeat(500))).collect();
        let subject = Subject::new(topics.iter().map(String::as_str));
        let effort = 1_000_000;
        let selection = index.select(&subject, effort);
        let one_more = 120 * STEP_EFFORT * topics[19].len();
        assert!((effort..effort + one_more).contains(&subject.effort().spent()));
        assert_eq!(selection.ids, [1]);
        assert_eq!(selection.undecided, (2..12).collect::<Vec<_>>());
        // With more, all of it is told.
        let selection = index.select(&Subject::new(topics.iter().map(String::as_str)), usize::MAX);
        assert_eq!((selection.ids, selection.undecided), (vec![1], vec![]));
    }

    #[test]
    fn equal_patterns_are_shared() {
        let mut index = Index::default();
        let (mut one, mut other) = (matchers(), matchers());
        index.insert(1, &mut one, &hub());
        index.insert(2, &mut other, &hub());
        let pattern = |matchers: &Matchers| {
            matchers.iter().find_map(|matcher| match matcher {
                Matcher::Pattern(pattern) => Some(pattern.clone()),
                _ => None,
            })
        };
        assert!(pattern(&one).unwrap().is_same(&pattern(&other).unwrap()));
    }

    #[test]
    fn clients_do_not_choose_how_many_hosts_there_are() {
        let hosts = (0..MAX_HUB_URLS as u64).map(|number| {
            (number, HubUrl::parse(&format!("https://{number}.example/hub")).unwrap())
        });
        let mut index = Index::default();
        for (number, host) in hosts {
            assert!(index.has_room_for(&matchers(), &host));
            index.insert(number, &mut matchers(), &host);
        }
        let known = HubUrl::parse("https://7.example/hub").unwrap();
        assert!(index.has_room_for(&matchers(), &known));
        assert!(!index.has_room_for(&matchers(), &hub()));
        // Without patterns, nothing is relative to the hub's URL.
        let exact = [Matcher::exact("a").unwrap()].into_iter().collect();
        assert!(index.has_room_for(&exact, &hub()));
        index.remove(3, &matchers(), &HubUrl::parse("https://3.example/hub").unwrap());
        assert!(index.has_room_for(&matchers(), &hub()));
    }

    #[test]
    fn nothing_is_left_of_a_stream_that_went() {
        let mut index = Index::default();
        let mut matchers = matchers();
        matchers.insert(Matcher::Every);
        index.insert(1, &mut matchers, &hub());
        index.remove(1, &matchers, &hub());
        assert!(index.every.is_empty() && index.exact.is_empty());
        assert!(index.patterns.is_empty() && index.templates.is_empty());
    }
}
