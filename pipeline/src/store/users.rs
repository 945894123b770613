//! People who may log in, their sessions, and the tokens of other systems. Secrets come hashed.

use serde::{Deserialize, Serialize};

use super::connect::{Store, StoreError, sql};
use super::query::{Row, query};
use crate::clock::Micros;

/// What somebody is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Decides cases.
    Reviewer,
    /// Decides cases that were escalated too, and steers the queue.
    Senior,
    /// Reads reports and cases.
    Manager,
    /// Reads everything, the audit trail too, and changes nothing.
    Auditor,
    /// Manages users and may do all of it.
    Administrator,
}

impl Role {
    pub const ALL: [Role; 5] =
        [Role::Reviewer, Role::Senior, Role::Manager, Role::Auditor, Role::Administrator];

    pub fn as_str(self) -> &'static str {
        match self {
            Role::Reviewer => "reviewer",
            Role::Senior => "senior",
            Role::Manager => "manager",
            Role::Auditor => "auditor",
            Role::Administrator => "administrator",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct User {
    pub id: String,
    pub login: String,
    pub name: String,
    pub role: Role,
    pub must_change_password: bool,
    /// `es` or `en`; the browser's choice when absent.
    pub language: Option<String>,
    pub disabled: bool,
}

/// A user to add.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub id: String,
    pub login: String,
    pub name: String,
    pub role: Role,
    /// PHC string.
    pub password_hash: String,
    pub must_change_password: bool,
}

/// Who a session belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionUser {
    pub user: User,
    pub expires_at: Micros,
    pub seen_at: Micros,
}

/// An API token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Token {
    pub id: String,
    pub name: String,
    pub user_id: String,
    pub created_at: Micros,
    pub last_used_at: Option<Micros>,
    pub revoked_at: Option<Micros>,
}

/// The use of a token is written again only so often.
const USE_NOTED_EVERY: Micros = 60_000_000;

