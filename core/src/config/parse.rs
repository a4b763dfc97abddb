//! From a value's text to what it means, or to a sentence that says what is wrong and what to write;
//! and, for messages, from some values back to text.

use std::time::Duration;

use http::HeaderName;

use crate::config::region::Region;
use crate::config::serves::Serves;
use crate::terms::generation::{Generation, Generations};
use crate::terms::hub_url::HubUrl;
use crate::trust::key_source::is_on_this_machine;
use crate::wire::origin::without_user;
use crate::wire::reader::NativeReaders;

/// The longest duration: ten years, in milliseconds.
const LONGEST: u64 = 3650 * 86_400_000;

/// The most relays: the log's object sends each of them each update.
pub(super) const MAX_RELAYS: u32 = 1_000;

const DURATIONS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

const SIZES: [(&str, u64); 5] =
    [("KiB", 1 << 10), ("MiB", 1 << 20), ("kB", 1_000), ("MB", 1_000_000), ("", 1)];

pub(super) fn hub_url(text: &str) -> Result<HubUrl, String> {
    HubUrl::parse(text).map_err(|error| {
        let shown = without_user(text);
        format!("`{shown}` {error}; write it like https://hub.example.com/.well-known/mercure")
    })
}

/// The hub that this one follows.
pub(super) fn followed(text: &str) -> Result<HubUrl, String> {
    let url = hub_url(text)?;
    match url.as_url().scheme() {
        "http" if !is_on_this_machine(url.as_url()) => Err(
            "is not https, so anybody on the way could read the secret and every update; write https (http is for localhost alone)".into(),
        ),
        _ => Ok(url),
    }
}

/// Whether a hub that follows another forwards publications to it.
pub(super) fn forwards(text: &str) -> Result<bool, String> {
    match text {
        "refuse" => Ok(false),
        "forward" => Ok(true),
        _ => Err(format!("`{text}` is not one of `refuse`, `forward`")),
    }
}

/// More paths at which the hub answers.
pub(super) fn paths(text: &str) -> Result<Vec<String>, String> {
    let path = |item: &String| {
        // Spelt as it will be compared: with one slash in front and none at the end.
        let spelt = HubUrl::parse(&format!("https://hub.example{item}"));
        spelt.ok().filter(|url| url.path() == item).map(|_| item.clone()).ok_or_else(|| {
            format!(
                "`{item}` is not a path for the hub; write it like /hub, without a slash at its end"
            )
        })
    };
    list(text)?.iter().map(path).collect()
}

pub(super) fn protocol(text: &str) -> Result<Generations, String> {
    match text {
        "both" => Ok(Generations::Both),
        // What is left of the number 1.0 in JavaScript.
        "1.0" | "1" => Ok(Generations::Only(Generation::V1)),
        "0.x" => Ok(Generations::Only(Generation::V0)),
        _ => Err(format!("`{text}` is not one of `both`, `1.0`, `0.x`")),
    }
}

/// Items separated by spaces or commas.
pub(super) fn list(text: &str) -> Result<Vec<String>, String> {
    let items = text.split([' ', ',', '\t', '\n']);
    Ok(items.filter(|item| !item.is_empty()).map(str::to_owned).collect())
}

/// What a switch such as `DEBUGGER` says, if it is one.
///
/// # Errors
///
/// It is neither on nor off.
pub fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "on" | "yes" => Ok(true),
        "0" | "false" | "off" | "no" => Ok(false),
        _ => Err(format!("`{text}` is neither on nor off; write 1 or 0")),
    }
}

pub(super) fn cookie_name(text: &str) -> Result<String, String> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_token) {
        Ok(text.to_owned())
    } else {
        Err(format!("`{text}` is not a cookie's name; use letters, digits, `-` and `_`"))
    }
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match scaled(text, &DURATIONS) {
        Some(millis) if (1..=LONGEST).contains(&millis) => Ok(Duration::from_millis(millis)),
        _ => {
            Err(format!("`{text}` is not a duration of 1ms to 3650d; write it like 25s, 5m or 24h"))
        }
    }
}

/// How long a stream lives; zero if it is to end as soon as it has caught up.
pub(super) fn lifetime(text: &str) -> Result<Duration, String> {
    match text {
        "0" | "0s" => Ok(Duration::ZERO),
        _ => duration(text).map_err(|what| format!("{what}, or 0 for streams that only catch up")),
    }
}

