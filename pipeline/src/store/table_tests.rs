//! Both databases have the same tables: pages, reports and copies rely on it.

use std::collections::BTreeMap;

use super::query::{Pool, query, query_scalar};
use super::tables;
use super::testing::{PrivatePostgres, stores};
use super::*;

/// Tables with their columns, each with its kind of value and whether it may be absent.
async fn shape(store: &Store) -> BTreeMap<String, Vec<(String, &'static str, bool)>> {
    let text = match &store.reader {
        Pool::Sqlite(_) => {
            "select m.name as tab, c.name as col, lower(c.type) as type,
                    case when c.\"notnull\" = 1 or c.pk > 0 then 'NO' else 'YES' end as nullable, '' as collation
             from sqlite_master m, pragma_table_info(m.name) c where m.type = 'table' and m.name not like '\\_%' escape '\\'
             order by m.name, c.cid"
        }
        Pool::Postgres(_) => {
            "select cast(table_name as text) as tab, cast(column_name as text) as col, cast(data_type as text) as type,
                    cast(is_nullable as text) as nullable, cast(coalesce(collation_name, '') as text) as collation
             from information_schema.columns
             where table_schema = current_schema() and table_name not like '\\_%' escape '\\'
             order by table_name collate \"C\", ordinal_position"
        }
    };
    let mut tables: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for row in query(text).fetch_all(&store.reader).await.unwrap() {
        let [table, column, kind, nullable, collation] =
            ["tab", "col", "type", "nullable", "collation"].map(|name| row.try_get::<String>(name).unwrap());
        let kind = match kind.as_str() {
            "text" => "text",
            "integer" | "bigint" => "number",
            "real" | "double precision" => "real",
            "blob" | "bytea" => "bytes",
            other => panic!("{table}.{column} is of the type {other}"),
        };
        let ordered_by_bytes = kind != "text" || collation.is_empty() || collation == "C";
        assert!(ordered_by_bytes, "{table}.{column} is ordered by {collation}");
        if kind == "text" && matches!(store.reader, Pool::Postgres(_)) {
            assert_eq!(collation, "C", "{table}.{column}");
        }
        tables.entry(table).or_default().push((column, kind, nullable == "YES"));
    }
    tables
}

async fn names(store: &Store) -> Vec<String> {
    let text = match &store.reader {
        Pool::Sqlite(_) => {
            "select name from sqlite_master where type = 'index' and name not like 'sqlite\\_%' escape '\\' order by name"
        }
        Pool::Postgres(_) => {
            "select cast(indexname as text) from pg_indexes where schemaname = current_schema()
               and indexname not like '\\_%' escape '\\' and indexname not like '%\\_key' escape '\\'
               and indexname not like '%\\_pkey' escape '\\' order by indexname"
        }
    };
    let mut names: Vec<String> = query_scalar(text).fetch_all(&store.reader).await.unwrap();
    names.sort();
    names
}

#[tokio::test]
async fn both_databases_have_the_same_tables_columns_and_indexes() {
    let stores = stores().await;
    let [sqlite, postgres] = stores.as_slice() else { return };
    let (left, right) = (shape(sqlite).await, shape(postgres).await);
    assert!(left.len() > 15, "{:?}", left.keys());
    assert_eq!(left.keys().collect::<Vec<_>>(), right.keys().collect::<Vec<_>>());
    for (table, columns) in &left {
        assert_eq!(columns, &right[table], "{table}");
    }
    let copied = copy::TABLES.iter().map(|table| {
        let mut columns: Vec<&str> = table.columns.split(", ").map(str::trim).collect();
        columns.sort_unstable();
        (table.name, columns)
    });
    let shaped = left.iter().map(|(table, columns)| {
        let mut columns: Vec<&str> = columns.iter().map(|(name, ..)| name.as_str()).collect();
        columns.sort_unstable();
        (table.as_str(), columns)
    });
    assert_eq!(copied.collect::<BTreeMap<_, _>>(), shaped.collect(), "`dossier db copy` takes all of it");
    assert_eq!(names(sqlite).await, names(postgres).await);
}

#[tokio::test]
async fn tables_are_made_once_and_other_versions_are_refused() {
    let Some(server) = PrivatePostgres::get() else { return };
    let address = server.empty_database().await;
    let refused = Store::open(&address).await.unwrap_err();
    assert!(matches!(refused, StoreError::OutOfDate { found: 0, .. }), "{refused}");
    assert!(refused.to_string().contains("dossier migrate"));
    let newest = tables::newest();
    assert_eq!(Store::migrate(&address).await.unwrap(), Migrated { before: 0, now: newest });
    assert_eq!(Store::migrate(&address).await.unwrap(), Migrated { before: newest, now: newest });
    let store = Store::open(&address).await.unwrap();
    assert!(store.engine().await.unwrap().starts_with("PostgreSQL "));
    query("update _sqlx_migrations set version = 900 where version = 1").execute(&store.pool).await.unwrap();
    let refused = Store::open(&address).await.unwrap_err();
    assert!(matches!(refused, StoreError::TooNew { found: 900, .. }), "{refused}");
}

#[tokio::test]
async fn zero_bytes_are_stored_alike() {
    for store in stores().await {
        let user = NewUser {
            id: "u1".to_owned(),
            login: "a\0b".to_owned(),
            name: "Ana".to_owned(),
            role: Role::Reviewer,
            password_hash: String::new(),
            must_change_password: false,
        };
        assert!(store.add_user(&user, 1).await.unwrap());
        assert!(store.user_by_login("a\0b").await.unwrap().is_some());
        assert_eq!(store.users().await.unwrap()[0].login, "a\u{fffd}b");
    }
}

#[tokio::test]
async fn texts_have_one_order() {
    for store in stores().await {
        for (number, login) in ["ñ", "z", "a-b", "ab", "a_", "é", "_"].into_iter().enumerate() {
            let user = NewUser {
                id: number.to_string(),
                login: login.to_owned(),
                name: String::new(),
                role: Role::Reviewer,
                password_hash: String::new(),
                must_change_password: false,
            };
            assert!(store.add_user(&user, 1).await.unwrap());
        }
        let users = store.users().await.unwrap();
        let logins: Vec<&str> = users.iter().map(|user| user.login.as_str()).collect();
        assert_eq!(logins, ["_", "a-b", "a_", "ab", "z", "é", "ñ"]);
    }
}
