//! The public API as a client sees it: one call at a time, repeated only where a repeat is safe.

mod backoff;
mod base_url;
mod call;
mod client;
mod connection;
mod error;
mod key;
mod of_team;
mod pages;
mod problem;
mod token;

pub(crate) use self::base_url::{BaseUrl, InvalidUrl};
pub(crate) use self::call::{Call, Reply, object};
pub(crate) use self::client::Api;
pub(crate) use self::connection::{ConnectionArgs, ConnectionError};
pub(crate) use self::error::ApiError;
pub(crate) use self::key::IdempotencyKey;
pub(crate) use self::of_team::OfTeam;
pub(crate) use self::pages::PageArgs;
pub(crate) use self::problem::Problem;
