//! Which steps may come next: the checker tries all of them.

use std::collections::{BTreeMap, BTreeSet};

use cinnabar_aws::log::publication;
use cinnabar_core::Timestamp;
use stateright::{Model, Property};

use crate::properties;
use crate::state::{Action, Call, Follower, Publisher, Sent, State};
use crate::world::{Comes, Rule, World};

impl Model for World {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let publisher = Publisher {
            publication: None,
            allotted: 0,
            waits: false,
            early: None,
            answer: None,
            after: BTreeSet::new(),
        };
        let follower = Follower {
            reader: None,
            step: None,
            looks: None,
            located: None,
            overtaken: false,
            through: 0,
            began: 0,
            began_at: Timestamp::default(),
            before: BTreeSet::new(),
            delivered: Vec::new(),
            lost_its_place: false,
            told: None,
            looked: Timestamp::default(),
        };
        vec![State {
            now: 0,
            head: 0,
            cells: Vec::new(),
            held: BTreeMap::new(),
            sent: BTreeSet::new(),
            publishers: vec![publisher; self.publishers],
            followers: vec![follower; self.readers.len()],
            faults: 0,
            recreated: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let heard = if state.faults < self.faults { &[true, false][..] } else { &[true] };
        let on_its_way =
            |publisher: &Publisher| publisher.publication.is_some() && publisher.answer.is_none();
        let waits = self.prompt && state.publishers.iter().any(on_its_way);
        if state.now < self.until && !waits {
            actions.push(Action::Tick);
        }
        for (number, stored) in (1..).zip(&state.cells) {
            if stored.as_ref().is_some_and(|stored| stored.ttl <= Self::table_now(state.now)) {
                actions.push(Action::Delete(number));
            }
        }
        if !self.has(Rule::HeadNotRecreated) && !state.recreated && state.head > 0 {
            actions.push(Action::LoseHead);
        }
        for (who, publisher) in state.publishers.iter().enumerate() {
            if publisher.publication.is_none() {
                actions.push(Action::Begin(who));
                if !self.has(Rule::NumberAfterBeginning) && publisher.early.is_none() {
                    actions.push(Action::EarlyNumber(who));
                }
            }
            match self.step(state, who) {
                Some(publication::Step::Number) => {
                    actions.extend(heard.iter().map(|&heard| Action::Number(who, heard)));
                }
                Some(publication::Step::Put(_)) => actions.push(Action::Send(who)),
                Some(_) => actions.push(Action::Answer(who)),
                None => {}
            }
            if publisher.waits && publisher.answer.is_none() && state.faults < self.faults {
                actions.push(Action::Timeout(who));
            }
        }
        for sent in &state.sent {
            actions.extend(heard.iter().map(|&heard| Action::Arrive(sent.clone(), heard)));
        }
        for (index, (follower, comes)) in state.followers.iter().zip(&self.readers).enumerate() {
            if follower.overtaken || index == 0 && self.has_gone(state) {
                continue;
            }
            if follower.located.is_some() {
                actions.push(Action::Open(index));
                continue;
            }
            if follower.reader.is_none() {
                match comes {
                    Comes::Live => actions.push(Action::Start(index)),
                    Comes::AfterPosition if state.followers[0].told.is_some() => {
                        actions.push(Action::Start(index));
                    }
                    Comes::Next if state.followers[0].reached() == 0 => {}
                    Comes::Earliest | Comes::Next if follower.looks.is_none() => {
                        let numbers = 0..=u64::try_from(state.cells.len()).unwrap();
                        // It found nothing up to there.
                        let empty = |upto: &u64| (1..=*upto).all(|n| state.cell(n).is_none());
                        let looks = numbers.filter(empty).map(|upto| Action::Look(index, upto));
                        actions.extend(looks);
                    }
                    Comes::Earliest | Comes::Next => actions.push(Action::Found(index)),
                    Comes::AfterId if !state.followers[0].delivered.is_empty() => {
                        for unindexed in state.masks(0) {
                            let stale = match self.has(Rule::NewestConsistent) {
                                true => vec![0],
                                false => state.masks(0),
                            };
                            let looks = stale.iter();
                            actions.extend(
                                looks.map(|stale| Action::LookUp(index, unindexed, *stale)),
                            );
                        }
                    }
                    _ => {}
                }
                continue;
            }
            if let (Some(step), true) = (follower.step, self.has(Rule::Seals)) {
                // An unanswered probe is the same as none.
                let heard = if let Call::Seal(_) = step { heard } else { &[true] };
                actions.extend(heard.iter().map(|&heard| Action::Carry(index, heard)));
            } else if let Some(reader) = &follower.reader {
                let reached = reader.reached().get();
                let masks = if self.stale { state.stale_masks(reached) } else { vec![0] };
                for hidden in masks {
                    actions.push(Action::Poll(index, hidden, false));
                    let shown = state.present(hidden);
                    let shown = shown.iter().filter(|cell| cell.position > reader.reached());
                    if self.cuts && shown.count() > 1 {
                        actions.push(Action::Poll(index, hidden, true));
                    }
                }
            }
            let resumes = self.readers.contains(&Comes::AfterPosition);
            if index == 0 && resumes && follower.told.is_none() {
                actions.extend([Action::Tell(true), Action::Tell(false)]);
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Tick => state.now += 1,
            Action::Delete(number) => state.cells[usize::try_from(number - 1).unwrap()] = None,
            Action::LoseHead => {
                state.head = 0;
                state.recreated = true;
            }
            Action::Begin(who) => self.begin(&mut state, who),
            Action::EarlyNumber(who) => {
                state.publishers[who].early = Some(Self::take_number(&mut state));
            }
            Action::Number(who, heard) => self.number(&mut state, who, heard),
            Action::Send(who) => {
                let Some(publication::Step::Put(number)) = self.step(&state, who) else {
                    return None;
                };
                let publisher = &mut state.publishers[who];
                publisher.waits = true;
                let allotted = publisher.allotted;
                state.sent.insert(Sent { who, number: number.get(), allotted });
            }
            Action::Arrive(sent, heard) => self.arrive(&mut state, &sent, heard),
            Action::Timeout(who) => self.timeout(&mut state, who),
            Action::Answer(who) => self.answer(&mut state, who),
            Action::Start(index) => match self.readers[index] {
                Comes::AfterPosition => self.resume_at_position(&mut state, index),
                _ => {
                    let (head, now) = (state.head, self.reader_now(index, state.now));
                    self.locate(&mut state, index, head, now);
                }
            },
            Action::Look(index, upto) => state.followers[index].looks = Some((upto, state.now)),
            Action::Found(index) => self.found(&mut state, index),
            Action::LookUp(index, unindexed, stale) => {
                self.look_up(&mut state, index, unindexed, stale);
            }
            Action::Open(index) => self.open(&mut state, index),
            Action::Tell(live) => self.tell(&mut state, live),
            Action::Poll(index, hidden, cut) => self.poll(&mut state, index, hidden, cut),
            Action::Carry(index, heard) => self.carry(&mut state, index, heard),
        }
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}
