//! The platforms that the hub is deployed on, as their shells describe them.

use cinnabar_core::Platform;
pub(crate) use cinnabar_kit::CLOUDFLARE;

#[path = "../../../aws/src/deployment.rs"]
#[expect(unreachable_pub, reason = "in its own crate it can be reached")]
mod aws;
#[path = "../../../native/src/deployment.rs"]
#[expect(unreachable_pub, reason = "in its own crate it can be reached")]
mod native;

pub(crate) use aws::PLATFORM as AWS;
pub(crate) use native::PLATFORM as NATIVE;

/// Every platform, in the order in which the README names them.
pub(crate) const ALL: [&Platform; 3] = [&CLOUDFLARE, &AWS, &NATIVE];

#[cfg(test)]
mod tests {
    use cinnabar_core::Config;
    use cinnabar_core::config::VARIABLES;
    use cinnabar_kit::development::{Variables, in_development};

    use super::*;

    #[test]
    fn their_defaults_are_valid() {
        let key = ("MERCURE_PUBLISHER_JWT_KEY".to_owned(), "k".repeat(32));
        let anonymous = ("ANONYMOUS".to_owned(), "1".to_owned());
        for platform in ALL {
            let config = Config::read(platform, [key.clone(), anonymous.clone()]).unwrap();
            assert!(config.warnings().is_empty(), "{}: {:?}", platform.name, config.warnings());
        }
    }

    #[test]
    fn they_name_variables_that_there_are() {
        for platform in ALL {
            let named = platform.defaults.iter().chain(platform.notes).map(|(name, _)| name);
            for name in named.chain(platform.unread) {
                let exists = VARIABLES.iter().any(|variable| variable.name == *name);
                assert!(exists, "{}: {name}", platform.name);
            }
        }
    }

    #[test]
    fn a_hub_in_development_needs_no_more() {
        let defaults = in_development(Variables::new(), 8787);
        for platform in ALL {
            let config = Config::read(platform, defaults.clone()).unwrap();
            assert!(config.warnings().is_empty(), "{}: {:?}", platform.name, config.warnings());
        }
    }
}
