//! What template.yaml says: it is the only description of the table, deployed or local.

use std::fs;

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value};
use yaml_rust2::{Yaml, YamlLoader};

use crate::machine::workspace;

/// The table's properties, which are spelled as in DynamoDB's own API.
pub(crate) fn table() -> Result<Map<String, Value>> {
    let template = read()?;
    match json(&template["Resources"]["Table"]["Properties"]) {
        Value::Object(properties) => Ok(properties),
        _ => bail!("template.yaml has no Table with properties"),
    }
}

/// The program by which CloudFront chooses a function.
pub(crate) fn router() -> Result<String> {
    let code = &read()?["Resources"]["RouteByMethod"]["Properties"]["FunctionCode"];
    code.as_str().map(str::to_owned).context("template.yaml has no RouteByMethod with its code")
}

fn read() -> Result<Yaml> {
    let text = fs::read_to_string(workspace::path("template.yaml"))
        .context("cannot read template.yaml")?;
    let documents = YamlLoader::load_from_str(&text).context("template.yaml is not YAML")?;
    documents.into_iter().next().context("template.yaml is empty")
}

/// YAML as JSON, without its tags.
fn json(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Boolean(value) => (*value).into(),
        Yaml::Integer(value) => (*value).into(),
        Yaml::Real(text) | Yaml::String(text) => text.clone().into(),
        Yaml::Array(values) => values.iter().map(json).collect(),
        Yaml::Hash(pairs) => pairs
            .iter()
            .filter_map(|(name, value)| Some((name.as_str()?.to_owned(), json(value))))
            .collect(),
        Yaml::Null | Yaml::Alias(_) | Yaml::BadValue => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use cinnabar_core::Config;
    use cinnabar_core::config::{VARIABLES, Variable};

    use super::*;
    use crate::hubs::platforms::AWS;

    /// What the template sets by itself: the two functions' parts, a secret that it makes, and what
    /// its own router sets.
    const SET: [&str; 3] = ["SERVES", "ORIGIN_SECRET", "ADDRESS_HEADER"];

    fn variables() -> impl Iterator<Item = &'static Variable> {
        VARIABLES
            .iter()
            .filter(|variable| AWS.reads(variable.name) && !SET.contains(&variable.name))
    }

    fn template() -> Value {
        json(&read().unwrap())
    }

    /// A variable's name as CloudFormation allows it: `HUB_URL` is `HubUrl`.
    fn parameter_name(variable: &str) -> String {
        variable
            .split('_')
            .map(|word| format!("{}{}", &word[..1], word[1..].to_ascii_lowercase()))
            .collect()
    }

    #[test]
    fn every_variable_is_a_parameter() {
        let template = template();
        let environment = &template["Globals"]["Function"]["Environment"]["Variables"];
        for variable in variables() {
            let name = parameter_name(variable.name);
            let parameter = &template["Parameters"][&name];
            let default = AWS.default_of(variable.name);
            assert_eq!(parameter["Default"], default, "Parameters: {name}");
            assert_eq!(parameter["NoEcho"] == true, variable.secret, "Parameters: {name}");
            let value = match variable.name {
                // Each function has its own URL.
                "HUB_URL" => continue,
                // What is not echoed is never left empty at a prompt, so there is a word for none.
                _ if variable.secret => serde_json::json!([format!("Has{name}"), name, ""]),
                _ => name.into(),
            };
            assert_eq!(environment[variable.name], value, "Globals: {}", variable.name);
        }
    }

    #[test]
    fn the_hub_starts_with_the_defaults_and_keys() {
        let template = template();
        let key = "k".repeat(32);
        let variables = variables().map(|variable| {
            let parameter = &template["Parameters"][parameter_name(variable.name)];
            let default = parameter["Default"].as_str().unwrap();
            let value = if variable.name.ends_with("_KEY") { &key } else { default };
            (variable.name.to_owned(), value.to_owned())
        });
        let config = Config::read(&AWS, variables).unwrap();
        assert!(config.warnings().is_empty(), "{:?}", config.warnings());
    }

    /// The log would raise it to this, and its owner would not notice.
    #[test]
    fn a_history_is_not_shorter_than_the_log_keeps() {
        let age = &template()["Parameters"]["HistoryAge"];
        let pattern = age["AllowedPattern"].as_str().unwrap();
        let pattern = regex::Regex::new(&format!("^(?:{pattern})$")).unwrap();
        for (age, is_allowed) in [
            ("10m", true),
            ("90m", true),
            ("1h", true),
            ("24h", true),
            ("7d", true),
            ("9m", false),
            ("05m", false),
            ("0h", false),
            ("60s", false),
            ("24", false),
            ("", false),
        ] {
            assert_eq!(pattern.is_match(age), is_allowed, "{age}");
        }
    }

    #[test]
    fn nothing_may_be_scanned_or_done_without_a_limit() {
        let template = template();
        for role in ["PublishRole", "SubscribeRole"] {
            let role = template["Resources"][role].to_string();
            assert!(role.contains("dynamodb:PutItem"), "{role}");
            for right in
                ["dynamodb:Scan", "dynamodb:*", "dynamodb:DeleteT", "dynamodb:Batch", "\"*\""]
            {
                assert!(!role.contains(right), "{right} in {role}");
            }
        }
    }

    /// Nobody deletes what the log holds.
    #[test]
    fn only_who_has_gone_is_deleted() {
        let template = template();
        let statements = |role: &str| {
            let policies = &template["Resources"][role]["Properties"]["Policies"];
            policies[0]["PolicyDocument"]["Statement"].as_array().unwrap().clone()
        };
        let mut deletes = ["PublishRole", "SubscribeRole"].into_iter().flat_map(statements);
        let deleting = deletes.find(|it| it["Action"].to_string().contains("Delete")).unwrap();
        assert_eq!(deleting["Action"], "dynamodb:DeleteItem");
        let keys = &deleting["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
        assert_eq!(*keys, serde_json::json!(["here#*", "holders#*"]));
        assert!(!deletes.any(|it| it["Action"].to_string().contains("Delete")));
    }

    #[test]
    fn both_urls_stream_to_everybody() {
        let resources = &template()["Resources"];
        for function in ["Publish", "Subscribe"] {
            let url = &resources[format!("{function}Url")]["Properties"];
            assert_eq!(
                (&url["AuthType"], &url["InvokeMode"]),
                (&"NONE".into(), &"RESPONSE_STREAM".into())
            );
            for (permission, action) in [
                ("UrlPermission", "lambda:InvokeFunctionUrl"),
                ("InvokePermission", "lambda:InvokeFunction"),
            ] {
                let permission = &resources[format!("{function}{permission}")]["Properties"];
                assert_eq!(permission["Action"], action);
                assert_eq!(permission["FunctionName"], format!("{function}Function.Arn"));
            }
        }
    }

    #[test]
    fn the_table_keeps_its_data() {
        let table = table().unwrap();
        assert_eq!(table["DeletionProtectionEnabled"], true);
        assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true);
        assert_eq!(table["BillingMode"], "PAY_PER_REQUEST");
        assert_eq!(table["TimeToLiveSpecification"]["AttributeName"], "ttl");
    }
}
