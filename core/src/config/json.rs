//! Values that are not text: `[vars]` of wrangler.toml takes `true`, `0` or a list as well.

use serde_json::Value;

use crate::config::names;

/// What is said of a value that is none.
pub(super) const UNREADABLE: &str = "has no value that can be read; write it as text, in quotes";

/// The value of a variable as it would be written in an environment, if that is possible: the items
/// of a list, where the variable takes several, are separated by spaces, and all else that is not
/// text is as in JSON.
///
/// ```
/// use cinnabar_core::config::text_of;
/// use serde_json::json;
///
/// assert_eq!(text_of("ANONYMOUS", &json!(true)).as_deref(), Some("true"));
/// assert_eq!(text_of("HUB_ALIASES", &json!(["/hub", "/events"])).as_deref(), Some("/hub /events"));
/// ```
#[must_use]
pub fn text_of(name: &str, value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        // JavaScript has one kind of number, in which 1.0 is 1.
        Value::Number(number) if number.is_f64() => number.as_f64().map(|float| float.to_string()),
        Value::Array(items) if names::takes_several(name) => {
            let items: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            Some(items?.join(" "))
        }
        _ => Some(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_count_as_what_they_say() {
        for (value, expected) in [
            (json!("as it is "), "as it is "),
            (json!(false), "false"),
            (json!(0), "0"),
            (json!(123_456), "123456"),
            (json!(1.0), "1"),
            (json!(1.5), "1.5"),
            (json!(500.0), "500"),
            (json!({"kty": "oct"}), r#"{"kty":"oct"}"#),
            (json!([{"issuer": "https://a"}]), r#"[{"issuer":"https://a"}]"#),
            (json!(["a", "b"]), r#"["a","b"]"#),
        ] {
            assert_eq!(text_of("ORIGIN_SECRET", &value).as_deref(), Some(expected), "{value}");
        }
        assert_eq!(text_of("ORIGIN_SECRET", &Value::Null), None);
    }

    #[test]
    fn a_list_is_its_items() {
        for name in ["CORS_ORIGINS", "CORS_ALLOWED_ORIGINS"] {
            for (value, expected) in [
                (json!(["https://a", "https://b"]), Some("https://a https://b")),
                (json!("https://a"), Some("https://a")),
                (json!([]), Some("")),
                (json!(["https://a", 1]), None),
                (json!([["https://a"]]), None),
            ] {
                assert_eq!(text_of(name, &value).as_deref(), expected, "{name} = {value}");
            }
        }
    }
}
