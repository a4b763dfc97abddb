//! Questions after active subscriptions, from whoever may read them.

use crate::admission::route::Routed;
use crate::authorization::token::Token;
use crate::command::list::List;
use crate::matching::subject::Subject;
use crate::terms::subscription::Scope;
use crate::wire::refusal::Refusal;

/// The parameter that a link to the next page has.
const AFTER: &str = "after";

/// How long a store's mark may be.
const MAX_MARK_LENGTH: usize = 512;

/// Reads a question (draft-08, "Subscription API"): the token must grant the path that is asked
/// for, as a topic. `path` is the one of the request.
///
/// # Errors
///
/// The token does not grant the path, or a parameter is not of this hub.
pub(super) fn read(
    routed: &Routed<'_>,
    token: &Token,
    scope: Scope,
    path: &str,
) -> Result<List, Refusal> {
    let Routed { request, hub, cors, .. } = routed;
    // Clients spell a path in more than one way, and may have been granted either. But where they leave
    // slashes bare, what a pattern takes for segments is one matcher: only the canonical path tells whose.
    let canonical = scope.path(hub.path());
    let has_same_segments = path.matches('/').count() == canonical.matches('/').count();
    let grants =
        |path: &str| token.grants.subscribe.select_any(&Subject::new(std::iter::once(path)), hub);
    let is_granted = grants(&canonical) || (has_same_segments && grants(path));
    if !is_granted {
        return Err(Refusal::InsufficientScope(format!(
            "The access token does not grant subscribing to `{canonical}`."
        )));
    }
    let mut after = None;
    for pair in request.query().filter(|pair| pair.name() == Ok(AFTER)) {
        let mark = pair.value().ok().filter(|mark| mark.len() <= MAX_MARK_LENGTH);
        let is_mark = |mark: &str| {
            mark.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let mark = mark.filter(|mark| is_mark(mark)).ok_or_else(|| {
            Refusal::Malformed("The parameter `after` is not of this hub; begin without it.".into())
        })?;
        after.get_or_insert_with(|| mark.to_owned());
    }
    let known: Vec<&[u8]> = request.header_values("if-none-match").collect();
    Ok(List {
        generation: scope.generation().unwrap_or(token.generation()),
        scope,
        hub: hub.clone(),
        after: after.filter(|mark| !mark.is_empty()),
        known: (!known.is_empty())
            .then(|| String::from_utf8_lossy(&known.join(&b","[..])).into_owned()),
        cors: cors.clone(),
    })
}
