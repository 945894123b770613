//! `dossier user`: who may log in.

use std::process::ExitCode;

use anyhow::bail;
use dossier::accounts::{hash_password, one_time_password};
use dossier::clock::{Clock as _, SystemClock};
use dossier::store::{NewUser, Role, Store};

use super::args::UserCommand;
use super::installation::Installed;
use super::output::say;

pub(crate) async fn run(installed: &Installed, command: UserCommand) -> anyhow::Result<ExitCode> {
    let store = installed.existing_store().await?;
    match command {
        UserCommand::Add { login, role, name } => add(&store, &login, role.into(), name).await?,
        UserCommand::Passwd { login } => set_password(&store, &login).await?,
        UserCommand::List => list(&store).await?,
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn add(store: &Store, login: &str, role: Role, name: Option<String>) -> anyhow::Result<()> {
    let password = one_time_password()?;
    let user = NewUser {
        id: uuid::Uuid::now_v7().to_string(),
        login: login.to_owned(),
        name: name.unwrap_or_else(|| login.to_owned()),
        role,
        password_hash: hash_password(&password)?,
        must_change_password: true,
    };
    if !store.add_user(&user, SystemClock.now()).await? {
        bail!("there is a user {login} already: `dossier user passwd {login}` gives a new password");
    }
    say(&format!("one-time password of {login}: {password}\n"))?;
    Ok(())
}

async fn set_password(store: &Store, login: &str) -> anyhow::Result<()> {
    let Some((user, _)) = store.user_by_login(login).await? else {
        bail!("there is no user {login}: `dossier user list` shows who there is");
    };
    if store.vouched_users().await?.contains(&user.id) {
        bail!("{login} has no password: they sign in through the OpenID provider");
    }
    let password = one_time_password()?;
    store.set_password(&user.id, &hash_password(&password)?, true).await?;
    say(&format!("one-time password of {login}: {password}\n"))?;
    Ok(())
}

async fn list(store: &Store) -> anyhow::Result<()> {
    for user in store.users().await? {
        let state = if user.disabled { " (disabled)" } else { "" };
        say(&format!("{}\t{}\t{}{state}\n", user.login, user.role.as_str(), user.name))?;
    }
    Ok(())
}
