//! Texts that only stand in for a secret: commands, placeholders, paths.
//!
//! Nothing here runs, fills in or reads them; and whoever has the file in which they were written
//! has them, too. As secrets they would let all of these sign tokens.

/// What a text is, if it only stands for a secret, and what to write; to be read after its name.
pub(crate) fn what(text: &str) -> Option<&'static str> {
    if is_command(text) {
        Some("is a command that no shell has run; give what it prints")
    } else if is_placeholder(text) {
        Some("is a placeholder that nothing was put in for; give what it stands for")
    } else if text.starts_with("arn:") && text.matches(':').count() > 1 {
        Some("is the name of a resource of AWS, and not what is in it; give that")
    } else if text.starts_with("file:") || is_path(text) {
        Some("is the path of a file, and not what is in it; give its content")
    } else if is_url(text) {
        Some(
            "is a URL, and not the secret or key itself; give that, or the URL of a set of public keys in the variable whose name ends in _JWKS_URI (in a list: `jwks_uri`)",
        )
    } else {
        None
    }
}

fn within<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.strip_prefix(start)?.strip_suffix(end)
}

/// As shells and Azure run them. Random characters may well begin and end with a backquote.
fn is_command(text: &str) -> bool {
    let is_plain = |command: &str| {
        command.contains(char::is_whitespace) || command.chars().all(char::is_alphanumeric)
    };
    within(text, "$(", ")").is_some()
        || within(text, "<(", ")").is_some()
        || within(text, "`", "`").is_some_and(is_plain)
        || text.starts_with("@Microsoft.KeyVault(")
        || holds_name(text, "$(", &[")", " ", "\t", "\n"])
}

/// As shells, Windows, PowerShell, Caddy, Symfony, CloudFormation, templates and people write them.
fn is_placeholder(text: &str) -> bool {
    let is_phrase = |phrase: &str| {
        phrase.chars().all(|character| character.is_alphanumeric() || " -_.".contains(character))
    };
    let is_constant = |name: &str| name.len() > 2 && is_name(name) && !name.contains(is_lower);
    let variable = text.strip_prefix('$').map(|rest| rest.split('/').next().unwrap_or(rest));
    let tags = ["!Sub ", "!Ref ", "!GetAtt ", "!ImportValue "];
    within(text, "${", "}").is_some()
        || within(text, "{{", "}}").is_some()
        || within(text, "<%", "%>").is_some()
        || within(text, "{$", "}").is_some()
        || text.starts_with("$env:")
        || variable.is_some_and(is_constant)
        || within(text, "%", "%").is_some_and(is_constant)
        || within(text, "<", ">").is_some_and(is_phrase)
        || tags.iter().any(|tag| text.starts_with(tag))
        || ["{env.", "{file.", "%env("].iter().any(|start| text.contains(start))
        || ["${", "{$"].iter().any(|start| holds_name(text, start, &["}", ":-"]))
        || text.strip_prefix("${").is_some_and(is_name)
}

/// Whether a text holds, at whatever place, a name behind this start and before one of these ends. Of
/// random secrets of 64 printable characters, fewer than one in ten thousand do.
fn holds_name(text: &str, start: &str, ends: &[&str]) -> bool {
    text.split(start).skip(1).any(|rest| {
        let end = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
        let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
        name.len() > 2 && is_name(name) && ends.iter().any(|end| rest.starts_with(end))
    })
}

/// A name of a variable, or of a program, as they are written: in letters of one case.
fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !(text.contains(is_lower) && text.contains(|letter: char| letter.is_ascii_uppercase()))
}

fn is_lower(letter: char) -> bool {
    letter.is_ascii_lowercase()
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
    let is_rooted = text.strip_prefix('/').is_some_and(|rest| {
        let is_word = |word: &str| word.len() > 1 && word.chars().all(is_lower);
        roots.iter().any(|root| text.starts_with(root))
            || !text.contains(|letter: char| letter.is_ascii_uppercase())
            // No alphabet of Base64 has a slash together with one of these.
            || text.contains(['_', '-', '.']) && rest.split('/').next().is_some_and(is_word)
    });
    let extensions =
        ["pem", "key", "pub", "crt", "cer", "der", "jwk", "jwks", "json", "txt", "env"];
    let is_extension = |end: &str| extensions.iter().any(|known| known.eq_ignore_ascii_case(end));
    let has_extension = text.rsplit_once('.').is_some_and(|(_, end)| is_extension(end));
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
            (
                "a command",
                &[
                    "$(cat key.pem)",
                    "$(cat key.pem)x",
                    "key=$(openssl rand -hex 32)",
                    "`cat key`",
                    "`cat\tkey.pem`",
                    "`pwgen`",
                    "<(cat key.pem)",
                    "@Microsoft.KeyVault(SecretUri=https://hub.vault.azure.net/secrets/key)",
                ][..],
            ),
            (
                "a placeholder",
                &[
                    "${JWT_KEY}",
                    "${JWT_KEY:-!ChangeMe!}",
                    "${JWT_KEY",
                    "prefix-${JWT_KEY}",
                    "${jwt_key}-suffix",
                    "Bearer ${JWT_KEY:-none}",
                    "$MERCURE_JWT_KEY",
                    "$HOME/keys/public.pem",
                    "{env.MERCURE_PUBLISHER_JWT_KEY}",
                    "{$MERCURE_PUBLISHER_JWT_KEY}",
                    "{$MERCURE_PUBLISHER_JWT_KEY:!ChangeMe!}",
                    "{file./run/secrets/key}",
                    "%env(MERCURE_JWT_SECRET)%",
                    "%env(file:MERCURE_JWT_SECRET)%",
                    "<%= ENV['JWT_KEY'] %>",
                    "!Sub ${JwtKey}",
                    "!Ref JwtKey",
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
                    "/secrets/JWT_KEY",
                    "/mnt/secrets-store/JwtKey",
                    "key.PEM",
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
