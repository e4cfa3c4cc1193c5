//! CloudWatch, as far as the demo needs it: reports an alarm as an API destination of EventBridge does, with a key in a header.

use reqwest::Client;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::DemoError;
use super::person::Answer;

/// The header that API destinations are told to put the key into.
pub(super) const HEADER: &str = "X-Muster-Key";

/// The alarm as it fires, and as it is over.
pub(super) const FIRES: &str = include_str!("../../../../events/sources/cloudwatch-event-alarm.json");
pub(super) const IS_OVER: &str = include_str!("../../../../events/sources/cloudwatch-event-ok.json");

pub(super) struct CloudWatch {
    pub(super) key: SecretString,
    pub(super) server: String,
    pub(super) http: Client,
}

impl CloudWatch {
    /// Delivers a sample, byte by byte, to a hook; what the hook says became of it.
    pub(super) async fn report(&self, path: &str, sample: &'static str) -> Result<Value, DemoError> {
        let request = self.http.post(format!("{}{path}", self.server)).body(sample);
        let request = request.header(HEADER, self.key.expose_secret());
        Answer::to(format!("CloudWatch: POST {path}"), request).await?.expect(202)
    }
}
