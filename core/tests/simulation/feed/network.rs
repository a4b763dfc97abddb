//! One log with its leader, relays, links between them, and clients of the relays.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cinnabar_core::feed::{
    Answer, Follower, FollowerId, FollowerOutput, Leader, LeaderOutput, LinkId, PONG, Question,
    QuestionId, ToFollower,
};
use cinnabar_core::testing::{MemoryLog, private_update, update};
use cinnabar_core::{
    Appended, CursorKey, Holder, Output, Place, Position, StreamId, Subscribe, Timestamp,
};

use crate::client::Client;
use crate::world::{NATIVE, World};

/// How large a network is, and what happens in it.
#[derive(Clone, Copy)]
pub(super) struct Setting {
    pub(super) relays: usize,
    pub(super) clients: usize,
    pub(super) publications: u64,
    pub(super) trouble: Duration,
    pub(super) presence: bool,
    /// Of the data of each update.
    pub(super) length: usize,
    pub(super) kills: bool,
}

const TOPICS: u64 = 4;

/// A slow relay takes so many bytes a second.
const SLOW: usize = 1_000_000;

#[derive(Debug)]
enum Event {
    Publish,
    Durable,
    Trouble,
    LeaderBegins,
    LeaderWakes,
    RelayWakes(usize, u64),
    /// A link is open at the leader.
    Opened(usize),
    ToLeader(usize, Bytes),
    ToFollower(usize, Bytes),
    Pong(usize),
    EndsAtLeader(usize),
    EndsAtFollower(usize),
    ClientComes(usize),
}

struct Entry(Timestamp, u64, Event);

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        (self.0, self.1) == (other.0, other.1)
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0, self.1).cmp(&(other.0, other.1))
    }
}

/// A link; what is on its way arrives in order, until it ends there.
struct Wire {
    relay: usize,
    life: u64,
    link: LinkId,
    delay: Duration,
    is_slow: bool,
    at_leader: bool,
    at_follower: bool,
    /// When the last of what is on its way arrives.
    to_leader: Timestamp,
    to_follower: Timestamp,
}

struct Relay {
    /// How many times it was started.
    life: u64,
    follower: Follower,
    holder: Option<Holder>,
    arrivals: BTreeMap<QuestionId, Vec<usize>>,
    asked: BTreeMap<QuestionId, StreamId>,
    clients: BTreeMap<StreamId, usize>,
    wire: Option<usize>,
    wakes: Option<Timestamp>,
}

struct Reader {
    client: Client,
    topic: u64,
    /// The last update of its topic that it has, once it is known.
    last: Option<u64>,
    /// Where the log ended when it came first, and when it was greeted first.
    came: u64,
    greeted: Option<u64>,
    relay: usize,
    stream: Option<StreamId>,
    subscribe: Option<Subscribe>,
}

pub(super) struct Network {
    setting: Setting,
    world: World,
    now: Timestamp,
    random: u64,
    count: u64,
    events: BinaryHeap<Reverse<Entry>>,
    log: MemoryLog,
    durable: Position,
    leader: Option<Leader>,
    leader_wakes: Option<Timestamp>,
    wires: Vec<Wire>,
    relays: Vec<Relay>,
    readers: Vec<Reader>,
    streams: u64,
    published: u64,
    is_peaceful: bool,
    /// Messages of updates that the leader sent.
    pub(super) sent: u64,
    /// And those that it made: each goes to as many links as want it.
    made: u64,
    pub(super) most_on_the_way: usize,
    delivered: u64,
    leader_deaths: u64,
    relay_deaths: u64,
    breaks: u64,
}