pub(super) fn size(text: &str) -> Result<usize, String> {
    match scaled(text, &SIZES).map(usize::try_from) {
        Some(Ok(bytes)) if bytes > 0 => Ok(bytes),
        _ => Err(format!(
            "`{text}` is not a size above zero that this hub can hold; write it like 256KiB or 1MiB"
        )),
    }
}

pub(super) fn body_size(text: &str, largest: usize) -> Result<usize, String> {
    match size(text)? {
        bytes if bytes <= largest => Ok(bytes),
        _ => Err(format!(
            "`{text}` is more than the log can keep; write {} or less",
            spelt_size(largest)
        )),
    }
}

/// A duration as it may be written.
pub(super) fn spelt_duration(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    spelt(millis, &DURATIONS)
}

/// A size as it may be written.
pub(super) fn spelt_size(bytes: usize) -> String {
    spelt(bytes as u64, &SIZES)
}

/// A number in the unit, of those that leave no fraction, in which it is smallest.
fn spelt(number: u64, units: &[(&str, u64)]) -> String {
    let whole = units.iter().filter(|(_, factor)| number.is_multiple_of(*factor));
    match whole.max_by_key(|(_, factor)| *factor) {
        Some((unit, factor)) => format!("{}{unit}", number / factor),
        None => number.to_string(),
    }
}

/// A whole number and its unit.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

pub(super) fn count(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("`{text}` is not a whole number above zero; write it like 10000")),
    }
}

pub(super) fn quantity(text: &str) -> Result<usize, String> {
    let number = count(text)?;
    usize::try_from(number).map_err(|_| format!("`{text}` is too large"))
}

/// How many relays there are, if any.
pub(super) fn relays(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(number) if number <= MAX_RELAYS => Ok(number),
        _ => Err(format!(
            "`{text}` is not a whole number up to {MAX_RELAYS}; write it like 4, or 0 for none"
        )),
    }
}

/// The regions in which there are relays, each once.
pub(super) fn regions(text: &str) -> Result<Vec<Region>, String> {
    let mut regions = Vec::new();
    for name in list(text)? {
        let region = Region::named(&name).ok_or_else(|| {
            format!(
                "`{name}` is not one of {}",
                Region::names().map(|it| format!("`{it}`")).join(", ")
            )
        })?;
        if regions.contains(&region) {
            return Err(format!("`{name}` is named twice; remove one of them"));
        }
        regions.push(region);
    }
    Ok(regions)
}

/// The most of something, where there need not be a limit.
pub(super) fn most(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!(
            "`{text}` is not a whole number above zero; write it like 20, or remove it for no limit"
        )),
    }
}

/// The name of a header field; `None` if it is empty.
pub(super) fn field_name(text: &str) -> Result<Option<String>, String> {
    match HeaderName::from_bytes(text.as_bytes()) {
        _ if text.is_empty() => Ok(None),
        Ok(name) => Ok(Some(name.as_str().to_owned())),
        Err(_) => Err(format!("`{text}` is not the name of a header; write it like X-Real-IP")),
    }
}

pub(super) fn native_readers(text: &str) -> Result<NativeReaders, String> {
    match text {
        "auto" => Ok(NativeReaders::Auto),
        "always" => Ok(NativeReaders::Always),
        "never" => Ok(NativeReaders::Never),
        _ => Err(format!("`{text}` is not one of `auto`, `always`, `never`")),
    }
}

pub(super) fn serves(text: &str) -> Result<Serves, String> {
    match text {
        "both" => Ok(Serves::Both),
        "publish" => Ok(Serves::Publish),
        "subscribe" => Ok(Serves::Subscribe),
        _ => Err(format!("`{text}` is not one of `both`, `publish`, `subscribe`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("2 d"), Ok(Duration::from_secs(172_800)));
        assert!(duration("5").is_err());
        assert!(duration("99999999999999999999h").is_err());
        assert_eq!(size("350kB"), Ok(350_000));
        assert_eq!(size("1048576"), Ok(1 << 20));
        assert!(size("KiB").is_err());
        for text in ["250ms", "90s", "10m", "36h", "2d"] {
            assert_eq!(duration(text).map(spelt_duration), Ok(text.to_owned()));
        }
        for text in ["1900kB", "1MiB", "350kB", "1025"] {
            assert_eq!(size(text).map(spelt_size), Ok(text.to_owned()));
        }
    }

    #[test]
    fn a_body_may_be_as_large_as_the_platform_allows() {
        assert_eq!(body_size("1900kB", 1_900_000), Ok(1_900_000));
        let mistake = body_size("2MB", 1_900_000).unwrap_err();
        assert!(mistake.ends_with("write 1900kB or less"), "{mistake}");
    }
}
