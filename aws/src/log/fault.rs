//! What went wrong with a call. What matters is whether the call may have been carried out.

use std::error::Error;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use super::error::LogError;
use super::item::Malformed;

/// Why a call got no usable answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// It was not carried out, and may safely be repeated, more slowly.
    #[error("throttled: {0}")]
    Throttled(String),
    /// It may have been carried out, or may yet be.
    #[error("no answer: {0}")]
    Unknown(String),
    /// It was not carried out, and repeating it would not help.
    #[error("refused: {0}")]
    Refused(String),
    /// The log is not as it should be.
    #[error("{0}")]
    Broken(String),
}

impl Fault {
    /// Classifies an error of the SDK.
    pub(super) fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let reason = DisplayErrorContext(error).to_string();
        let SdkError::ServiceError(service) = error else { return Self::Unknown(reason) };
        match service.err().code() {
            Some(
                "ProvisionedThroughputExceededException"
                | "RequestLimitExceeded"
                | "ReplicatedWriteConflictException"
                | "Throttling"
                | "ThrottlingException"
                | "TransactionConflictException",
            ) => Self::Throttled(reason),
            _ if service.raw().status().is_server_error() => Self::Unknown(reason),
            _ => Self::Refused(reason),
        }
    }
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        Self::Broken(malformed.to_string())
    }
}

impl From<Fault> for LogError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Broken(reason) => Self::Broken(reason),
            Fault::Throttled(_) | Fault::Unknown(_) | Fault::Refused(_) => {
                Self::Unavailable(fault.to_string())
            }
        }
    }
}
