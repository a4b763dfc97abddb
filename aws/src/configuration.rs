//! The function's configuration: its environment, and a secret that may hold the keys.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use cinnabar_core::Config;

use crate::deployment::PLATFORM;
use crate::log::Settings;

/// Short, because calls to AWS services stay within a Region.
const CONNECT: Duration = Duration::from_secs(1);
const ATTEMPT: Duration = Duration::from_secs(5);

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// It has to be fixed.
    #[error("{0}")]
    Broken(String),
    /// The secret could not be read this time.
    #[error("the secret {arn} could not be read: {reason}")]
    Secret {
        /// Which secret.
        arn: String,
        /// Why.
        reason: String,
    },
}

/// How AWS services are called.
pub async fn sdk() -> SdkConfig {
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT);
    aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts.build()).load().await
}

/// Reads the configuration of the hub and of its log, from these variables and from the secret that
/// one of them may name.
///
/// # Errors
///
/// Every mistake at once, or a secret that could not be read.
pub async fn read(
    sdk: &SdkConfig,
    mut variables: BTreeMap<String, String>,
) -> Result<(Config, Settings), ConfigurationError> {
    if let Some(arn) = variables.remove("SECRETS_ARN") {
        variables.extend(secret(sdk, arn).await?);
    }
    parse(variables)
}

/// The environment's variables, without the empty ones.
#[must_use]
pub fn environment() -> BTreeMap<String, String> {
    // All of the hub's variables are text; ignore any that are not.
    let text = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    text.filter(|(_, value)| !value.is_empty()).collect()
}

/// The variables in a secret: the members of a JSON object.
async fn secret(
    sdk: &SdkConfig,
    arn: String,
) -> Result<BTreeMap<String, String>, ConfigurationError> {
    let client = aws_sdk_secretsmanager::Client::new(sdk);
    let secret = client.get_secret_value().secret_id(&arn).send().await.map_err(|error| {
        let reason = aws_sdk_secretsmanager::error::DisplayErrorContext(error).to_string();
        ConfigurationError::Secret { arn: arn.clone(), reason }
    })?;
    members(secret.secret_string().unwrap_or_default()).ok_or_else(|| {
        ConfigurationError::Broken(format!(
            "SECRETS_ARN: {arn} is not a JSON object of strings; write it like {{\"MERCURE_PUBLISHER_JWT_KEY\": \"…\"}}"
        ))
    })
}

fn members(secret: &str) -> Option<BTreeMap<String, String>> {
    serde_json::from_str(secret).ok()
}

fn parse(
    mut variables: BTreeMap<String, String>,
) -> Result<(Config, Settings), ConfigurationError> {
    let table = variables.remove("TABLE_NAME");
    let shard = variables.remove("SHARD").unwrap_or_else(|| "hub".to_owned());
    let no_table = "TABLE_NAME: is not set; set it to the name of the table that holds the log";
    match (Config::read(&PLATFORM, variables), table) {
        (Ok(config), Some(table)) => {
            let retention = config.history_age();
            Ok((config, Settings { table, shard, retention }))
        }
        (Ok(_), None) => Err(ConfigurationError::Broken(no_table.to_owned())),
        (Err(mistakes), Some(_)) => Err(ConfigurationError::Broken(mistakes.to_string())),
        (Err(mistakes), None) => Err(ConfigurationError::Broken(format!("{mistakes}\n{no_table}"))),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_table_and_keys_are_all_it_needs() {
        let key = "a publisher's key of thirty-two bytes";
        let given = [("TABLE_NAME", "t"), ("MERCURE_PUBLISHER_JWT_KEY", key), ("ANONYMOUS", "1")];
        let (_, settings) = parse(variables(&given)).unwrap();
        assert_eq!((settings.table.as_str(), settings.shard.as_str()), ("t", "hub"));
        assert_eq!(settings.retention, Duration::from_secs(24 * 3600));
        let mistakes = parse(variables(&[("HEARTBEAT", "soon")])).unwrap_err().to_string();
        for name in ["TABLE_NAME", "HEARTBEAT"] {
            assert!(mistakes.contains(&format!("{name}: ")), "{name} in {mistakes}");
        }
    }

    /// Answers one call as Secrets Manager does. Returns the URL to call.
    async fn secrets_manager(answer: &'static str) -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"}") {
                connection.read_buf(&mut request).await.unwrap();
            }
            assert!(String::from_utf8(request).unwrap().contains(r#"{"SecretId":"arn:x"}"#));
            connection.write_all(answer.as_bytes()).await.unwrap();
        });
        url
    }

    async fn read_from(url: &str) -> Result<(Config, Settings), ConfigurationError> {
        let sdk = aws_config::defaults(BehaviorVersion::latest())
            .endpoint_url(url)
            .region("us-east-1")
            .credentials_provider(aws_sdk_dynamodb::config::Credentials::for_tests())
            .retry_config(aws_config::retry::RetryConfig::disabled())
            .load()
            .await;
        let given = [("SECRETS_ARN", "arn:x"), ("TABLE_NAME", "t"), ("ANONYMOUS", "1")];
        read(&sdk, variables(&given)).await
    }

    #[tokio::test]
    async fn keys_may_be_in_a_secret() {
        let url = secrets_manager(concat!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: 94\r\n\r\n",
            r#"{"SecretString": "{\"MERCURE_PUBLISHER_JWT_KEY\": \"a publisher's key of thirty-two bytes\"}"}"#
        ));
        let (config, settings) = read_from(&url.await).await.unwrap();
        assert!(config.warnings().is_empty() && settings.table == "t");
    }

    #[tokio::test]
    async fn a_secret_that_cannot_be_read_is_no_mistake_of_the_configuration() {
        let url =
            secrets_manager("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
        let failed = read_from(&url.await).await.unwrap_err();
        assert!(matches!(failed, ConfigurationError::Secret { arn, .. } if arn == "arn:x"));
    }

    #[test]
    fn a_secret_is_an_object_of_strings() {
        assert_eq!(members(r#"{"A": "b"}"#), Some(variables(&[("A", "b")])));
        for wrong in ["", "x", "[]", r#"{"A": 1}"#] {
            assert_eq!(members(wrong), None, "{wrong}");
        }
    }
}
