//! Rules between variables, each of which has been read by itself.

use crate::config::parse;
use crate::config::platform::Platform;
use crate::config::serves::Serves;
use crate::config::values::Values;
use crate::config::{Config, LEGACY_COOKIE};
use crate::limits::MAX_LINKED_UPDATE_SIZE;
use crate::terms::generation::{Generation, Generations};
use crate::terms::hub_url::METADATA_PATH;
use crate::trust::key_source::is_on_this_machine;
use crate::trust::role::Role;

/// Holds the configuration to every rule: notes what breaks one, and sets what one variable says of
/// another.
pub(super) fn apply(values: &mut Values<'_>, config: &mut Config, platform: &Platform) {
    name_the_cookies(config, platform);
    raise_the_history_age(values, config, platform);
    check_issuers(values, config);
    check_feed(values, config);
    check_relays(values, config);
    check_keys(values, config);
    check_aliases(values, config);
    check_outboxes(values, config);
    check_address_header(values, config, platform);
    check_subscriptions(values, config);
    point_out_that_any_host_is_an_audience(values, config, platform);
    point_out_what_must_not_be_deployed(values, config);
}

/// A browser may have the cookies of both generations, and those of other hubs at the same domain:
/// a hub of one generation wants its own, and so does one whose cookie has a name of its own.
fn name_the_cookies(config: &mut Config, platform: &Platform) {
    // A template may set every variable, if only to what it is anyway.
    let is_renamed = config.cookie_name != platform.default_of("COOKIE_NAME");
    config.legacy_cookie = !is_renamed && config.protocol.contains(Generation::V0);
    if config.protocol == Generations::Only(Generation::V0) && !is_renamed {
        LEGACY_COOKIE.clone_into(&mut config.cookie_name);
    }
}

fn raise_the_history_age(values: &mut Values<'_>, config: &mut Config, platform: &Platform) {
    let shortest = platform.shortest_history_age;
    if config.history_age < shortest {
        values.warn(format!(
            "HISTORY_AGE is below the shortest that {} keeps updates for: {} is used; write that, or more",
            platform.name,
            parse::spelt_duration(shortest)
        ));
        config.history_age = shortest;
    }
}

fn check_issuers(values: &mut Values<'_>, config: &Config) {
    if config.protocol == Generations::Only(Generation::V1)
        && !values.has("MERCURE_TRUSTED_ISSUERS")
    {
        values.mistake(
            "PROTOCOL",
            "is 1.0, whose tokens are refused unless MERCURE_TRUSTED_ISSUERS is set; set that to the `iss` of your tokens",
        );
    }
}

/// A reader that polls would come and go all the time.
fn check_subscriptions(values: &mut Values<'_>, config: &Config) {
    if config.subscriptions && config.polls() {
        values.mistake(
            "SUBSCRIPTIONS",
            "is on, and STREAM_LIFETIME=0 has readers poll, so that each would be gone after a moment; set STREAM_LIFETIME to 1m or more, or turn SUBSCRIPTIONS off",
        );
    }
}

/// A hub that follows another has no log to publish to: without forwarding, it serves subscribers alone.
fn check_feed(values: &mut Values<'_>, config: &mut Config) {
    if values.has("FOLLOW") && !values.has("FEED_SECRET") {
        values.mistake(
            "FOLLOW",
            "is set, and FEED_SECRET is not; set that to the FEED_SECRET of the hub that is followed",
        );
    }
    if config.follow.is_some() && config.follow == config.hub_url {
        values.mistake("FOLLOW", "is HUB_URL, this hub itself; name the hub that has the log");
    }
    // What follows has it in any case, and another mistake without.
    if values.has("FEED_SECRET") && config.max_update_size > MAX_LINKED_UPDATE_SIZE {
        values.mistake(
            "MAX_UPDATE_SIZE",
            &format!(
                "is more than {most}, and FEED_SECRET is set: no larger update goes from one hub to another; write {most} or less",
                most = parse::spelt_size(MAX_LINKED_UPDATE_SIZE)
            ),
        );
    }
    if values.has("FOLLOW_PUBLISH") && !values.has("FOLLOW") {
        values.warn(
            "FOLLOW_PUBLISH has no effect on a hub that follows no other; remove it, or set FOLLOW"
                .to_owned(),
        );
    }
    if config.follow.is_none() || config.forwards {
        return;
    }
    match config.serves {
        Serves::Publish => values.mistake(
            "SERVES",
            "is publish, and a hub that follows another takes no publications unless FOLLOW_PUBLISH=forward; set that, or remove one of them",
        ),
        Serves::Both | Serves::Subscribe => config.serves = Serves::Subscribe,
    }
}

