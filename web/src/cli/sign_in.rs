//! Whether people log in through an `OpenID` provider, and whether this program can do that.

use anyhow::bail;
use dossier::config::Settings;

/// Refuses what this program was not built for, rather than leave it out unsaid.
///
/// # Errors
/// When a provider is configured and the program was built without the feature `oidc`.
pub(super) fn check(is_configured: bool) -> anyhow::Result<()> {
    allow(is_configured, cfg!(feature = "oidc"))
}

fn allow(is_configured: bool, is_built_in: bool) -> anyhow::Result<()> {
    if is_configured && !is_built_in {
        bail!(
            "the configuration has [oidc] and this program was built without it: build it with `--features oidc`, or take the section out"
        );
    }
    Ok(())
}

/// How people log in, and whether the provider answers.
///
/// # Errors
/// When the provider cannot be used or reached.
pub(super) fn examined(settings: &Settings) -> anyhow::Result<String> {
    check(settings.oidc.is_some())?;
    #[cfg(feature = "oidc")]
    if let Some(sign_in) = registered(settings, ([127, 0, 0, 1], 0).into())? {
        sign_in.reach().map_err(|why| anyhow::anyhow!("{}: {why}", sign_in.settings.issuer))?;
        return Ok(format!("passwords and {}", sign_in.settings.issuer));
    }
    Ok("passwords".to_owned())
}

#[cfg(feature = "oidc")]
pub(super) use registered::registered;

#[cfg(feature = "oidc")]
mod registered {
    use std::net::SocketAddr;

    use anyhow::{Context as _, bail};
    use dossier::config::{OidcSettings, Settings};
    use openidconnect::{ClientId, ClientSecret, IssuerUrl, RedirectUrl};

    use crate::server::{Registration, SignIn};

    /// The configured provider, when there is one; `address` is where the server listens.
    ///
    /// # Errors
    /// When an address or the client's secret cannot be used.
    pub(in crate::cli) fn registered(
        settings: &Settings,
        address: SocketAddr,
    ) -> anyhow::Result<Option<SignIn>> {
        let Some(oidc) = &settings.oidc else { return Ok(None) };
        let issuer = IssuerUrl::new(oidc.issuer.clone()).context("[oidc] issuer is no address")?;
        let is_here = matches!(issuer.url().host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        if issuer.url().scheme() != "https" && !is_here {
            bail!("[oidc] issuer must begin with https://: anybody on the way could log in as anybody");
        }
        let here = settings.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
        let callback = format!("{}/login/oidc/callback", here.trim_end_matches('/'));
        let registration = Registration {
            issuer,
            client_id: ClientId::new(oidc.client_id.clone()),
            client_secret: client_secret(oidc)?,
            redirect: RedirectUrl::new(callback).context("public_url is no address")?,
            scopes: oidc.scopes.clone(),
            roles_claim: oidc.roles_claim.clone(),
        };
        Ok(Some(SignIn::new(oidc.clone(), registration)))
    }

    fn client_secret(oidc: &OidcSettings) -> anyhow::Result<Option<ClientSecret>> {
        let Some(path) = &oidc.client_secret_file else { return Ok(None) };
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the client's secret in {}", path.display()))?;
        if text.trim().is_empty() {
            bail!("the client's secret in {} is empty", path.display());
        }
        Ok(Some(ClientSecret::new(text.trim().to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_that_the_program_cannot_ask_is_refused() {
        assert!(allow(true, false).unwrap_err().to_string().contains("--features oidc"));
        for (is_configured, is_built_in) in [(true, true), (false, true), (false, false)] {
            assert!(allow(is_configured, is_built_in).is_ok());
        }
    }
}
