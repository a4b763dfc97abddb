//! A case: a name, what it needs, and the function that shows a rule.

use std::sync::Arc;

use libtest_mimic::{Completion, Trial};

use crate::arguments::{Arguments, Capability};
use crate::hub::Hub;
use crate::launch::{Hubs, Kind, Variables};

/// One case of the suite.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    name: &'static str,
    needs: &'static [Capability],
    /// Whether it takes hubs of another kind.
    beside: bool,
    body: Body,
}

#[derive(Clone, Copy)]
enum Body {
    /// On a hub shared by all cases with this configuration, which is empty for the default one.
    Shared(Variables, fn(&Hub)),
    /// With hubs of its own, which it starts, kills and restarts.
    Launching(fn(&Suite)),
}

/// Makes a function a [`Case`], named after its path.
macro_rules! case {
    ($function:ident) => {
        $crate::case::Case::shared(
            concat!(module_path!(), "::", stringify!($function)),
            &[],
            $function,
        )
    };
    ($function:ident on $variables:expr) => {
        $crate::case::Case::shared(
            concat!(module_path!(), "::", stringify!($function)),
            $variables,
            $function,
        )
    };
    ($function:ident launching) => {
        $crate::case::Case::launching(
            concat!(module_path!(), "::", stringify!($function)),
            $function,
        )
    };
}
pub(crate) use case;

impl Case {
    /// A case on a shared hub; written with [`case!`].
    pub(crate) const fn shared(
        name: &'static str,
        variables: Variables,
        function: fn(&Hub),
    ) -> Self {
        Self { name, needs: &[], beside: false, body: Body::Shared(variables, function) }
    }

    /// A case with hubs of its own; written with [`case!`].
    pub(crate) const fn launching(name: &'static str, function: fn(&Suite)) -> Self {
        Self { name, needs: &[], beside: false, body: Body::Launching(function) }
    }

    /// Skips the case on platforms that take these away.
    pub(crate) const fn needing(mut self, capabilities: &'static [Capability]) -> Self {
        self.needs = capabilities;
        self
    }

    /// Skips the case unless there is a command for hubs of another kind.
    pub(crate) const fn beside(mut self) -> Self {
        self.beside = true;
        self
    }

    /// The case as the harness runs it.
    pub(crate) fn into_trial(self, suite: Arc<Suite>) -> Trial {
        // `crate::cases::publish::rule` is known as `publish::rule`.
        let (_, name) = self.name.split_once("::").unwrap_or(("", self.name));
        let name = name.strip_prefix("cases::").unwrap_or(name).to_owned();
        Trial::ignorable_test(name, move || Ok(self.run(&suite)))
    }

    fn run(&self, suite: &Suite) -> Completion {
        let without = &suite.arguments.without;
        if let Some(missing) = self.needs.iter().find(|need| without.contains(need)) {
            return Completion::ignored_with(format!("the platform has no {missing:?}"));
        }
        if self.beside && suite.arguments.launch_beside.is_none() {
            return Completion::ignored_with("needs hubs of another kind: --launch-beside");
        }
        match self.body {
            Body::Shared(variables, function) => match suite.hubs.shared(variables) {
                Some(hub) => function(&hub),
                None => return Completion::ignored_with(format!("needs a hub with {variables:?}")),
            },
            Body::Launching(function) if suite.hubs.can_launch() => function(suite),
            Body::Launching(_) => return Completion::ignored_with("starts hubs of its own"),
        }
        Completion::Completed
    }
}

/// What the cases share.
pub(crate) struct Suite {
    pub(crate) arguments: Arguments,
    pub(crate) hubs: Hubs,
}

impl Suite {
    pub(crate) fn new(arguments: Arguments) -> Result<Self, String> {
        Ok(Self { hubs: Hubs::new(&arguments)?, arguments })
    }

    /// Starts a hub for this case alone; it ends when it is dropped.
    #[track_caller]
    pub(crate) fn launch(&self, variables: &[(&str, &str)]) -> Hub {
        self.launch_kind(Kind::Own, variables)
    }

    /// The same, for a hub of one kind or the other.
    #[track_caller]
    pub(crate) fn launch_kind(&self, kind: Kind, variables: &[(&str, &str)]) -> Hub {
        match self.hubs.launch(kind, variables) {
            Ok(hub) => hub,
            Err(reason) => panic!("{reason}"),
        }
    }
}
