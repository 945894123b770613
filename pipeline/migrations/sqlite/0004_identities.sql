-- People whom an OpenID provider vouches for, by what it calls them. An account in this table has no
-- password: its users.password_hash is empty, which no password matches.
create table identities (
    issuer text not null,
    subject text not null,
    user_id text not null unique references users (id),
    created_at integer not null,
    -- The latest login.
    seen_at integer not null,
    primary key (issuer, subject)
);