impl Network {
    pub(super) fn new(setting: &Setting, seed: u64) -> Self {
        let presence = if setting.presence { "1" } else { "0" };
        let world = World::new(&[("SUBSCRIPTIONS", presence), ("MAX_STREAMS", "100000")]);
        let mut network = Self {
            setting: *setting,
            now: world.now,
            world,
            random: seed,
            count: 0,
            events: BinaryHeap::new(),
            log: MemoryLog::default(),
            durable: Position::START,
            leader: None,
            leader_wakes: None,
            wires: Vec::new(),
            relays: Vec::new(),
            readers: Vec::new(),
            streams: 0,
            published: 0,
            is_peaceful: false,
            sent: 0,
            made: 0,
            most_on_the_way: 0,
            delivered: 0,
            leader_deaths: 0,
            relay_deaths: 0,
            breaks: 0,
        };
        for _ in 0..setting.relays {
            let follower = network.follower();
            network.relays.push(Relay {
                life: 0,
                follower,
                holder: None,
                arrivals: BTreeMap::new(),
                asked: BTreeMap::new(),
                clients: BTreeMap::new(),
                wire: None,
                wakes: None,
            });
        }
        let span = setting.trouble.as_millis() as u64;
        for client in 0..setting.clients {
            let at = network.below(span / 2);
            network.readers.push(Reader {
                client: Client::default(),
                topic: client as u64 % TOPICS,
                last: None,
                came: 0,
                greeted: None,
                relay: client % setting.relays,
                stream: None,
                subscribe: None,
            });
            network.after(Duration::from_millis(at), Event::ClientComes(client));
        }
        for _ in 0..setting.publications {
            let at = network.below(span);
            network.after(Duration::from_millis(at), Event::Publish);
        }
        network.after(Duration::ZERO, Event::LeaderBegins);
        if setting.kills {
            network.after(Duration::from_secs(1), Event::Trouble);
        }
        network
    }

