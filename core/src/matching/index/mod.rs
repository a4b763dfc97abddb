//! Which streams want an update.
//!
//! An index from matchers to the streams that have them, so that choosing the streams of an update
//! costs what the matching ones cost, however many others there are.

mod beginnings;
mod patterns;

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::matching::effort::{Effort, LOOK_EFFORT, REACH_EFFORT};
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
    /// Those with patterns or templates, by the class of the costliest.
    costliest: BTreeMap<Class, BTreeSet<Id>>,
}

/// Whom an update is for.
#[derive(Debug)]
pub(crate) struct Selection<Id> {
    pub(crate) ids: BTreeSet<Id>,
    /// Those of whom that could not be told with the effort that was allowed.
    pub(crate) undecided: BTreeSet<Id>,
}

/// Matchers that cost about the same, and are tried together: the cheap classes come first, so that
/// only the costly ones are left once no effort is.
type Class = u32;

/// The class of a cost. The first holds nearly all matchers that clients send, and each of the few
/// others costs up to four times as much as the one before.
fn class(cost: usize) -> Class {
    (cost / 8).checked_ilog(4).map_or(0, |log| log + 1)
}

/// No effort is left.
struct Spent;

// Deriving it would require `Id: Default`.
impl<Id> Default for Index<Id> {
    fn default() -> Self {
        Self {
            every: BTreeSet::new(),
            exact: BTreeMap::new(),
            patterns: BTreeMap::new(),
            templates: Beginnings::default(),
            costliest: BTreeMap::new(),
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
        if let Some(cost) = matchers.costliest() {
            self.costliest.entry(class(cost)).or_default().insert(id);
        }
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
        if let Some(cost) = matchers.costliest() {
            remove_from(&mut self.costliest, &class(cost), id);
        }
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
    /// Once none is left, nothing more is looked at: all who have a matcher of a class that was not
    /// finished are undecided, unless something else of theirs was found to select the update.
    pub(crate) fn select(&self, subject: &Subject<'_>, effort: usize) -> Selection<Id> {
        let mut ids = self.every.clone();
        for topic in subject.topics() {
            match self.exact.get(*topic) {
                // To copy a set takes a fraction of what inserting its members takes.
                Some(having) if ids.is_empty() => ids.clone_from(having),
                having => ids.extend(having.into_iter().flatten()),
            }
        }
        let mut undecided = BTreeSet::new();
        let mut class = Some(0);
        while let Some(tried) = class {
            class = match self.try_class(tried, subject, effort, &mut ids) {
                Ok(next) => next,
                Err(Spent) => {
                    let all = self.costliest.range(tried..).flat_map(|(_, all)| all);
                    undecided.extend(all.filter(|id| !ids.contains(id)));
                    None
                }
            };
        }
        Selection { ids, undecided }
    }

    /// Tries the patterns and templates of one class. Returns which class is next, if there is one.
    fn try_class(
        &self,
        tried: Class,
        subject: &Subject<'_>,
        most: usize,
        ids: &mut BTreeSet<Id>,
    ) -> Result<Option<Class>, Spent> {
        let effort = subject.effort();
        let check = || if effort.spent() < most { Ok(()) } else { Err(Spent) };
        let mut next: Option<Class> = None;
        let mut is_due = |cost| {
            let class = class(cost);
            if class > tried {
                next = Some(next.map_or(class, |next| next.min(class)));
            }
            class == tried
        };
        let mut add = |having: &BTreeSet<Id>| {
            let before = ids.len();
            ids.extend(having);
            // Who is selected for the first time is sent the update, which takes more than this.
            effort.spend((before + having.len() - ids.len()) * LOOK_EFFORT);
        };
        for (hub, index) in &self.patterns {
            check()?;
            for topic in subject.resolved(hub).iter().flatten() {
                check()?;
                for (pattern, having) in index.candidates(topic, effort) {
                    if is_due(pattern.cost()) {
                        check()?;
                        if pattern.selects(topic, effort) {
                            add(having);
                        }
                    }
                }
            }
        }
        for (index, topic) in subject.topics().iter().enumerate() {
            for (template, having) in self.templates_for(topic, effort) {
                check()?;
                if is_due(template.cost()) && subject.is_selected_by(template, index) {
                    add(having);
                }
            }
        }
        Ok(next)
    }

    /// The templates that agree with a topic up to their first expression: only these are matched.
    fn templates_for(
        &self,
        topic: &str,
        effort: &Effort,
    ) -> impl Iterator<Item = (&Template, &BTreeSet<Id>)> {
        let templates = self.templates.of(topic, effort).flatten();
        templates.inspect(|_| effort.spend(REACH_EFFORT))
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
    use crate::matching::effort::{STEP_EFFORT, TRY_EFFORT};

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
            .templates_for("/users/7/books", &Effort::default())
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
        assert_eq!(selection.ids, [1].into());
        assert_eq!(selection.undecided, (2..12).collect());
        // With more, all of it is told.
        let selection = index.select(&Subject::new(topics.iter().map(String::as_str)), usize::MAX);
        assert_eq!((selection.ids, selection.undecided), ([1].into(), BTreeSet::new()));
    }

    /// The same for very many that are cheap, and as many topics: what each takes adds up, and none
    /// is looked at once nothing is left.
    #[test]
    fn many_matchers_and_many_topics_are_bounded_too() {
        let mut index = Index::default();
        for id in 0..400 {
            let pattern = format!("https://e.example/:a\\?{id:06}*");
            let pattern = Matcher::url_pattern(&pattern, &hub()).unwrap();
            let template = Matcher::selector(&format!("https://e.example/a{{+x}}-{id}")).unwrap();
            let mut matchers = [pattern, template].into_iter().collect();
            index.insert(id, &mut matchers, &hub());
        }
        let elsewhere = Matcher::url_pattern("https://elsewhere.example/:a", &hub()).unwrap();
        index.insert(400, &mut [elsewhere].into_iter().collect(), &hub());
        index.insert(401, &mut [Matcher::exact("b").unwrap()].into_iter().collect(), &hub());
        let topics: Vec<String> =
            (0..200).map(|number| format!("https://e.example/a{number}")).collect();
        let select = |effort| {
            let subject = Subject::new(topics.iter().map(String::as_str));
            let selection = index.select(&subject, effort);
            (selection, subject.effort().spent())
        };
        let (selection, all) = select(usize::MAX);
        assert!(selection.ids.is_empty() && selection.undecided.is_empty());
        // A pattern and a template for each id, and each topic.
        assert!(all > 200 * 2 * 400 * (REACH_EFFORT + TRY_EFFORT), "{all}");

        let effort = all / 10;
        let (selection, spent) = select(effort);
        let one_more = all / topics.len();
        assert!((effort..effort + one_more).contains(&spent), "{spent} of {effort}");
        assert!(selection.ids.is_empty());
        assert_eq!(selection.undecided, (0..=400).collect());
        let (selection, spent) = select(0);
        assert_eq!((selection.undecided.len(), spent), (401, 0));
    }

    #[test]
    fn who_is_selected_again_and_again_is_counted() {
        let mut index = Index::default();
        for id in 0..1_000 {
            let pattern = Matcher::url_pattern("/:any", &hub()).unwrap();
            index.insert(id, &mut [pattern].into_iter().collect(), &hub());
        }
        let effort = |topics: &[&str]| {
            let subject = Subject::new(topics.iter().copied());
            assert_eq!(index.select(&subject, usize::MAX).ids.len(), 1_000);
            subject.effort().spent()
        };
        // However many an update is for, the first time costs nothing.
        assert!(effort(&["/a"]) < 1_000 * LOOK_EFFORT / 10);
        assert!(effort(&["/a", "/b", "/c"]) > 2 * 1_000 * LOOK_EFFORT);
    }

    #[test]
    fn the_cheap_of_every_kind_come_first() {
        let mut index = Index::default();
        let mut insert = |id, matcher| {
            index.insert(id, &mut [matcher].into_iter().collect(), &hub());
        };
        for id in 2..60 {
            let variables = ",a".repeat(1_300);
            insert(id, Matcher::selector(&format!("/{{+a{variables}}}{id}")).unwrap());
        }
        for id in 60..120 {
            let pattern = format!("/([a-z]*a[a-z]{{100}}[b-z]{{{id}}})");
            insert(id, Matcher::url_pattern(&pattern, &hub()).unwrap());
        }
        insert(0, Matcher::selector("/{id}").unwrap());
        insert(1, Matcher::url_pattern("/:any", &hub()).unwrap());
        let topics = ["b", "c"].map(|last| format!("/{}{last}", "a".repeat(4_000)));
        let subject = Subject::new(topics.iter().map(String::as_str));
        let selection = index.select(&subject, 10_000_000);
        assert_eq!(selection.ids, [0, 1].into());
        // Those templates cost more than the patterns.
        assert!(selection.undecided.is_superset(&(2..60).collect()));
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
        assert!(index.costliest.is_empty());
    }
}
