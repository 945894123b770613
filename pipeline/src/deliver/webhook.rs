//! Signed webhooks as Standard Webhooks says (<https://www.standardwebhooks.com>, version 1.0.0): the same id on
//! every attempt, the time of the attempt, HMAC-SHA256 over both and the body.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use url::Url;

use super::{ATTEMPT_TIME, DeliveryError, Failure};
use crate::clock::Micros;
use crate::config::{SecretSource, WebhookSettings};
use crate::net::{CallError, Outside, call};
use crate::store::DueDelivery;

/// What receivers answer is of no interest.
const LARGEST_ANSWER: usize = 64 << 10;
const PREFIX: &str = "whsec_";

pub(super) struct Webhook {
    outside: Outside,
    url: Url,
    /// Of which the first is the present one.
    keys: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Webhook").field("host", &self.host()).finish_non_exhaustive()
    }
}

impl Webhook {
    pub(super) fn new(settings: &WebhookSettings, outside: &Outside) -> Result<Self, DeliveryError> {
        let name = &settings.name;
        let url = outside
            .destination(&settings.url, false)
            .map_err(|source| DeliveryError::Destination { name: name.clone(), source })?;
        let sources = std::iter::once(&settings.secret).chain(&settings.previous_secret);
        let keys = sources.map(|source| key(name, source)).collect::<Result<_, _>>()?;
        Ok(Self { outside: outside.clone(), url, keys })
    }

    pub(super) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    pub(super) async fn send(&self, due: &DueDelivery, now: Micros) -> Result<(), Failure> {
        let timestamp = now / 1_000_000;
        let request = self
            .outside
            .post(self.url.clone())
            .header("content-type", "application/json")
            .header("webhook-id", &due.id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", self.signatures(&due.id, timestamp, &due.body))
            .header("dossier-event", due.occasion.as_str())
            .body(due.body.clone());
        let answer = call(request, ATTEMPT_TIME, LARGEST_ANSWER).await;
        match answer {
            // Whatever is said beside a success: it was taken.
            Err(CallError::TooLarge) => Ok(()),
            Err(error @ CallError::NotPublic) => Err(Failure::Lasting(error.to_string())),
            Err(error) => Err(Failure::Passing(error.to_string(), 0)),
            Ok(answer) => match answer.status {
                200..=299 => Ok(()),
                410 => Err(Failure::Lasting("it answered 410: it wants no more of these".to_owned())),
                300..=399 => {
                    Err(Failure::Passing("it leads elsewhere, and redirects are not followed".to_owned(), 0))
                }
                status => {
                    Err(Failure::Passing(format!("it answered {status}"), answer.retry_after.unwrap_or(0)))
                }
            },
        }
    }

    fn signatures(&self, id: &str, timestamp: i64, body: &str) -> String {
        let signed = format!("{id}.{timestamp}.{body}");
        let signatures = self.keys.iter().filter_map(|key| {
            let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
            mac.update(signed.as_bytes());
            Some(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

fn key(name: &str, source: &SecretSource) -> Result<Vec<u8>, DeliveryError> {
    let text = source.read().map_err(|source| DeliveryError::Secret { name: name.to_owned(), source })?;
    let key = text.strip_prefix(PREFIX).and_then(|text| BASE64_STANDARD.decode(text).ok());
    let fits = |key: &Vec<u8>| (24..=64).contains(&key.len());
    key.filter(fits).ok_or_else(|| DeliveryError::Key(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::NetworkSettings;

    fn webhook(secret: &str) -> Result<Webhook, DeliveryError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, secret).unwrap();
        let settings = WebhookSettings {
            name: "core".to_owned(),
            url: "https://hooks.example/x".to_owned(),
            secret: SecretSource::File(path),
            previous_secret: None,
            flows: [].into(),
            on: [].into(),
        };
        Webhook::new(&settings, &Outside::new(NetworkSettings::default()).unwrap())
    }

    #[test]
    fn the_signature_is_that_of_the_published_example() {
        // From the libraries' tests of Standard Webhooks.
        let webhook = webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed =
            webhook.signatures("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_of_another_form_is_refused() {
        for secret in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_abc", "whsec_AAAA", "whsec_ñ"] {
            assert!(matches!(webhook(secret), Err(DeliveryError::Key(_))), "{secret}");
        }
    }
}
