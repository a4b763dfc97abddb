//! A log that another object or another hub holds, as the streams here see it.
//!
//! ```text
//!  questions ──▶ ┌──────────┐ ──▶ link
//!  messages  ──▶ │ Follower │
//!  timer     ──▶ │          │ ──▶ updates, answers ──▶ Streams
//!                └──────────┘
//! ```

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use cinnabar_core::feed::{
    Answer, Ending, Follower, FollowerId, FollowerOutput, LinkId, Question, QuestionId, dial,
};
use cinnabar_core::{
    Config, Fetch, Holder, List, Listing, Located, Location, Page, Place, Subscribe, Subscriptions,
};
use futures_channel::oneshot;
use worker::{Env, Result, console_error, console_warn};

use crate::answer::sample;
use crate::link::{Door, Link};
use crate::object::Object;
use crate::platform;
use crate::source::Source;
use crate::streams::Streams;
use crate::timer::Timer;

/// How many subscribers may wait at a time to be told where the log ends: while it is away, all of them
/// are in memory.
const MOST_ARRIVALS: usize = 1_000;

/// The log that the streams of a relay follow.
pub(crate) struct Followed {
    this: Weak<Self>,
    object: Rc<Object>,
    config: Rc<Config>,
    env: Env,
    follower: RefCell<Follower>,
    link: RefCell<Option<(LinkId, Link)>>,
    streams: OnceCell<Weak<Streams<Self>>>,
    /// Who waits for answers.
    asked: RefCell<BTreeMap<QuestionId, Vec<oneshot::Sender<Option<Answer>>>>>,
    /// How many subscribers have yet to get their response.
    arriving: Cell<usize>,
    timer: Timer,
    is_driven: Cell<bool>,
}

impl Followed {
    pub(crate) fn new(object: Rc<Object>, config: Rc<Config>, env: Env) -> Result<Rc<Self>> {
        let name = FollowerId::from_random(platform::entropy()?);
        let seed = u64::from_le_bytes(platform::entropy()?);
        Ok(Rc::new_cyclic(|this: &Weak<Self>| {
            let timer = this.clone();
            let (link, streams, asked, arriving, is_driven) = Default::default();
            Self {
                this: this.clone(),
                object,
                config,
                env,
                follower: RefCell::new(Follower::new(name, seed)),
                link,
                streams,
                asked,
                arriving,
                timer: Timer::new(move || {
                    notice(&timer, |followed| {
                        followed.tell(|follower| follower.handle_timeout(platform::now()));
                    });
                }),
                is_driven,
            }
        }))
    }

    /// These are the streams that follow. Called once.
    pub(crate) fn feed(&self, streams: &Rc<Streams<Self>>) {
        let _ = self.streams.set(Rc::downgrade(streams));
    }

    /// Whether one more subscriber, or another who asks, may arrive.
    pub(crate) fn takes_arrivals(&self) -> bool {
        self.arriving.get() < MOST_ARRIVALS
    }

    /// A subscriber arrives, or another who asks; the log is followed as long as it takes.
    pub(crate) async fn arrival<T>(&self, asking: impl Future<Output = T>) -> T {
        self.arriving.set(self.arriving.get() + 1);
        let response = asking.await;
        self.arriving.set(self.arriving.get() - 1);
        self.see_what_is_held();
        response
    }

    /// Who is here; `None` if the log does not know the page that is asked for.
    pub(crate) async fn list(&self, list: List) -> Result<Option<Listing>> {
        match self.ask(Question::List(list)).await? {
            Answer::Listing(listing) => Ok(listing),
            _ => Err(another_answer()),
        }
    }

    async fn ask(&self, question: Question) -> Result<Answer> {
        let asked = self.follower.borrow_mut().ask(question, platform::now());
        let number = asked.map_err(|error| worker::Error::from(error.to_string()))?;
        let (tell, answer) = oneshot::channel();
        self.asked.borrow_mut().entry(number).or_default().push(tell);
        self.drive();
        match answer.await {
            Ok(Some(answer)) => Ok(answer),
            _ => Err("the log did not answer".into()),
        }
    }

    fn see_what_is_held(&self) {
        let streams = self.streams.get().and_then(Weak::upgrade);
        let holds = self.arriving.get() > 0 || streams.is_some_and(|streams| !streams.is_idle());
        self.tell(|follower| follower.handle_holds(holds, platform::now()));
    }

    /// Tells the follower something, and does what it wants done then.
    fn tell(&self, tell: impl FnOnce(&mut Follower)) {
        tell(&mut self.follower.borrow_mut());
        self.drive();
    }

    /// Does what the follower wants done, until there is nothing left, and sets the timer. What the
    /// streams ask for meanwhile is done as well.
    fn drive(&self) {
        if self.is_driven.replace(true) {
            return;
        }
        while let Some(output) = self.poll_output() {
            self.carry_out(output);
        }
        self.is_driven.set(false);
        // `None` while it rests.
        self.timer.set(self.follower.borrow().poll_timeout());
    }

    fn poll_output(&self) -> Option<FollowerOutput> {
        self.follower.borrow_mut().poll_output()
    }

