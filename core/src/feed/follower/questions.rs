//! Questions that a follower has yet to have answered. They outlive links.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::command::subscriptions::Subscriptions;
use crate::feed::limits::{MAX_QUESTIONS, QUESTION_DEADLINE, QUESTIONS_ON_THE_WAY};
use crate::feed::message::{Question, QuestionId};
use crate::terms::event_id::EventId;
use crate::time::Timestamp;

/// Questions without an answer, and what is known of those who were registered.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    asked: u64,
    pending: BTreeMap<QuestionId, Pending>,
    /// Those that are still to be sent on this link, in order.
    unsent: BTreeSet<QuestionId>,
    /// Those that were sent on this link, and have no answer, whether or not somebody waits for it.
    on_the_way: BTreeSet<QuestionId>,
    /// When they fail, in order; the first of them has no answer.
    deadlines: VecDeque<(Timestamp, QuestionId)>,
    /// Whether an end is on its way.
    ends: Ends,
    /// Subscribers that are being registered,
    registering: BTreeMap<EventId, QuestionId>,
    /// and that are.
    registered: BTreeSet<EventId>,
}

/// The two questions after the log's end that there may be at a time.
#[derive(Debug, Default)]
struct Ends {
    /// Was sent. Who arrives now may have heard of what was acknowledged since.
    on_the_way: Option<QuestionId>,
    /// Is sent once that is answered, for all that arrive meanwhile.
    next: Option<QuestionId>,
}

#[derive(Debug)]
struct Pending {
    question: Question,
    /// Whether a leader may have got it.
    was_sent: bool,
}

/// So many questions are waiting that there is no room for another: a passing failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many questions wait for the log")]
pub struct TooManyQuestions;

impl Questions {
    pub(crate) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Whether nothing is asked but that ends be told.
    pub(crate) fn are_ends(&self) -> bool {
        let is_end = |pending: &Pending| matches!(pending.question, Question::Unregister(_));
        self.pending.values().all(is_end)
    }

    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether the log notes subscribers of this follower, or may.
    pub(crate) fn is_noted(&self) -> bool {
        let may_be = |number| self.pending.get(number).is_some_and(|pending| pending.was_sent);
        !self.registered.is_empty() || self.registering.values().any(may_be)
    }

    /// Takes note of a subscriber that ends. Returns the question with which it was being registered, which
    /// is asked no more: its beginning would be told after its end.
    pub(crate) fn withdraw(&mut self, subscriptions: &Subscriptions) -> Option<QuestionId> {
        let subscriber = subscriptions.subscriber()?;
        self.registered.remove(&subscriber);
        let number = *self.registering.get(&subscriber)?;
        self.remove(number).map(|_| number)
    }

    /// Takes a question.
    pub(crate) fn ask(
        &mut self,
        question: Question,
        now: Timestamp,
    ) -> Result<QuestionId, TooManyQuestions> {
        if matches!(question, Question::End)
            && let Some(next) = self.ends.next
        {
            return Ok(next);
        }
        // What has ended must be told, however much waits, and however long that takes.
        let is_an_end = matches!(question, Question::Unregister(_));
        if !is_an_end && self.pending.len() >= MAX_QUESTIONS {
            return Err(TooManyQuestions);
        }
        self.asked += 1;
        let number = QuestionId(self.asked);
        match &question {
            Question::End => self.ends.next = Some(number),
            Question::Register(subscriptions) => {
                let subscriber = subscriptions.subscriber();
                self.registering.extend(subscriber.map(|subscriber| (subscriber, number)));
            }
            _ => {}
        }
        if !is_an_end {
            self.deadlines.push_back((now.plus(QUESTION_DEADLINE), number));
        }
        self.pending.insert(number, Pending { question, was_sent: false });
        self.unsent.insert(number);
        Ok(number)
    }

    /// There is a new link, or a new leader: all are asked again.
    pub(crate) fn start_over(&mut self) {
        self.on_the_way.clear();
        self.unsent = self.pending.keys().copied().collect();
    }

    /// The next question to send.
    pub(crate) fn next(&mut self) -> Option<(QuestionId, Question)> {
        if self.on_the_way.len() >= QUESTIONS_ON_THE_WAY {
            return None;
        }
        // One question at most waits for another.
        let waits =
            |number: &QuestionId| self.ends.next == Some(*number) && self.ends.on_the_way.is_some();
        let number = *self.unsent.iter().find(|number| !waits(number))?;
        self.unsent.remove(&number);
        self.on_the_way.insert(number);
        if self.ends.next == Some(number) {
            self.ends = Ends { on_the_way: Some(number), next: None };
        }
        let pending = self.pending.get_mut(&number)?;
        pending.was_sent = true;
        Some((number, pending.question.clone()))
    }

    /// A question was answered. Returns whether somebody waits for that.
    pub(crate) fn answered(&mut self, number: QuestionId) -> bool {
        self.on_the_way.remove(&number);
        let Some(Pending { question, .. }) = self.remove(number) else { return false };
        if let Question::Register(subscriptions) = question {
            self.registered.extend(subscriptions.subscriber());
        }
        true
    }

    /// A question could not be answered. Returns whether somebody waits for that.
    pub(crate) fn failed(&mut self, number: QuestionId, now: Timestamp) -> bool {
        self.on_the_way.remove(&number);
        self.fail(number, now)
    }

    /// When the first of them fails.
    pub(crate) fn first_deadline(&self) -> Option<Timestamp> {
        self.deadlines.front().map(|(at, _)| *at)
    }

    /// Those that waited for too long.
    pub(crate) fn pop_overdue(&mut self, now: Timestamp) -> Vec<QuestionId> {
        let mut overdue = Vec::new();
        while let Some((at, number)) = self.deadlines.front().copied()
            && at <= now
            && self.fail(number, now)
        {
            overdue.push(number);
        }
        overdue
    }

    /// All of them, none of which is answered any more.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = QuestionId> {
        std::mem::take(self).pending.into_keys()
    }

    fn fail(&mut self, number: QuestionId, now: Timestamp) -> bool {
        let Some(Pending { question, was_sent }) = self.remove(number) else { return false };
        // It may have been done, or be done yet: nobody waits for that.
        if let Question::Register(subscriptions) = question
            && was_sent
        {
            let _ = self.ask(Question::Unregister(subscriptions), now);
        }
        true
    }

    fn remove(&mut self, number: QuestionId) -> Option<Pending> {
        self.unsent.remove(&number);
        let Ends { on_the_way, next } = &mut self.ends;
        for end in [on_the_way, next] {
            end.take_if(|end| *end == number);
        }
        let pending = self.pending.remove(&number)?;
        while let Some((_, first)) = self.deadlines.front()
            && !self.pending.contains_key(first)
        {
            self.deadlines.pop_front();
        }
        if let Question::Register(subscriptions) = &pending.question
            && let Some(subscriber) = subscriptions.subscriber()
        {
            self.registering.remove(&subscriber);
        }
        Some(pending)
    }
}
