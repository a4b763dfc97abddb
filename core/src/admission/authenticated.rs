//! Who sent a request, and what it is a command for.

use crate::admission::publication;
use crate::admission::route::{Purpose, Routed};
use crate::admission::subscription;
use crate::authorization::bearer::{MalformedAuthorization, Presentation, bearer};
use crate::authorization::token::{Resource, Token};
use crate::command::Command;
use crate::time::Timestamp;
use crate::trust::role::Role;
use crate::wire::cors;
use crate::wire::refusal::Refusal;

/// A request from somebody who may ask the hub for what it asks for.
#[derive(Debug)]
pub(super) struct Authenticated<'a> {
    pub(super) routed: Routed<'a>,
    caller: Caller,
}

/// Who sent a request.
#[derive(Debug)]
enum Caller {
    Publisher(Token),
    /// On a hub for anonymous subscribers, it may do without a token.
    Subscriber(Option<Token>),
}

impl<'a> Authenticated<'a> {
    /// Finds out who sent a request to the hub, for this purpose.
    ///
    /// # Errors
    ///
    /// There is no token and one is needed; there is one and it is not valid; or it came in a
    /// cookie, with a request that a page of another origin may have sent.
    pub(super) fn check(
        routed: Routed<'a>,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let Routed { request, config, hub, .. } = &routed;
        let role = purpose.role();
        let caller = match (role, token(&routed, role, now)?) {
            // A browser attaches cookies whatever page sends the request.
            (Role::Publisher, Some((_, Presentation::Cookie)))
                if !cors::may_publish(request, &config.publish_origins, hub) =>
            {
                return Err(Refusal::ForbiddenOrigin);
            }
            (Role::Publisher, Some((token, _))) => Caller::Publisher(token),
            (Role::Subscriber, Some((token, _))) => Caller::Subscriber(Some(token)),
            (Role::Subscriber, None) if config.anonymous => Caller::Subscriber(None),
            (_, None) => return Err(Refusal::NoToken),
        };
        Ok(Self { routed, caller })
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
        }
    }
}

/// The valid token of a request, and how it came, if it has one.
fn token(
    routed: &Routed<'_>,
    role: Role,
    now: Timestamp,
) -> Result<Option<(Token, Presentation)>, Refusal> {
    let Routed { request, config, hub, .. } = routed;
    let found = bearer(request, config);
    let found = found.map_err(|MalformedAuthorization| Refusal::MalformedToken)?;
    let Some(bearer) = found else { return Ok(None) };
    let own = routed.own_url();
    let token = Resource { config, hub, own: own.as_ref() }.validate(&bearer, role, now)?;
    Ok(Some((token, bearer.presented)))
}
