//! Calls to other systems over HTTP: to hosts that the operator named, at addresses that are public or
//! that the operator opened, never along a redirect or through a proxy of the environment.
//!
//! A name is resolved once and the connection goes to just the addresses that were looked at, so that a
//! name that changes its address between look and call gains nothing.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use url::{Host, Url};

/// Longest wait for a connection; whole calls have limits of their own.
const CONNECT_TIME: Duration = Duration::from_secs(5);

/// The section `[network]` of `dossier.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkSettings {
    /// Hosts that the flows' connectors may call.
    pub hosts: BTreeSet<String>,
    /// Hosts that may have private addresses (of the own network or machine) and be called without TLS;
    /// connectors may call them too.
    pub private: BTreeSet<String>,
}

/// Why nobody calls there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    #[error("{0} is no address of the form https://host/path")]
    NoAddress(String),
    #[error("{0} carries a name or password: credentials are named, not written into addresses")]
    Credentials(String),
    #[error("{0} is called without TLS: use https, or name the host under [network] private")]
    Plain(String),
    #[error("{0} is not among the hosts of [network] in the configuration")]
    Unlisted(String),
    #[error("{0} has an address that is not public: name the host under [network] private if it may")]
    NotPublic(String),
}

/// Why a call gave no answer. Names no address: it may carry what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    #[error("it did not answer in time")]
    TooSlow,
    #[error("its address is not public and the configuration does not allow that")]
    NotPublic,
    #[error("it cannot be reached")]
    Unreachable,
    #[error("the answer broke off")]
    BrokenOff,
    #[error("the answer is too large")]
    TooLarge,
}

/// Makes ring the one provider of cryptography for all TLS of the process. Twice is no harm: whoever came first
/// installed the same one.
pub fn use_ring() {
    rustls::crypto::ring::default_provider().install_default().ok();
}

/// Who may be called, and the client that does it. Cheap to share.
#[derive(Debug, Clone)]
pub struct Outside {
    client: Client,
    settings: Arc<NetworkSettings>,
}

impl Outside {
    /// A machine without any certificates of authorities (a bare container, say) does all that needs no call; what
    /// calls over TLS reaches nobody there.
    ///
    /// # Errors
    /// When hosts are configured and the system's certificates cannot be used.
    pub fn new(settings: NetworkSettings) -> Result<Self, reqwest::Error> {
        use_ring();
        let settings = Arc::new(settings);
        let builder = || {
            Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .connect_timeout(CONNECT_TIME)
                .dns_resolver(Resolver { settings: Arc::clone(&settings) })
                .user_agent(concat!("dossier/", env!("CARGO_PKG_VERSION")))
        };
        let client = match builder().build() {
            Err(error) if settings.hosts.is_empty() => {
                tracing::info!(%error, "the system has no certificates of authorities: nothing is called over TLS");
                builder().tls_certs_only([]).build()?
            }
            built => built?,
        };
        Ok(Self { client, settings })
    }

    /// The address, if it may be called; `listed` asks that its host is among those of the configuration.
    ///
    /// # Errors
    /// What is wrong with it, without asking the network.
    pub fn destination(&self, address: &str, listed: bool) -> Result<Url, DestinationError> {
        let url = Url::parse(address).map_err(|_| DestinationError::NoAddress(address.to_owned()))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        if !matches!(url.scheme(), "https" | "http") || host.is_empty() {
            return Err(DestinationError::NoAddress(address.to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(DestinationError::Credentials(host));
        }
        let private = self.settings.private.contains(&host);
        if listed && !private && !self.settings.hosts.contains(&host) {
            return Err(DestinationError::Unlisted(host));
        }
        if url.scheme() == "http" && !private {
            return Err(DestinationError::Plain(host));
        }
        // Numbers in the place of a name are not resolved: they are looked at here.
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            _ => None,
        };
        if address.is_some_and(|address| !private && !is_public(address)) {
            return Err(DestinationError::NotPublic(host));
        }
        Ok(url)
    }

    /// Whether the host may have private addresses and be called without TLS.
    pub(crate) fn may_be_private(&self, host: &str) -> bool {
        self.settings.private.contains(host)
    }

    pub(crate) fn get(&self, url: Url) -> RequestBuilder {
        self.client.get(url)
    }

    pub(crate) fn post(&self, url: Url) -> RequestBuilder {
        self.client.post(url)
    }
}

/// Sends a request and reads its answer, of at most `most_bytes`, within `time`.
pub(crate) async fn call(
    request: RequestBuilder,
    time: Duration,
    most_bytes: usize,
) -> Result<Answer, CallError> {
    let mut response = request.timeout(time).send().await.map_err(|error| told(&error))?;
    let status = response.status().as_u16();
    let wait = response.headers().get("retry-after");
    let retry_after = wait.and_then(|value| value.to_str().ok()?.parse().ok());
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| told(&error))? {
        if body.len() + piece.len() > most_bytes {
            return Err(CallError::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
    Ok(Answer { status, body, retry_after })
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// Seconds that the other side asks us to wait.
    pub(crate) retry_after: Option<u32>,
}

fn told(error: &reqwest::Error) -> CallError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(inner) = cause {
        if inner.is::<Refused>() {
            return CallError::NotPublic;
        }
        cause = inner.source();
    }
    if error.is_timeout() {
        CallError::TooSlow
    } else if error.is_connect() || error.is_request() {
        CallError::Unreachable
    } else {
        CallError::BrokenOff
    }
}

/// A name has an address that is not public.
#[derive(Debug, thiserror::Error)]
#[error("the name has an address that is not public")]
struct Refused;

struct Resolver {
    settings: Arc<NetworkSettings>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let settings = Arc::clone(&self.settings);
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let may_be_private = settings.private.contains(name.as_str());
            if !may_be_private && found.iter().any(|address| !is_public(address.ip())) {
                return Err(Refused.into());
            }
            let found: Addrs = Box::new(found.into_iter());
            Ok(found)
        })
    }
}

