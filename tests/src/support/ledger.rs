//! Between a process and AWS: every call of an API is written down and passed on.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::proxy::{Answer, Between, Passing, serve};

/// Who a call is passed on to, by how its service's name starts, as in `DynamoDB_`.
pub(crate) type Services = Vec<(&'static str, SocketAddr)>;

pub(crate) struct Ledger {
    services: Services,
    client: reqwest::Client,
    calls: Mutex<Vec<ApiCall>>,
}

/// A call as it was made.
#[derive(Debug, Clone)]
pub(crate) struct ApiCall {
    /// As in `AmazonSQS`.
    pub(crate) service: String,
    /// As in `SendMessage`.
    pub(crate) operation: String,
    pub(crate) request: Value,
}

impl Ledger {
    /// Also gives the address at which it takes calls for all of these services.
    pub(crate) async fn before(services: Services) -> (Arc<Self>, SocketAddr) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let ledger = Arc::new(Self { services, client, calls: Mutex::default() });
        let address = serve(Arc::clone(&ledger) as Arc<dyn Between>).await;
        (ledger, address)
    }

    /// Every call so far, in order.
    pub(crate) fn calls(&self) -> Vec<ApiCall> {
        self.calls.lock().unwrap().clone()
    }
}

#[async_trait::async_trait]
impl Between for Ledger {
    async fn pass(&self, request: Passing) -> Option<Answer> {
        let (service, operation) = request.operation();
        let known = self.services.iter().find(|(prefix, _)| service.starts_with(prefix));
        let (_, to) = *known.unwrap_or_else(|| panic!("nobody knows the service {service:?}"));
        let call = ApiCall {
            service: service.to_owned(),
            operation: operation.to_owned(),
            request: serde_json::from_slice(&request.body).unwrap(),
        };
        self.calls.lock().unwrap().push(call);
        request.forward(&self.client, to).await
    }
}