/// Each region that is named has so many relays.
fn check_relays(values: &mut Values<'_>, config: &Config) {
    let regions = u32::try_from(config.relay_regions.len()).unwrap_or(u32::MAX);
    if values.has_mistakes_in(&["RELAYS", "RELAY_REGIONS"]) || regions == 0 {
        return;
    }
    let all = config.relays().saturating_mul(regions);
    if all == 0 {
        values.mistake(
            "RELAY_REGIONS",
            "is set, and there are no relays; set RELAYS to how many each region has, or remove it",
        );
    } else if all > parse::MAX_RELAYS {
        let most = parse::MAX_RELAYS / regions;
        values.mistake(
            "RELAYS",
            &format!(
                "is for each of {regions} regions, and makes {all} relays; {most} is the most"
            ),
        );
    }
}

/// Somebody must be able to publish, and somebody to subscribe.
fn check_keys(values: &mut Values<'_>, config: &Config) {
    // A key may be missing because of another mistake.
    if values.has_mistakes() {
        return;
    }
    let is_missing = |role| !config.issuers.can_verify(role, config.protocol);
    let publishes = config.follow.is_none() || config.forwards;
    if publishes && is_missing(Role::Publisher) {
        values.mistake(
            "MERCURE_PUBLISHER_JWT_KEY",
            "is not set, and no issuer's key verifies publishers' tokens; set it to the secret that they are signed with, at least 32 bytes, or MERCURE_PUBLISHER_JWKS_URI to where public keys are published",
        );
    }
    if is_missing(Role::Subscriber) && !config.anonymous {
        values.mistake(
            "MERCURE_SUBSCRIBER_JWT_KEY",
            "is not set, and no issuer's key verifies subscribers' tokens; set it to the secret that they are signed with, or MERCURE_SUBSCRIBER_JWKS_URI to where public keys are published, or ANONYMOUS=1 for a hub of public updates",
        );
    }
}

fn check_aliases(values: &mut Values<'_>, config: &Config) {
    // What is below the hub's path belongs to the hub, and so does its metadata.
    let is_taken = |alias: &str| {
        [config.path(), METADATA_PATH].iter().any(|path| {
            alias.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    if let Some(alias) = config.hub_aliases.iter().find(|alias| is_taken(alias)) {
        values.mistake(
            "HUB_ALIASES",
            &format!("`{alias}` is the hub's own path, or below it; choose another, like /hub"),
        );
    }
}

fn check_outboxes(values: &mut Values<'_>, config: &Config) {
    if values.has_mistakes_in(&["OUTBOXES_SIZE", "OUTBOX_SIZE", "MAX_UPDATE_SIZE"]) {
        return;
    }
    // An empty outbox takes an update of any size.
    let least = config.outbox_size.saturating_add(config.max_update_size.saturating_mul(2));
    if config.outboxes_size < least {
        values.mistake(
            "OUTBOXES_SIZE",
            "is less than OUTBOX_SIZE plus twice MAX_UPDATE_SIZE; raise it",
        );
    }
}

/// Where a deployment has a host of its own, everybody can go past the proxy, unless that has a secret.
fn check_address_header(values: &mut Values<'_>, config: &Config, platform: &Platform) {
    if config.address_header.is_some() && config.origin_secret.is_none() && platform.has_own_host {
        values.mistake(
            "ADDRESS_HEADER",
            "is set and ORIGIN_SECRET is not, so that whoever goes past the proxy can claim any address; set both",
        );
    }
}

/// Without the hub's URL, any host at which a request arrives makes an audience.
fn point_out_that_any_host_is_an_audience(
    values: &mut Values<'_>,
    config: &Config,
    platform: &Platform,
) {
    let v1 = Generations::Only(Generation::V1);
    let are_accepted = config.serves_v1()
        && [Role::Publisher, Role::Subscriber]
            .into_iter()
            .any(|role| config.issuers.can_verify(role, v1));
    if are_accepted && !values.has("HUB_URL") && !platform.has_own_host {
        values.warn(
            "HUB_URL is not set, so that 1.0 tokens are accepted for whatever host a request asked; set it to the hub's public URL"
                .to_owned(),
        );
    }
}

/// A developer's hub may have such keys: it is the documentation's.
fn point_out_what_must_not_be_deployed(values: &mut Values<'_>, config: &mut Config) {
    let plain = config.issuers.sources().filter(|source| source.is_plain()).map(|source| {
        format!(
            "keys are fetched from {} without TLS, as is only right on a developer's machine; write https",
            source.shown()
        )
    });
    let keys = [values.well_known_keys(), &plain.collect::<Vec<_>>()].concat();
    config.deployment_mistakes = [values.misspelt(), &keys].concat();
    if !config.hub_url.as_ref().is_some_and(|url| is_on_this_machine(url.as_url())) {
        for warning in keys {
            values.warn(warning);
        }
        if config.debugger {
            values.warn(
                "DEBUGGER is on, and tells everybody which tokens the hub expects, and why one is refused; remove it where you do not develop"
                    .to_owned(),
            );
        }
    }
}