    fn carry_out(&self, output: FollowerOutput) {
        match output {
            FollowerOutput::Connect { link } => self.connect(link),
            FollowerOutput::Send { link, bytes } => self.with_link(link, |link| link.send(&bytes)),
            FollowerOutput::Ping { link } => self.with_link(link, Link::ping),
            FollowerOutput::Disconnect { reason, .. } => {
                if reason != Ending::Idle {
                    warn(format!("the link to the log is closed: {reason}"));
                }
                self.link.take();
            }
            FollowerOutput::Begin { key, end } => {
                self.with_streams(|streams| streams.begin(Holder::new(&self.config, key, end)));
            }
            FollowerOutput::Appended { updates } => {
                self.with_streams(|streams| streams.handle_appended(&updates));
            }
            FollowerOutput::Reached { place } => {
                self.with_streams(|streams| streams.handle_reached(place));
            }
            FollowerOutput::Answered { question, answer } => self.answer(question, Some(&answer)),
            FollowerOutput::Failed { question } => self.answer(question, None),
            // The next request finds a new object, with a follower that has another name.
            FollowerOutput::Cut { loss } => self.object.start_over(&loss.to_string()),
        }
    }

    fn connect(&self, link: LinkId) {
        let (message, pong, end) = (self.this.clone(), self.this.clone(), self.this.clone());
        let opened = self.door().map(|door| {
            Link::open(
                &door,
                move |bytes| {
                    notice(&message, |followed| {
                        followed.tell(|follower| {
                            follower.handle_message(link, &bytes, platform::now());
                        });
                    });
                },
                move || {
                    notice(&pong, |followed| {
                        followed.tell(|follower| follower.handle_pong(link, platform::now()));
                    });
                },
                move |reason| {
                    notice(&end, |followed| {
                        warn(format!("the link to the log has ended: {reason}"));
                        followed.handle_disconnected(link);
                    });
                },
            )
        });
        match opened {
            Ok(opened) => _ = self.link.replace(Some((link, opened))),
            Err(error) => {
                console_error!("the log cannot be reached: {error}");
                self.follower.borrow_mut().handle_disconnected(link, platform::now());
            }
        }
    }

    /// Where the log is: at the hub that this one follows, or else in the object of this one.
    fn door(&self) -> Result<Door> {
        match dial(&self.config) {
            Some(request) => Door::of_hub(&request),
            None if self.config.follow().is_some() => Err("FOLLOW cannot be dialled".into()),
            None => Door::of_object(platform::shard(&self.env)?),
        }
    }

    fn handle_disconnected(&self, link: LinkId) {
        self.link.borrow_mut().take_if(|(name, _)| *name == link);
        self.tell(|follower| follower.handle_disconnected(link, platform::now()));
    }

    fn with_link(&self, name: LinkId, act: impl FnOnce(&Link)) {
        if let Some((known, link)) = &*self.link.borrow()
            && *known == name
        {
            act(link);
        }
    }

    fn with_streams(&self, act: impl FnOnce(&Rc<Streams<Self>>)) {
        if let Some(streams) = self.streams.get().and_then(Weak::upgrade) {
            act(&streams);
        }
    }

    fn answer(&self, question: QuestionId, answer: Option<&Answer>) {
        let asked = self.asked.borrow_mut().remove(&question);
        for tell in asked.into_iter().flatten() {
            // Nobody waits where a request has ended.
            let _ = tell.send(answer.cloned());
        }
    }
}

impl Source for Followed {
    async fn end(&self) -> Result<Place> {
        match self.ask(Question::End).await? {
            Answer::End(end) => Ok(end),
            _ => Err(another_answer()),
        }
    }

    async fn locate(&self, location: Location) -> Result<Located> {
        match self.ask(Question::Locate(location)).await? {
            Answer::Located(located) => Ok(located),
            _ => Err(another_answer()),
        }
    }

    async fn page(&self, fetch: &Fetch, subscription: &Arc<Subscribe>) -> Result<Page> {
        match self.ask(Question::Page(*fetch, Arc::clone(subscription))).await? {
            Answer::Page(page) => Ok(page),
            _ => Err(another_answer()),
        }
    }

    async fn register(&self, subscriptions: Subscriptions) -> Result<()> {
        // If it fails, the follower sees to it that it is undone.
        self.ask(Question::Register(subscriptions)).await.map(|_| ())
    }

    fn unregister(self: &Rc<Self>, subscriptions: Subscriptions) {
        // Nobody waits for it. It is sent once the streams, which are at work now, ask for attention.
        let _ =
            self.follower.borrow_mut().ask(Question::Unregister(subscriptions), platform::now());
    }

    fn reached(&self) -> Option<Place> {
        // The streams are told when it is known.
        None
    }

    fn attend(self: &Rc<Self>) {
        self.see_what_is_held();
    }
}

fn another_answer() -> worker::Error {
    "another question was answered".into()
}

/// Says what is wrong, which may be the same each time that a link is tried again.
fn warn(line: String) {
    if let Some(line) = sample(line) {
        console_warn!("{line}");
    }
}

/// Attends to something that the runtime calls about: the link, or the timer.
fn notice(followed: &Weak<Followed>, attend: impl FnOnce(&Rc<Followed>)) {
    let Some(followed) = followed.upgrade() else { return };
    followed.object.guard(|| attend(&followed));
}
