//! Logging in through an `OpenID` provider: whom to ask, and what its groups may do here.

use std::path::PathBuf;

use serde::Deserialize;

use crate::store::Role;

/// The section `[oidc]` of `dossier.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcSettings {
    /// Address of the provider, as its tokens name it; its discovery document is looked for below it.
    pub issuer: String,
    /// What the provider calls this installation.
    pub client_id: String,
    /// File with the client's secret; without one the client is public and PKCE alone protects it.
    pub client_secret_file: Option<PathBuf>,
    /// What the provider is called on the login page.
    #[serde(default = "usual_title")]
    pub title: String,
    /// What is asked for beside `openid`.
    #[serde(default = "usual_scopes")]
    pub scopes: Vec<String>,
    /// The claim of the ID token that names a person's groups: a text, or a list of texts.
    #[serde(default = "usual_claim")]
    pub roles_claim: String,
    /// The first whose group is among a person's gives the role; who has none of them stays out.
    pub roles: Vec<GroupRole>,
}

/// What a group of the provider is here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRole {
    pub group: String,
    pub role: Role,
}

fn usual_title() -> String {
    "OpenID".to_owned()
}

fn usual_scopes() -> Vec<String> {
    ["profile", "email"].map(str::to_owned).into()
}

fn usual_claim() -> String {
    "groups".to_owned()
}

impl OidcSettings {
    /// The role of somebody in these groups.
    pub fn role_of(&self, groups: &[String]) -> Option<Role> {
        self.roles.iter().find(|mapped| groups.contains(&mapped.group)).map(|mapped| mapped.role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "issuer = \"https://id.example\"\nclient_id = \"dossier\"\n";

    #[test]
    fn the_first_group_that_fits_gives_the_role() {
        let text = format!(
            "{LEAST}[[roles]]\ngroup = \"heads\"\nrole = \"senior\"\n[[roles]]\ngroup = \"staff\"\nrole = \"reviewer\"\n"
        );
        let settings: OidcSettings = toml::from_str(&text).unwrap();
        let role = |groups: &[&str]| {
            let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
            settings.role_of(&groups)
        };
        assert_eq!(role(&["staff", "heads"]), Some(Role::Senior));
        assert_eq!(role(&["staff"]), Some(Role::Reviewer));
        assert_eq!(role(&["Staff", "others"]), None);
        assert_eq!((settings.roles_claim.as_str(), settings.scopes.len()), ("groups", 2));
    }

    #[test]
    fn unknown_keys_and_roles_are_refused() {
        for wrong in
            ["roles = []\nclient_secret = \"x\"", "roles = [{ group = \"a\", role = \"owner\" }]", ""]
        {
            assert!(toml::from_str::<OidcSettings>(&format!("{LEAST}{wrong}")).is_err(), "{wrong}");
        }
    }
}
