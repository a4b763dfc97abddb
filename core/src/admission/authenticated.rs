//! Who sent a request, and what it is a command for.

use crate::admission::list;
use crate::admission::publication;
use crate::admission::route::{Purpose, Route, Routed};
use crate::admission::subscription;
use crate::authorization::bearer::{MalformedAuthorization, Presentation, bearer};
use crate::authorization::token::{Resource, Token, Unvalidated};
use crate::command::Command;
use crate::terms::subscription::Scope;
use crate::time::Timestamp;
use crate::trust::key_ring::Lookup;
use crate::trust::role::Role;
use crate::wire::cors;
use crate::wire::refusal::Refusal;

/// A request from somebody who may ask the hub for what it asks for.
#[derive(Debug)]
pub(super) struct Authenticated<'a> {
    pub(super) routed: Routed<'a>,
    caller: Caller,
}

/// Why a request goes no further.
#[derive(Debug)]
pub(super) enum Unauthenticated<'a> {
    Refused(Refusal),
    /// The keys of its token's issuer have to be fetched first.
    Unfetched(Box<Routed<'a>>),
    /// They cannot be had just now.
    Unavailable(Box<Routed<'a>>),
}

/// Who sent a request.
#[derive(Debug)]
enum Caller {
    Publisher(Token),
    /// On a hub for anonymous subscribers, it may do without a token.
    Subscriber(Option<Token>),
    /// Asks for active subscriptions, by this path.
    Lister(Token, Scope, String),
}

impl<'a> Authenticated<'a> {
    /// Finds out who sent a request.
    ///
    /// # Errors
    ///
    /// There is no token and one is needed; there is one and it is not valid; or it came in a
    /// cookie, with a request that a page of another origin may have sent. Or else its keys are not
    /// known.
    pub(super) fn check(
        routed: Routed<'a>,
        lookup: Option<Lookup<'_>>,
        now: Timestamp,
    ) -> Result<Self, Unauthenticated<'a>> {
        match Caller::find(&routed, lookup, now) {
            Ok(caller) => Ok(Self { routed, caller }),
            Err(Unknown::Refused(refusal)) => Err(Unauthenticated::Refused(refusal)),
            Err(Unknown::Unfetched) => Err(Unauthenticated::Unfetched(Box::new(routed))),
            Err(Unknown::Unavailable) => Err(Unauthenticated::Unavailable(Box::new(routed))),
        }
    }

    /// The command that a request with this body is.
    ///
    /// # Errors
    ///
    /// The token has expired while the body arrived, or does not grant what is asked for; or
    /// something in the body or the query breaks a rule.
    pub(super) fn command(self, body: &[u8], now: Timestamp) -> Result<Command, Refusal> {
        let Self { routed, caller } = self;
        match caller {
            Caller::Publisher(token) => {
                token.check_expiry(now)?;
                publication::read(&routed, &token, body).map(Command::Publish)
            }
            Caller::Subscriber(token) => {
                token.as_ref().map_or(Ok(()), |token| token.check_expiry(now))?;
                subscription::read(&routed, token, body).map(Command::Subscribe)
            }
            Caller::Lister(token, scope, path) => {
                list::read(&routed, &token, scope, &path).map(Command::List)
            }
        }
    }
}

impl Caller {
    fn find(
        routed: &Routed<'_>,
        lookup: Option<Lookup<'_>>,
        now: Timestamp,
    ) -> Result<Self, Unknown> {
        let Routed { request, config, route, hub, .. } = routed;
        let subscribes = matches!(route, Route::Hub(purpose) if purpose.subscribes());
        match (route, token(routed, route.role(), lookup, now)?) {
            // A browser attaches cookies whatever page sends the request.
            (Route::Hub(Purpose::Publish), Some((_, Presentation::Cookie)))
                if !cors::may_publish(request, &config.publish_origins, hub) =>
            {
                Err(Refusal::ForbiddenOrigin.into())
            }
            (Route::Hub(Purpose::Publish), Some((token, _))) => Ok(Self::Publisher(token)),
            (Route::List { scope, path }, Some((token, _))) => {
                Ok(Self::Lister(token, scope.clone(), path.clone()))
            }
            (_, Some((token, _))) => Ok(Self::Subscriber(Some(token))),
            (_, None) if subscribes && config.anonymous => Ok(Self::Subscriber(None)),
            (_, None) => Err(Refusal::NoToken.into()),
        }
    }
}

/// Why it is not known who sent a request.
enum Unknown {
    Refused(Refusal),
    Unfetched,
    Unavailable,
}

impl From<Refusal> for Unknown {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Unvalidated> for Unknown {
    fn from(unvalidated: Unvalidated) -> Self {
        match unvalidated {
            Unvalidated::Invalid(reason) => Self::Refused(reason.into()),
            Unvalidated::Unfetched => Self::Unfetched,
            Unvalidated::Unavailable => Self::Unavailable,
        }
    }
}

/// The valid token of a request, and how it came, if it has one.
fn token(
    routed: &Routed<'_>,
    role: Role,
    lookup: Option<Lookup<'_>>,
    now: Timestamp,
) -> Result<Option<(Token, Presentation)>, Unknown> {
    let Routed { request, config, hub, .. } = routed;
    let found = bearer(request, config);
    let found = found.map_err(|MalformedAuthorization| Refusal::MalformedToken)?;
    let Some(bearer) = found else { return Ok(None) };
    let own = routed.own_url();
    let token = Resource { config, hub, own: own.as_ref() }.validate(&bearer, role, lookup, now)?;
    Ok(Some((token, bearer.presented)))
}
