//! The hub as AWS Lambda functions, over a log in DynamoDB.
//!
//! | to find | look in |
//! |---|---|
//! | how an update becomes durable, and how it is read back | [`log`] |

pub mod log;
