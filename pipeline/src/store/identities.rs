//! Accounts of people whom an `OpenID` provider vouches for: known by issuer and subject alone, since
//! names and addresses change hands.

use super::connect::{Store, StoreError, sql};
use super::query::{Transaction, query};
use super::users::{Role, User, user};
use crate::clock::Micros;

/// What a provider says about somebody at a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    pub issuer: String,
    pub subject: String,
    /// The login that a new account gets, if nobody has it.
    pub login: String,
    pub name: String,
    pub role: Role,
}

/// What became of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// A known account, with the role and name that the provider gives now.
    Known(User),
    /// The first login: there is an account now.
    Added(User),
    /// Somebody switched the account off here.
    Disabled { user_id: String },
}

impl Store {
    /// Lets somebody in: makes their account at the first login, and lets role and name follow the
    /// provider at each. Another role ends the sessions that were opened with the old one.
    ///
    /// # Errors
    /// When the database fails or holds an unknown role.
    pub async fn admit(&self, vouched: &Vouched, new_id: &str, at: Micros) -> Result<Admission, StoreError> {
        let doing = "admit somebody";
        let mut transaction = self.begin().await?;
        // Two first logins at once would both add the account.
        transaction.alone(&format!("identity/{}", vouched.subject)).await.map_err(sql(doing))?;
        let row = query(
            "select u.id, u.login, u.name, u.role, u.must_change_password, u.language, u.disabled_at
             from identities i join users u on u.id = i.user_id where i.issuer = $1 and i.subject = $2",
        )
        .bind(&vouched.issuer)
        .bind(&vouched.subject)
        .fetch_optional(&mut transaction)
        .await
        .map_err(sql(doing))?;
        let Some(known) = row.as_ref().map(user).transpose()? else {
            let login = free_login(&mut transaction, &vouched.login, new_id).await?;
            let added = User {
                id: new_id.to_owned(),
                login,
                name: vouched.name.clone(),
                role: vouched.role,
                must_change_password: false,
                language: None,
                disabled: false,
            };
            add_account(&mut transaction, vouched, &added, at).await?;
            transaction.commit().await.map_err(sql(doing))?;
            return Ok(Admission::Added(added));
        };
        if known.disabled {
            return Ok(Admission::Disabled { user_id: known.id });
        }
        if known.role != vouched.role {
            query("delete from sessions where user_id = $1")
                .bind(&known.id)
                .execute(&mut transaction)
                .await
                .map_err(sql(doing))?;
        }
        query("update users set role = $2, name = $3 where id = $1")
            .bind(&known.id)
            .bind(vouched.role.as_str())
            .bind(&vouched.name)
            .execute(&mut transaction)
            .await
            .map_err(sql(doing))?;
        query("update identities set seen_at = $2 where user_id = $1")
            .bind(&known.id)
            .bind(at)
            .execute(&mut transaction)
            .await
            .map_err(sql(doing))?;
        transaction.commit().await.map_err(sql(doing))?;
        Ok(Admission::Known(User { role: vouched.role, name: vouched.name.clone(), ..known }))
    }

    /// Ends the sessions of somebody whom the provider gives no role any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dismiss(&self, issuer: &str, subject: &str) -> Result<(), StoreError> {
        query(
            "delete from sessions where user_id in
                (select user_id from identities where issuer = $1 and subject = $2)",
        )
        .bind(issuer)
        .bind(subject)
        .execute(&self.pool)
        .await
        .map_err(sql("dismiss somebody"))?;
        Ok(())
    }

    /// Users who log in through a provider and have no password.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn vouched_users(&self) -> Result<Vec<String>, StoreError> {
        let doing = "list vouched users";
        let rows = query("select user_id from identities order by user_id")
            .fetch_all(&self.reader)
            .await
            .map_err(sql(doing))?;
        rows.iter().map(|row| row.try_get("user_id").map_err(sql(doing))).collect()
    }
}

/// The wanted login, or one with the end of the account's id when somebody has it: a provider must not
/// lead into an account that it does not vouch for.
async fn free_login(transaction: &mut Transaction, wanted: &str, new_id: &str) -> Result<String, StoreError> {
    let wanted = wanted.to_lowercase();
    let taken = query("select id from users where login = $1")
        .bind(&wanted)
        .fetch_optional(transaction)
        .await
        .map_err(sql("look for a login"))?;
    if taken.is_none() {
        return Ok(wanted);
    }
    let tail = new_id.get(new_id.len().saturating_sub(8)..).unwrap_or(new_id);
    Ok(format!("{wanted}-{tail}"))
}

async fn add_account(
    transaction: &mut Transaction,
    vouched: &Vouched,
    user: &User,
    at: Micros,
) -> Result<(), StoreError> {
    let doing = "add a vouched account";
    query(
        "insert into users (id, login, name, role, password_hash, must_change_password, created_at)
         values ($1, $2, $3, $4, '', 0, $5)",
    )
    .bind(&user.id)
    .bind(&user.login)
    .bind(&user.name)
    .bind(user.role.as_str())
    .bind(at)
    .execute(&mut *transaction)
    .await
    .map_err(sql(doing))?;
    query(
        "insert into identities (issuer, subject, user_id, created_at, seen_at) values ($1, $2, $3, $4, $4)",
    )
    .bind(&vouched.issuer)
    .bind(&vouched.subject)
    .bind(&user.id)
    .bind(at)
    .execute(transaction)
    .await
    .map_err(sql(doing))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::stores;

    #[tokio::test]
    async fn an_account_belongs_to_an_issuer_and_a_subject() {
        for store in &stores().await {
            follows(store).await;
        }
    }

    async fn follows(store: &Store) {
        let vouched = |issuer: &str, role| Vouched {
            issuer: issuer.to_owned(),
            subject: "one".to_owned(),
            login: "Marta".to_owned(),
            name: "Marta Ruiz".to_owned(),
            role,
        };
        let first = vouched("https://a.example", Role::Reviewer);
        let Admission::Added(marta) = store.admit(&first, "id-00000001", 1).await.unwrap() else {
            panic!("the first login adds an account")
        };
        assert_eq!(marta.login, "marta");
        let other = vouched("https://b.example", Role::Manager);
        let Admission::Added(namesake) = store.admit(&other, "id-00000002", 2).await.unwrap() else {
            panic!("another issuer's subject is somebody else")
        };
        assert_eq!(namesake.login, "marta-00000002");

        store.open_session("hash", &marta.id, 3, 100).await.unwrap();
        let known = store.admit(&first, "unused", 4).await.unwrap();
        assert_eq!(known, Admission::Known(marta.clone()));
        assert!(store.session("hash", 5).await.unwrap().is_some(), "the same role keeps sessions");
        let senior = Vouched { role: Role::Senior, ..first.clone() };
        store.admit(&senior, "unused", 6).await.unwrap();
        assert!(store.session("hash", 7).await.unwrap().is_none(), "another role ends them");

        store.open_session("hash", &marta.id, 8, 100).await.unwrap();
        store.dismiss("https://a.example", "one").await.unwrap();
        assert!(store.session("hash", 9).await.unwrap().is_none());
        store.change_user(&marta.id, Role::Senior, true, 10).await.unwrap();
        let refused = store.admit(&first, "unused", 11).await.unwrap();
        assert_eq!(refused, Admission::Disabled { user_id: marta.id.clone() });
        assert_eq!(store.vouched_users().await.unwrap(), [marta.id, namesake.id]);
    }
}
