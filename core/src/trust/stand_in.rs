//! Texts that only stand in for a secret: commands, placeholders, paths.
//!
//! Nothing here runs, fills in or reads them; and whoever has the file in which they were written
//! has them, too. As secrets they would let all of these sign tokens.

/// What a text is, if it only stands for a secret, and what to write; to be read after the name of a
/// key.
pub(super) fn what(text: &str) -> Option<&'static str> {
    if is_command(text) {
        Some("is a command that no shell has run; give what it prints")
    } else if is_placeholder(text) {
        Some("is a placeholder that nothing was put in for; give the key itself")
    } else if text.starts_with("arn:") && text.matches(':').count() > 1 {
        Some("is the name of a resource of AWS, and not what is in it; give the key itself")
    } else if text.starts_with("file:") || is_path(text) {
        Some("is the path of a file, and not what is in it; give its content")
    } else if is_url(text) {
        Some("is a URL; this version takes a key, and not the address of one or of a set of keys")
    } else {
        None
    }
}

fn within<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.strip_prefix(start)?.strip_suffix(end)
}

fn is_command(text: &str) -> bool {
    // Random characters may well begin and end with a backquote.
    let is_plain = |command: &str| {
        command.contains(' ') || command.chars().all(|character| character.is_alphanumeric())
    };
    within(text, "$(", ")").is_some() || within(text, "`", "`").is_some_and(is_plain)
}

/// As shells, Windows, PowerShell, templates and people write them.
fn is_placeholder(text: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_uppercase() || first == '_')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let is_phrase = |phrase: &str| {
        phrase.chars().all(|character| character.is_alphanumeric() || " -_.".contains(character))
    };
    within(text, "${", "}").is_some()
        || within(text, "{{", "}}").is_some()
        || text.starts_with("$env:")
        || text.strip_prefix('$').is_some_and(is_name)
        || within(text, "%", "%").is_some_and(is_name)
        || within(text, "<", ">").is_some_and(is_phrase)
}

/// A path, told from Base64, in which a slash is one of 64 letters.
fn is_path(text: &str) -> bool {
    let text = text.strip_prefix('@').unwrap_or(text);
    let is_in = |more: &'static str| {
        text.chars().all(|character| character.is_alphanumeric() || more.contains(character))
    };
    let is_relative =
        ["./", "../", "~/", ".\\", "..\\", "\\\\"].iter().any(|start| text.starts_with(start));
    let has_drive = matches!(text.as_bytes(), [b'A'..=b'Z' | b'a'..=b'z', b':', b'/' | b'\\', ..]);
    let roots = ["/run/", "/var/", "/etc/", "/home/", "/root/", "/Users/", "/opt/", "/tmp/"];
    let is_rooted = text.starts_with('/')
        && (roots.iter().any(|root| text.starts_with(root))
            || !text.contains(|letter: char| letter.is_ascii_uppercase()));
    let extensions =
        ["pem", "key", "pub", "crt", "cer", "der", "jwk", "jwks", "json", "txt", "env"];
    let has_extension = text.rsplit_once('.').is_some_and(|(_, end)| extensions.contains(&end));
    is_in(" ._-/\\:~()") && (is_relative || has_drive)
        || is_in("._-/") && (is_rooted || has_extension)
}

fn is_url(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| {
        scheme.len() > 1
            // As some frameworks introduce a secret that begins with a slash or two.
            && scheme != "base64"
            && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_stands_for_a_secret_is_named() {
        for (named, texts) in [
            ("a command", &["$(cat key.pem)", "`cat key`", "$(openssl rand -hex 32)"][..]),
            (
                "a placeholder",
                &[
                    "${JWT_KEY}",
                    "${JWT_KEY:-!ChangeMe!}",
                    "$MERCURE_JWT_KEY",
                    "%MERCURE_JWT_KEY%",
                    "$env:JWT_KEY",
                    "${{ secrets.JWT_KEY }}",
                    "{{ .Values.key }}",
                    "{{resolve:secretsmanager:hub:SecretString:key}}",
                    "<your secret>",
                ],
            ),
            (
                "the path of a file",
                &[
                    "/run/secrets/mercure_key",
                    "/etc/Keys/hub",
                    "/app/config/jwt/public.pem",
                    "./key.pem",
                    "../keys/hub",
                    "~/.ssh/id_ed25519",
                    "@/run/secrets/key",
                    "@key.pem",
                    "C:\\keys\\public.pem",
                    "C:/Program Files (x86)/hub/key",
                    "jwt/public.pem",
                    "public.key",
                    "file:/run/secrets/key",
                    "file:///run/secrets/key",
                ],
            ),
            (
                "a URL",
                &["https://auth.example.com/jwks.json", "http://a.example", "op://vault/hub/key"],
            ),
            (
                "a resource of AWS",
                &["arn:aws:secretsmanager:eu-central-1:123456789012:secret:hub-AbCdEf"],
            ),
        ] {
            for text in texts {
                assert!(
                    what(text).is_some_and(|what| what.contains(named)),
                    "{text}: {:?}",
                    what(text)
                );
            }
        }
    }
}