impl Store {
    /// Adds a user; `false` when the login is taken.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_user(&self, user: &NewUser, at: Micros) -> Result<bool, StoreError> {
        let added = query(
            "insert into users (id, login, name, role, password_hash, must_change_password, created_at)
             values ($1, $2, $3, $4, $5, $6, $7) on conflict (login) do nothing",
        )
        .bind(&user.id)
        .bind(user.login.to_lowercase())
        .bind(&user.name)
        .bind(user.role.as_str())
        .bind(&user.password_hash)
        .bind(i64::from(user.must_change_password))
        .bind(at)
        .execute(&self.pool)
        .await
        .map_err(sql("add a user"))?;
        Ok(added == 1)
    }

    /// All users by login.
    ///
    /// # Errors
    /// When the database fails or holds an unknown role.
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        let rows = query(
            "select id, login, name, role, must_change_password, language, disabled_at from users order by login",
        )
        .fetch_all(&self.reader)
        .await
        .map_err(sql("list users"))?;
        rows.iter().map(user).collect()
    }

    /// The user with this login and their password's hash.
    ///
    /// # Errors
    /// When the database fails or holds an unknown role.
    pub async fn user_by_login(&self, login: &str) -> Result<Option<(User, String)>, StoreError> {
        let row = query(
            "select id, login, name, role, must_change_password, language, disabled_at, password_hash
             from users where login = $1",
        )
        .bind(login.to_lowercase())
        .fetch_optional(&self.reader)
        .await
        .map_err(sql("find a user"))?;
        row.map(|row| Ok((user(&row)?, row.try_get("password_hash").map_err(sql("find a user"))?)))
            .transpose()
    }

    /// Sets a password and ends the user's sessions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_password(
        &self,
        user_id: &str,
        password_hash: &str,
        must_change: bool,
    ) -> Result<(), StoreError> {
        let doing = "set a password";
        let mut transaction = self.begin().await?;
        query("update users set password_hash = $2, must_change_password = $3 where id = $1")
            .bind(user_id)
            .bind(password_hash)
            .bind(i64::from(must_change))
            .execute(&mut transaction)
            .await
            .map_err(sql(doing))?;
        query("delete from sessions where user_id = $1")
            .bind(user_id)
            .execute(&mut transaction)
            .await
            .map_err(sql(doing))?;
        transaction.commit().await.map_err(sql(doing))
    }

    /// Changes a user's role and whether they may log in; ends their sessions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_user(
        &self,
        user_id: &str,
        role: Role,
        disabled: bool,
        at: Micros,
    ) -> Result<(), StoreError> {
        let doing = "change a user";
        let mut transaction = self.begin().await?;
        query("update users set role = $2, disabled_at = $3 where id = $1")
            .bind(user_id)
            .bind(role.as_str())
            .bind(disabled.then_some(at))
            .execute(&mut transaction)
            .await
            .map_err(sql(doing))?;
        query("delete from sessions where user_id = $1")
            .bind(user_id)
            .execute(&mut transaction)
            .await
            .map_err(sql(doing))?;
        transaction.commit().await.map_err(sql(doing))
    }

    /// # Errors
    /// When the database fails.
    pub async fn set_language(&self, user_id: &str, language: &str) -> Result<(), StoreError> {
        query("update users set language = $2 where id = $1")
            .bind(user_id)
            .bind(language)
            .execute(&self.pool)
            .await
            .map_err(sql("set a language"))?;
        Ok(())
    }

    /// # Errors
    /// When the database fails.
    pub async fn open_session(
        &self,
        token_hash: &str,
        user_id: &str,
        now: Micros,
        expires_at: Micros,
    ) -> Result<(), StoreError> {
        let doing = "open a session";
        let mut transaction = self.begin().await?;
        query("delete from sessions where expires_at <= $1")
            .bind(now)
            .execute(&mut transaction)
            .await
            .map_err(sql(doing))?;
        query(
            "insert into sessions (token_hash, user_id, created_at, seen_at, expires_at)
             values ($1, $2, $3, $3, $4)",
        )
        .bind(token_hash)
        .bind(user_id)
        .bind(now)
        .bind(expires_at)
        .execute(&mut transaction)
        .await
        .map_err(sql(doing))?;
        transaction.commit().await.map_err(sql(doing))
    }

    /// Who a live session belongs to.
    ///
    /// # Errors
    /// When the database fails or holds an unknown role.
    pub async fn session(&self, token_hash: &str, now: Micros) -> Result<Option<SessionUser>, StoreError> {
        let doing = "find a session";
        let row = query(
            "select u.id, u.login, u.name, u.role, u.must_change_password, u.language, u.disabled_at,
                    s.expires_at, s.seen_at
             from sessions s join users u on u.id = s.user_id
             where s.token_hash = $1 and s.expires_at > $2 and u.disabled_at is null",
        )
        .bind(token_hash)
        .bind(now)
        .fetch_optional(&self.reader)
        .await
        .map_err(sql(doing))?;
        row.map(|row| {
            Ok(SessionUser {
                user: user(&row)?,
                expires_at: row.try_get("expires_at").map_err(sql(doing))?,
                seen_at: row.try_get("seen_at").map_err(sql(doing))?,
            })
        })
        .transpose()
    }

    /// Keeps a session alive.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch_session(
        &self,
        token_hash: &str,
        now: Micros,
        expires_at: Micros,
    ) -> Result<(), StoreError> {
        query("update sessions set seen_at = $2, expires_at = $3 where token_hash = $1")
            .bind(token_hash)
            .bind(now)
            .bind(expires_at)
            .execute(&self.pool)
            .await
            .map_err(sql("keep a session"))?;
        Ok(())
    }

    /// # Errors
    /// When the database fails.
    pub async fn close_session(&self, token_hash: &str) -> Result<(), StoreError> {
        query("delete from sessions where token_hash = $1")
            .bind(token_hash)
            .execute(&self.pool)
            .await
            .map_err(sql("close a session"))?;
        Ok(())
    }

    /// # Errors
    /// When the database fails.
    pub async fn add_token(
        &self,
        id: &str,
        token_hash: &str,
        user_id: &str,
        name: &str,
        now: Micros,
    ) -> Result<(), StoreError> {
        query(
            "insert into api_tokens (id, token_hash, user_id, name, created_at) values ($1, $2, $3, $4, $5)",
        )
        .bind(id)
        .bind(token_hash)
        .bind(user_id)
        .bind(name)
        .bind(now)
        .execute(&self.pool)
        .await
        .map_err(sql("add a token"))?;
        Ok(())
    }

    /// Who a token speaks for. That it was used is noted once a minute at most.
    ///
    /// # Errors
    /// When the database fails or holds an unknown role.
    pub async fn token_user(&self, token_hash: &str, now: Micros) -> Result<Option<User>, StoreError> {
        let row = query(
            "select u.id, u.login, u.name, u.role, u.must_change_password, u.language, u.disabled_at, t.last_used_at
             from api_tokens t join users u on u.id = t.user_id
             where t.token_hash = $1 and t.revoked_at is null and u.disabled_at is null",
        )
        .bind(token_hash)
        .fetch_optional(&self.reader)
        .await
        .map_err(sql("find a token"))?;
        let Some(row) = row else { return Ok(None) };
        let used: Option<Micros> = row.try_get("last_used_at").map_err(sql("find a token"))?;
        if used.is_none_or(|used| used + USE_NOTED_EVERY <= now) {
            query("update api_tokens set last_used_at = $2 where token_hash = $1")
                .bind(token_hash)
                .bind(now)
                .execute(&self.pool)
                .await
                .map_err(sql("note the use of a token"))?;
        }
        Ok(Some(user(&row)?))
    }

    /// All tokens, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        let doing = "list tokens";
        let rows = query(
            "select id, name, user_id, created_at, last_used_at, revoked_at from api_tokens order by created_at desc",
        )
        .fetch_all(&self.reader)
        .await
        .map_err(sql(doing))?;
        let one = |row: &Row| {
            Ok(Token {
                id: row.try_get("id").map_err(sql(doing))?,
                name: row.try_get("name").map_err(sql(doing))?,
                user_id: row.try_get("user_id").map_err(sql(doing))?,
                created_at: row.try_get("created_at").map_err(sql(doing))?,
                last_used_at: row.try_get("last_used_at").map_err(sql(doing))?,
                revoked_at: row.try_get("revoked_at").map_err(sql(doing))?,
            })
        };
        rows.iter().map(one).collect()
    }

    /// # Errors
    /// When the database fails.
    pub async fn revoke_token(&self, id: &str, now: Micros) -> Result<(), StoreError> {
        query("update api_tokens set revoked_at = $2 where id = $1 and revoked_at is null")
            .bind(id)
            .bind(now)
            .execute(&self.pool)
            .await
            .map_err(sql("revoke a token"))?;
        Ok(())
    }
}

pub(super) fn user(row: &Row) -> Result<User, StoreError> {
    let doing = "read a user";
    let id: String = row.try_get("id").map_err(sql(doing))?;
    let role: String = row.try_get("role").map_err(sql(doing))?;
    let role = Role::parse(&role).ok_or_else(|| StoreError::BadData {
        table: "users",
        column: "role",
        row: id.clone(),
    })?;
    Ok(User {
        login: row.try_get("login").map_err(sql(doing))?,
        name: row.try_get("name").map_err(sql(doing))?,
        role,
        must_change_password: row.try_get::<i64>("must_change_password").map_err(sql(doing))? != 0,
        language: row.try_get("language").map_err(sql(doing))?,
        disabled: row.try_get::<Option<i64>>("disabled_at").map_err(sql(doing))?.is_some(),
        id,
    })
}
