//! The protocol: asks the `OpenID` provider who somebody is (authorization code flow with PKCE), and
//! believes an ID token only once issuer, audience, nonce, expiry and signature are verified. Knows no
//! accounts and no pages. Blocks: callers leave the async threads.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dossier::accounts::hash_secret;
use dossier::clock::Micros;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata,
    CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AuthorizationCode, ClaimsVerificationError, Client, ClientId, ClientSecret, CsrfToken,
    DiscoveryError, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, IdTokenFields, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, StandardErrorResponse, StandardTokenResponse, TokenResponse as _,
};
use serde::{Deserialize, Serialize};

/// Longest wait for one answer of the provider.
const PATIENCE: Duration = Duration::from_secs(10);
/// Discovery documents, key sets and tokens have a few kilobytes.
const LARGEST_ANSWER: u64 = 1 << 20;
/// How long a discovery document with its keys is used without asking again.
const METADATA_LASTS: Micros = 10 * 60 * 1_000_000;
/// A token signed by an unknown key makes us ask for the keys again, so often at most: keys are changed
/// now and then, and forged tokens come as often as their maker likes.
const METADATA_LASTS_AT_LEAST: Micros = 30 * 1_000_000;

/// Signatures that somebody without the provider's private key cannot make.
const SIGNATURES: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What this installation is to the provider.
#[derive(Debug, Clone)]
pub(crate) struct Registration {
    pub(crate) issuer: IssuerUrl,
    pub(crate) client_id: ClientId,
    pub(crate) client_secret: Option<ClientSecret>,
    pub(crate) redirect: RedirectUrl,
    pub(crate) scopes: Vec<String>,
    pub(crate) roles_claim: String,
}

/// Who somebody is, as a verified token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) subject: String,
    pub(super) login: Option<String>,
    pub(super) name: Option<String>,
    pub(super) groups: Vec<String>,
}

/// Why it is not known who somebody is. The texts go to the log and carry nothing of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The provider cannot be asked.
    Unreachable(&'static str),
    /// What came back is not to be believed.
    Refused(&'static str),
}

#[derive(Debug)]
struct Known {
    at: Micros,
    metadata: CoreProviderMetadata,
}

#[derive(Debug)]
pub(crate) struct Provider {
    registration: Registration,
    agent: ureq::Agent,
    known: Mutex<Option<Known>>,
}

impl Provider {
    pub(crate) fn new(registration: Registration) -> Self {
        let tls = ureq::tls::TlsConfig::builder().root_certs(ureq::tls::RootCerts::PlatformVerifier).build();
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            // A redirect could lead into the internal network, with the client's secret.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .https_only(registration.issuer.url().scheme() == "https")
            .tls_config(tls)
            .build();
        Self { registration, agent: agent.into(), known: Mutex::new(None) }
    }

    pub(super) fn issuer(&self) -> &str {
        &self.registration.issuer
    }

    /// Whether its discovery document and keys are there.
    pub(super) fn reach(&self, now: Micros) -> Result<(), Trouble> {
        self.metadata(now, METADATA_LASTS).map(drop)
    }

    /// Where a browser is sent that keeps this secret.
    pub(super) fn authorize_url(&self, secret: &str, now: Micros) -> Result<String, Trouble> {
        let client = self.client(self.metadata(now, METADATA_LASTS)?);
        let (state, nonce) = (state_of(secret), nonce_of(secret));
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let mut request = client.authorize_url(flow, || CsrfToken::new(state), || nonce);
        for scope in &self.registration.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier_of(secret));
        let (url, _, _) = request.set_pkce_challenge(challenge).url();
        Ok(url.into())
    }

    /// Who came back with this code to the browser that keeps the secret.
    pub(super) fn identify(&self, code: String, secret: &str, now: Micros) -> Result<Person, Trouble> {
        let client = self.client(self.metadata(now, METADATA_LASTS)?);
        let request = client.exchange_code(AuthorizationCode::new(code));
        let request = request.map_err(|_| Trouble::Unreachable("the provider names no token endpoint"))?;
        let answer = request.set_pkce_verifier(verifier_of(secret)).request(&|request| self.call(request));
        let answer = answer.map_err(|error| match error {
            RequestTokenError::Request(_) => Trouble::Unreachable("the token endpoint does not answer"),
            RequestTokenError::ServerResponse(_) => Trouble::Refused("the provider took no code"),
            _ => Trouble::Refused("the token endpoint's answer cannot be understood"),
        })?;
        let token = answer.id_token().ok_or(Trouble::Refused("the answer has no ID token"))?;
        match self.verified(&client, token, secret, now) {
            // The provider may have changed its keys.
            Err(ClaimsVerificationError::SignatureVerification(_)) => {
                let client = self.client(self.metadata(now, METADATA_LASTS_AT_LEAST)?);
                self.verified(&client, token, secret, now).map_err(|error| told(&error))
            }
            verified => verified.map_err(|error| told(&error)),
        }
    }

    fn verified(
        &self,
        client: &OurClient,
        token: &OurIdToken,
        secret: &str,
        now: Micros,
    ) -> Result<Person, ClaimsVerificationError> {
        let moment = chrono::DateTime::from_timestamp_micros(now).unwrap_or_default();
        let verifier = client.id_token_verifier().set_allowed_algs(SIGNATURES).set_time_fn(move || moment);
        let claims = token.claims(&verifier, &nonce_of(secret))?;
        let name = claims.name().and_then(|names| names.get(None)).map(|name| name.to_string());
        let email = claims.email().map(|email| email.to_string());
        Ok(Person {
            subject: claims.subject().to_string(),
            login: claims.preferred_username().map(|login| login.to_string()).or(email),
            name,
            groups: groups(claims.additional_claims().0.get(&self.registration.roles_claim)),
        })
    }

    fn client(&self, metadata: CoreProviderMetadata) -> OurClient {
        let Registration { client_id, client_secret, redirect, .. } = &self.registration;
        Client::from_provider_metadata(metadata, client_id.clone(), client_secret.clone())
            .set_redirect_uri(redirect.clone())
    }

    /// The provider's endpoints and keys, asked for again when they are older than this.
    fn metadata(&self, now: Micros, lasts: Micros) -> Result<CoreProviderMetadata, Trouble> {
        if let Some(known) = &*self.known.lock().unwrap_or_else(PoisonError::into_inner)
            && known.at + lasts > now
        {
            return Ok(known.metadata.clone());
        }
        let found = CoreProviderMetadata::discover(&self.registration.issuer, &|request| self.call(request));
        let metadata = found.map_err(|error| {
            Trouble::Unreachable(match error {
                DiscoveryError::Request(_) => "the provider does not answer",
                DiscoveryError::Validation(_) => "the provider calls itself otherwise than it is configured",
                _ => "the discovery document or the keys cannot be understood",
            })
        })?;
        let known = Known { at: now, metadata: metadata.clone() };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(metadata)
    }

    fn call(&self, request: HttpRequest) -> Result<HttpResponse, ureq::Error> {
        let (parts, body) = request.into_parts();
        let answer = if body.is_empty() {
            self.agent.run(axum::http::Request::from_parts(parts, ()))
        } else {
            self.agent.run(axum::http::Request::from_parts(parts, body))
        }?;
        let (parts, mut body) = answer.into_parts();
        let bytes = body.with_config().limit(LARGEST_ANSWER).read_to_vec()?;
        Ok(HttpResponse::from_parts(parts, bytes))
    }
}

