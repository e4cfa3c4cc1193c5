//! An OIDC issuer on loopback, whose tokens the stack's authorizer verifies.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::routing::get;
use axum::{Json, Router};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

pub(super) struct Issuer {
    url: String,
    key: EncodingKey,
    key_id: String,
}

impl Issuer {
    /// Answers at `url` on a thread of its own, for it outlives each test's runtime. `key` is what the script made: a folder with
    /// the private key and the public set of keys.
    pub(super) fn start(url: &str, key: &Path) -> Self {
        let keys: Value = serde_json::from_slice(&std::fs::read(key.join("keys.json")).unwrap()).unwrap();
        let private = std::fs::read(key.join("private.der")).unwrap();
        let key_id = keys["keys"][0]["kid"].as_str().unwrap().to_owned();
        let listener = std::net::TcpListener::bind(url.trim_start_matches("http://")).unwrap();
        listener.set_nonblocking(true).unwrap();
        let configuration = json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
        std::thread::spawn(move || serve(listener, configuration, keys));
        Self { url: url.to_owned(), key: EncodingKey::from_rsa_der(&private), key_id }
    }

    pub(super) fn token(&self, audience: &str, user: &str, groups: &[&str]) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let claims = json!({
            "iss": self.url, "aud": audience, "sub": user, "groups": groups, "iat": now - 1, "exp": now + 3600,
        });
        let header = Header { kid: Some(self.key_id.clone()), ..Header::new(Algorithm::RS256) };
        jsonwebtoken::encode(&header, &claims, &self.key).unwrap()
    }
}

fn serve(listener: std::net::TcpListener, configuration: Value, keys: Value) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(async move || Json(configuration)))
            .route("/keys", get(async move || Json(keys)));
        axum::serve(listener, router).await.unwrap();
    });
}