/// Whether an address belongs to the internet at large (IANA's special-purpose registries say which do not).
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocols = a == 192 && b == 0 && c == 0;
    let relays = a == 192 && b == 88 && c == 99;
    let benchmarks = a == 198 && (b == 18 || b == 19);
    !(a == 0
        || a >= 224
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || shared
        || protocols
        || relays
        || benchmarks)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let carried = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match segments {
        // Mapped and compatible IPv4, and translated IPv4 (RFC 6052): what they lead to counts.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            is_public_v4(carried(high, low))
        }
        [0, 0, 0, 0, 0, 0, _, _] | [0x64, 0xff9b, 1, ..] => false,
        [0x2002, high, low, ..] => is_public_v4(carried(high, low)),
        // Teredo, benchmarks, ORCHID and documentation.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        // Global unicast is 2000::/3; the rest is local, multicast or nobody's.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outside(hosts: &[&str], private: &[&str]) -> Outside {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Outside::new(NetworkSettings { hosts: set(hosts), private: set(private) }).unwrap()
    }

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fc00::1",
            "fe80::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "::7f00:1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in
            ["1.1.1.1", "8.8.8.8", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
        {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn destinations_are_named_by_the_operator() {
        let outside =
            outside(&["api.example.org", "8.8.8.8", "10.0.0.1"], &["crm.internal", "127.0.0.1", "[::1]"]);
        let listed = |address: &str| outside.destination(address, true).map(|url| url.to_string());
        for good in [
            "https://api.example.org/x",
            "http://crm.internal:8080/x",
            "http://127.0.0.1/x",
            "https://8.8.8.8/",
            "http://[::1]/",
        ] {
            assert_eq!(listed(good), Ok(good.to_owned()));
        }
        let host = |host: &str| host.to_owned();
        for (bad, why) in [
            ("https://other.example.org/", DestinationError::Unlisted(host("other.example.org"))),
            ("http://api.example.org/", DestinationError::Plain(host("api.example.org"))),
            ("https://a:b@api.example.org/", DestinationError::Credentials(host("api.example.org"))),
            ("https://10.0.0.1/", DestinationError::NotPublic(host("10.0.0.1"))),
            // Other spellings of 127.0.0.2.
            ("https://2130706434/", DestinationError::Unlisted(host("127.0.0.2"))),
            ("file:///etc/passwd", DestinationError::NoAddress(host("file:///etc/passwd"))),
            ("api.example.org", DestinationError::NoAddress(host("api.example.org"))),
        ] {
            assert_eq!(listed(bad), Err(why), "{bad}");
        }
        let of_operator = outside.destination("https://0x7f.0.0.2/", false);
        assert_eq!(of_operator, Err(DestinationError::NotPublic(host("127.0.0.2"))));
    }

    #[tokio::test]
    async fn a_name_that_leads_to_the_own_machine_is_not_called() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let outside = outside(&["localhost"], &[]);
        let url = outside.destination(&format!("https://localhost:{port}/"), true).unwrap();
        let answer = call(outside.get(url), Duration::from_secs(5), 10).await;
        assert_eq!(answer.unwrap_err(), CallError::NotPublic);
        let nobody_came = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(nobody_came.is_err());
    }
}