/// What the browser's secret makes of itself: the provider and onlookers learn the derived values and
/// cannot tell one from another, so that nothing has to be kept here.
fn derived(what: &str, secret: &str) -> String {
    hash_secret(&format!("{what} {secret}"))
}

fn state_of(secret: &str) -> String {
    derived("state", secret)
}

fn nonce_of(secret: &str) -> Nonce {
    Nonce::new(derived("nonce", secret))
}

fn verifier_of(secret: &str) -> PkceCodeVerifier {
    PkceCodeVerifier::new(derived("verifier", secret))
}

/// Whether this state was made for the browser that keeps the secret.
pub(super) fn is_state_of(state: &str, secret: &str) -> bool {
    // Compared as hashes, so that the time it takes tells nothing.
    hash_secret(state) == hash_secret(&state_of(secret))
}

fn told(error: &ClaimsVerificationError) -> Trouble {
    Trouble::Refused(match error {
        ClaimsVerificationError::Expired(_) => "the ID token has expired",
        ClaimsVerificationError::InvalidAudience(_) => "the ID token is for somebody else",
        ClaimsVerificationError::InvalidIssuer(_) => "the ID token is of another issuer",
        ClaimsVerificationError::InvalidNonce(_) => "the ID token was made for another login",
        ClaimsVerificationError::SignatureVerification(_) => "the ID token's signature does not hold",
        _ => "the ID token is not valid",
    })
}

fn groups(claim: Option<&serde_json::Value>) -> Vec<String> {
    match claim {
        Some(serde_json::Value::String(group)) => vec![group.clone()],
        Some(serde_json::Value::Array(groups)) => {
            groups.iter().filter_map(|group| group.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    }
}

/// Claims that are no standard ones; which of them names groups is configured.
#[derive(Debug, Serialize, Deserialize)]
struct OtherClaims(serde_json::Map<String, serde_json::Value>);

impl AdditionalClaims for OtherClaims {}

type OurFields = IdTokenFields<
    OtherClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type OurIdToken = openidconnect::IdToken<
    OtherClaims,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type OurClient = Client<
    OtherClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<OurFields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_fits_its_own_browser_alone() {
        let state = state_of("a secret");
        assert!(is_state_of(&state, "a secret"));
        assert!(!is_state_of(&state, "another secret"));
        assert_ne!(&state, nonce_of("a secret").secret());
        assert_ne!(&state, verifier_of("a secret").secret());
    }

    #[test]
    fn groups_are_a_text_or_a_list_of_texts() {
        let of = |value: serde_json::Value| groups(Some(&value));
        assert_eq!(of("staff".into()), ["staff"]);
        assert_eq!(of(serde_json::json!(["a", 1, "b"])), ["a", "b"]);
        assert!(of(serde_json::json!({"a": "b"})).is_empty() && groups(None).is_empty());
    }
}