    fn follower(&mut self) -> Follower {
        let (high, low) = (self.random(), self.random());
        let name = (u128::from(high) << 64) | u128::from(low);
        Follower::new(FollowerId::from_random(name.to_be_bytes()), self.random())
    }

    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, most: u64) -> u64 {
        self.random() % most.max(1)
    }

    fn after(&mut self, wait: Duration, event: Event) {
        self.at(self.now.plus(wait), event);
    }

    fn at(&mut self, at: Timestamp, event: Event) {
        self.count += 1;
        self.events.push(Reverse(Entry(at, self.count, event)));
    }

    /// Lets time pass.
    pub(super) fn run(&mut self, duration: Duration) {
        let end = self.now.plus(duration);
        while self.events.peek().is_some_and(|Reverse(Entry(at, ..))| *at <= end) {
            let Some(Reverse(Entry(at, _, event))) = self.events.pop() else { break };
            self.now = at;
            self.handle(event);
        }
        self.now = end;
    }

    /// Nothing dies or breaks from now on.
    pub(super) fn keep_peace(&mut self) {
        self.is_peaceful = true;
        for wire in &mut self.wires {
            wire.is_slow = false;
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Publish => self.publish(),
            Event::Durable => self.make_durable(),
            Event::Trouble => self.make_trouble(),
            Event::LeaderBegins => self.begin_leader(),
            Event::LeaderWakes => {
                self.leader_wakes = None;
                let now = self.now;
                self.lead(|leader| leader.handle_timeout(now));
            }
            Event::RelayWakes(relay, life) => {
                if self.relays[relay].life == life {
                    let (relay_, now) = (&mut self.relays[relay], self.now);
                    relay_.wakes = None;
                    relay_.follower.handle_timeout(now);
                    if let Some(holder) = &mut relay_.holder {
                        holder.handle_timeout(now);
                    }
                    self.drive(relay);
                }
            }
            Event::Opened(wire) => {
                if self.leader.is_none() || !self.wires[wire].at_follower {
                    return self.at(self.now, Event::EndsAtFollower(wire));
                }
                self.wires[wire].at_leader = true;
                self.lead(|leader| leader.handle_connected(LinkId::new(wire as u64)));
            }
            Event::ToLeader(wire, bytes) => {
                let now = self.now;
                if self.wires[wire].at_leader {
                    self.lead(|leader| {
                        leader.handle_message(LinkId::new(wire as u64), &bytes, now)
                    });
                }
            }
            Event::ToFollower(wire, bytes) => {
                let (link, now) = (self.wires[wire].link, self.now);
                if let Some(relay) = self.open_at_follower(wire) {
                    self.relays[relay].follower.handle_message(link, &bytes, now);
                    self.drive(relay);
                }
            }
            Event::Pong(wire) => {
                let (link, now) = (self.wires[wire].link, self.now);
                if let Some(relay) = self.open_at_follower(wire) {
                    self.relays[relay].follower.handle_pong(link, now);
                    self.drive(relay);
                }
            }
            Event::EndsAtLeader(wire) => {
                let now = self.now;
                if std::mem::take(&mut self.wires[wire].at_leader) {
                    self.lead(|leader| leader.handle_disconnected(LinkId::new(wire as u64), now));
                }
            }
            Event::EndsAtFollower(wire) => {
                let (link, now) = (self.wires[wire].link, self.now);
                if let Some(relay) = self.open_at_follower(wire) {
                    self.wires[wire].at_follower = false;
                    self.relays[relay].follower.handle_disconnected(link, now);
                    self.drive(relay);
                }
            }
            Event::ClientComes(client) => self.come(client),
        }
    }

    fn open_at_follower(&self, wire: usize) -> Option<usize> {
        let wire = &self.wires[wire];
        (wire.at_follower && self.relays[wire.relay].life == wire.life).then_some(wire.relay)
    }

    fn publish(&mut self) {
        if self.leader.is_none() {
            // Its publisher is told to come back.
            return self.after(Duration::from_millis(500), Event::Publish);
        }
        self.published += 1;
        let next = self.log.end().next().get();
        let topic = format!("t{}", self.below(TOPICS));
        let data = format!("{next} {}", "x".repeat(self.setting.length));
        let id = format!("urn:{next}");
        let update = match self.below(10) {
            0 => private_update(&id, &topic, &data),
            _ => update(&id, &topic, &data),
        };
        self.log.append(update, self.now);
        let sync = self.below(20);
        self.after(Duration::from_millis(sync), Event::Durable);
    }

    fn make_durable(&mut self) {
        self.flush();
        self.lead(|_| {});
    }

    /// Everything that was appended is durable, and the leader hears of it.
    fn flush(&mut self) {
        let batch: Vec<Appended> = self.log.between(self.durable, self.log.end()).collect();
        if let Some(leader) = &mut self.leader {
            self.durable = self.log.end();
            leader.handle_appended(&batch);
        }
    }

    fn begin_leader(&mut self) {
        let end = Place { position: self.log.end(), since: self.now };
        self.durable = end.position;
        let noted = self.log.followers();
        self.leader = Some(Leader::new(CursorKey::from_bytes([5; 16]), end, noted, self.now));
        self.leader_wakes = None;
        for wire in 0..self.wires.len() {
            if self.wires[wire].at_leader {
                self.lead(|leader| leader.handle_connected(LinkId::new(wire as u64)));
            }
        }
        self.lead(|_| {});
    }

    fn make_trouble(&mut self) {
        if self.is_peaceful {
            return;
        }
        match self.below(8) {
            0 => {
                // Its process dies, and its links with it.
                self.leader_deaths += 1;
                self.leader = None;
                for wire in 0..self.wires.len() {
                    if std::mem::take(&mut self.wires[wire].at_leader) {
                        let notices = self.below(50);
                        self.after(Duration::from_millis(notices), Event::EndsAtFollower(wire));
                    }
                }
                let away = self.below(3_000);
                self.after(Duration::from_millis(away), Event::LeaderBegins);
            }
            1 | 2 => {
                // It sleeps, and its links live on.
                if self.leader.is_some() {
                    self.leader_deaths += 1;
                    self.make_durable();
                    self.begin_leader();
                }
            }
            3 => {
                let relay = self.below(self.relays.len() as u64) as usize;
                self.kill_relay(relay);
            }
            _ => {
                if !self.wires.is_empty() {
                    let relay = self.below(self.relays.len() as u64) as usize;
                    if let Some(wire) = self.relays[relay].wire {
                        self.breaks += 1;
                        let (one, other) = (self.below(200), self.below(200));
                        self.after(Duration::from_millis(one), Event::EndsAtLeader(wire));
                        self.after(Duration::from_millis(other), Event::EndsAtFollower(wire));
                    }
                }
            }
        }
        let next = self.below(2_000);
        self.after(Duration::from_millis(next), Event::Trouble);
    }

    fn kill_relay(&mut self, relay: usize) {
        self.relay_deaths += 1;
        if let Some(wire) = self.relays[relay].wire.take() {
            self.wires[wire].at_follower = false;
            let notices = self.below(200);
            self.after(Duration::from_millis(notices), Event::EndsAtLeader(wire));
        }
        let follower = self.follower();
        let dead = &mut self.relays[relay];
        dead.life += 1;
        dead.follower = follower;
        dead.holder = None;
        dead.wakes = None;
        dead.asked.clear();
        let waiting = std::mem::take(&mut dead.arrivals).into_values().flatten();
        let held = std::mem::take(&mut dead.clients).into_values();
        let clients: BTreeSet<usize> = waiting.chain(held).collect();
        for client in clients {
            self.come_back(client);
        }
    }

    fn come_back(&mut self, client: usize) {
        self.readers[client].stream = None;
        self.readers[client].subscribe = None;
        let wait = 100 + self.below(2_000);
        self.after(Duration::from_millis(wait), Event::ClientComes(client));
    }

    fn come(&mut self, client: usize) {
        let end = self.log.end().get();
        let reader = &mut self.readers[client];
        reader.client.reconnect();
        if reader.greeted.is_none() {
            reader.came = self.durable.get().min(end);
        }
        let mut fields = NATIVE.to_vec();
        let last = reader.client.last_event_id.clone();
        if !last.is_empty() {
            fields.push(("last-event-id", &last));
        }
        let relay = reader.relay;
        let query = format!("match=t{}", reader.topic);
        let subscribe = self.world.subscription(&query, &fields);
        self.readers[client].subscribe = Some(subscribe);
        let (now, relay_) = (self.now, &mut self.relays[relay]);
        match relay_.follower.ask(Question::End, now) {
            Ok(number) => relay_.arrivals.entry(number).or_default().push(client),
            Err(_) => return self.come_back(client),
        }
        self.drive(relay);
    }

    /// Tells the leader something, and does what it wants done.
    fn lead(&mut self, tell: impl FnOnce(&mut Leader)) {
        let Some(leader) = &mut self.leader else { return };
        tell(leader);
        while let Some(output) = self.leader.as_mut().and_then(Leader::poll_output) {
            self.carry_out_of_leader(output);
        }
        if let Some(at) = self.leader.as_ref().and_then(Leader::poll_timeout)
            && self.leader_wakes.is_none_or(|set| at < set)
        {
            self.leader_wakes = Some(at);
            self.at(at.max(self.now), Event::LeaderWakes);
        }
    }

    fn carry_out_of_leader(&mut self, output: LeaderOutput) {
        let now = self.now;
        match output {
            LeaderOutput::Send { links, bytes } => {
                if let Ok(ToFollower::Updates(_)) = ToFollower::from_bytes(&bytes) {
                    self.sent += links.len() as u64;
                    self.made += 1;
                }
                for link in links {
                    let leader = self.leader.as_ref().unwrap();
                    let on_the_way = leader.on_the_way(link);
                    self.most_on_the_way = self.most_on_the_way.max(on_the_way);
                    assert!(on_the_way <= 6 * 1024 * 1024, "{on_the_way} bytes are on their way");
                    assert!(leader.kept() <= 1024 * 1024);
                    let number = link.get() as usize;
                    let wire = &mut self.wires[number];
                    let takes = match wire.is_slow {
                        true => Duration::from_micros((bytes.len() * 1_000_000 / SLOW) as u64),
                        false => Duration::ZERO,
                    };
                    wire.to_follower = wire.to_follower.max(now.plus(wire.delay)).plus(takes);
                    let at = wire.to_follower;
                    self.at(at, Event::ToFollower(number, bytes.clone()));
                }
            }
            LeaderOutput::Read { fetch } => {
                let page = self.log.page_of_all(&fetch);
                let leader = self.leader.as_mut().unwrap();
                leader.handle_page(&fetch, Some(&page), now);
            }
            LeaderOutput::Answer { asked, question } => {
                let answer = match question {
                    Question::End => {
                        Some(Answer::End(Place { position: self.durable, since: now }))
                    }
                    Question::Locate(location) => Some(Answer::Located(self.log.locate(&location))),
                    Question::Page(fetch, subscribe) => {
                        Some(Answer::Page(self.log.page(&fetch, &subscribe)))
                    }
                    Question::Register(subscriptions) => {
                        self.log.register_for(asked.follower(), &subscriptions, now);
                        Some(Answer::Done)
                    }
                    Question::Unregister(subscriptions) => {
                        self.log.unregister(&subscriptions, now);
                        Some(Answer::Done)
                    }
                    Question::List(_) => None,
                };
                self.flush();
                self.leader.as_mut().unwrap().handle_answer(asked, answer);
            }
            LeaderOutput::Gone { follower } => {
                self.log.unregister_all_of(follower, now);
                self.flush();
            }
            LeaderOutput::End { link, .. } => {
                let number = link.get() as usize;
                self.wires[number].at_leader = false;
                let at = self.wires[number].to_follower.max(now.plus(self.wires[number].delay));
                self.at(at, Event::EndsAtFollower(number));
            }
        }
    }

    /// Does what a relay's follower and holder want done.
    fn drive(&mut self, relay: usize) {
        let now = self.now;
        loop {
            let here = &mut self.relays[relay];
            if let Some(output) = here.follower.poll_output() {
                self.carry_out(relay, output);
            } else if let Some(output) = here.holder.as_mut().and_then(Holder::poll_output) {
                self.carry_out_of_holder(relay, output);
            } else if let Some((fetch, subscribe)) =
                here.holder.as_mut().and_then(Holder::poll_fetch)
            {
                self.ask(relay, fetch.stream, Question::Page(fetch, subscribe));
            } else {
                break;
            }
        }
        let here = &mut self.relays[relay];
        here.follower.handle_holds(here.holder.as_ref().is_some_and(|it| !it.is_idle()), now);
        let timeouts =
            [here.follower.poll_timeout(), here.holder.as_ref().and_then(Holder::poll_timeout)];
        if let Some(at) = timeouts.into_iter().flatten().min()
            && here.wakes.is_none_or(|set| at < set)
        {
            here.wakes = Some(at);
            let life = here.life;
            self.at(at.max(now), Event::RelayWakes(relay, life));
        }
    }

    fn carry_out(&mut self, relay: usize, output: FollowerOutput) {
        let now = self.now;
        match output {
            FollowerOutput::Connect { link } => {
                let delay = Duration::from_millis(1 + self.below(80));
                let is_slow = !self.is_peaceful && self.below(4) == 0;
                let life = self.relays[relay].life;
                let wire = self.wires.len();
                self.wires.push(Wire {
                    relay,
                    life,
                    link,
                    delay,
                    is_slow,
                    at_leader: false,
                    at_follower: true,
                    to_leader: now,
                    to_follower: now,
                });
                self.relays[relay].wire = Some(wire);
                self.after(delay, Event::Opened(wire));
            }
            FollowerOutput::Send { bytes, .. } => {
                let number = self.relays[relay].wire.unwrap();
                let wire = &mut self.wires[number];
                wire.to_leader = wire.to_leader.max(now.plus(wire.delay));
                let at = wire.to_leader;
                self.at(at, Event::ToLeader(number, bytes));
            }
            FollowerOutput::Ping { .. } => {
                let number = self.relays[relay].wire.unwrap();
                assert_eq!(PONG, "pong");
                if self.wires[number].at_leader {
                    self.after(self.wires[number].delay * 2, Event::Pong(number));
                }
            }
            FollowerOutput::Disconnect { link, .. } => {
                let number = self.relays[relay].wire.unwrap();
                assert_eq!(self.wires[number].link, link);
                self.wires[number].at_follower = false;
                let at = self.wires[number].to_leader.max(now.plus(self.wires[number].delay));
                self.at(at, Event::EndsAtLeader(number));
            }
            FollowerOutput::Begin { key, end } => {
                let here = &mut self.relays[relay];
                assert!(here.holder.as_ref().is_none_or(Holder::is_idle));
                here.holder = Some(Holder::new(&self.world.config, key, end));
            }
            FollowerOutput::Appended { updates } => {
                self.tell(relay, |holder| {
                    assert!(updates[0].position > holder.position());
                    holder.handle_appended(&updates, now);
                });
            }
            FollowerOutput::Reached { place } => {
                self.tell(relay, |holder| holder.handle_reached(place));
            }
            FollowerOutput::Answered { question, answer: Answer::End(end) } => {
                for client in self.relays[relay].arrivals.remove(&question).into_iter().flatten() {
                    self.streams += 1;
                    let stream = StreamId::new(self.streams);
                    let reader = &mut self.readers[client];
                    reader.stream = Some(stream);
                    let subscribe = reader.subscribe.take().unwrap();
                    assert!(reader.greeted.is_some() || end.position.get() >= reader.came);
                    self.relays[relay].clients.insert(stream, client);
                    self.tell(relay, |holder| holder.handle_subscribe(stream, subscribe, end, now));
                }
            }
            FollowerOutput::Answered { question, answer } => {
                let Some(stream) = self.relays[relay].asked.remove(&question) else { return };
                self.tell(relay, |holder| match &answer {
                    Answer::Located(located) => holder.handle_located(stream, located, now),
                    Answer::Page(page) => holder.handle_page(stream, page, now),
                    Answer::Done => holder.handle_registered(stream, now),
                    Answer::End(_) | Answer::Listing(_) => {}
                });
            }
            FollowerOutput::Failed { question } => {
                for client in self.relays[relay].arrivals.remove(&question).into_iter().flatten() {
                    self.come_back(client);
                }
                if let Some(stream) = self.relays[relay].asked.remove(&question) {
                    self.tell(relay, |holder| holder.handle_failure(stream, now));
                }
            }
            FollowerOutput::Cut { .. } => self.kill_relay(relay),
        }
    }

    fn carry_out_of_holder(&mut self, relay: usize, output: Output) {
        match output {
            Output::Open { stream, .. } => {
                let end = self.durable.get();
                let client = self.relays[relay].clients[&stream];
                self.readers[client].greeted.get_or_insert(end);
            }
            Output::Write { streams, bytes } => {
                for stream in streams {
                    self.read(relay, stream, &bytes);
                }
            }
            Output::Locate { stream, location } => {
                self.ask(relay, stream, Question::Locate(location));
            }
            Output::Register { stream, subscriptions } => {
                self.ask(relay, stream, Question::Register(subscriptions));
            }
            Output::Unregister { subscriptions } => {
                let question = Question::Unregister(subscriptions);
                self.relays[relay].follower.ask(question, self.now).unwrap();
            }
            Output::Answer { stream, .. } | Output::Close { stream } | Output::Cut { stream } => {
                if let Some(client) = self.relays[relay].clients.remove(&stream) {
                    self.come_back(client);
                }
            }
        }
    }

    /// A client reads what its stream is sent.
    fn read(&mut self, relay: usize, stream: StreamId, bytes: &Bytes) {
        let Some(client) = self.relays[relay].clients.get(&stream) else { return };
        let reader = &mut self.readers[*client];
        reader.client.read(bytes);
        for event in std::mem::take(&mut reader.client.events) {
            if event.event_type == "cinnabar" {
                continue;
            }
            self.delivered += 1;
            let at: u64 = event.data.split(' ').next().unwrap().parse().unwrap();
            let after = reader.last.unwrap_or_else(|| {
                assert!(at > reader.came, "what was before it came");
                reader.greeted.expect("nothing is sent before a greeting").min(at - 1)
            });
            let next = next_public(&self.log, reader.topic, after);
            assert_eq!(next, Some(at), "after {after}");
            reader.last = Some(at);
        }
        let now = self.now;
        self.tell(relay, |holder| holder.handle_taken(stream, bytes.len(), now));
    }

    fn ask(&mut self, relay: usize, stream: StreamId, question: Question) {
        let now = self.now;
        match self.relays[relay].follower.ask(question, now) {
            Ok(number) => _ = self.relays[relay].asked.insert(number, stream),
            Err(_) => self.tell(relay, |holder| holder.handle_failure(stream, now)),
        }
    }

    fn tell(&mut self, relay: usize, what: impl FnOnce(&mut Holder)) {
        if let Some(holder) = &mut self.relays[relay].holder {
            what(holder);
        }
    }

    /// Everybody has everything.
    pub(super) fn check(&self) {
        assert_eq!(self.published, self.setting.publications);
        for reader in &self.readers {
            assert!(reader.stream.is_some(), "a client that never got a stream");
            let greeted = reader.greeted.expect("a client that was never greeted");
            let after = reader.last.unwrap_or(greeted);
            assert_eq!(next_public(&self.log, reader.topic, after), None, "after {after}");
        }
        let mut ids = BTreeSet::new();
        for appended in self.log.between(Position::START, self.log.end()) {
            assert!(ids.insert(appended.update.id().clone()), "told twice: {appended:?}");
        }
        for relay in &self.relays {
            let (arrivals, asked) = (relay.arrivals.len(), relay.asked.len());
            assert_eq!((arrivals, asked), (0, 0), "somebody waits for an answer for ever");
        }
        if self.setting.presence {
            let noted = self.log.registered("").count();
            assert_eq!(noted, self.setting.clients, "each client has one subscription");
        }
    }

    pub(super) fn figures(&self) -> String {
        format!(
            "{} relays, {} clients, {} updates: {} messages of updates were sent ({:.2} an update and relay) and {} made, {} deliveries; {} leaders, {} relays and {} links were lost; at most {} bytes on the way to a relay",
            self.relays.len(),
            self.readers.len(),
            self.published,
            self.sent,
            self.sent as f64 / self.published as f64 / self.relays.len() as f64,
            self.made,
            self.delivered,
            self.leader_deaths,
            self.relay_deaths,
            self.breaks,
            self.most_on_the_way,
        )
    }
}

/// The next update of a topic that everybody may read.
fn next_public(log: &MemoryLog, topic: u64, after: u64) -> Option<u64> {
    let topic = format!("t{topic}");
    let is_one = |appended: &Appended| {
        let update = Arc::clone(&appended.update);
        !update.is_private() && update.topics()[0].as_str() == topic
    };
    let mut following = log.between(Position::new(after), log.end());
    following.find(is_one).map(|appended| appended.position.get())
}
