-- People whom an OpenID provider vouches for, by what it calls them. An account in this table has no
-- password: its users.password_hash is empty, which no password matches.
create table identities (
    issuer text collate "C" not null,
    subject text collate "C" not null,
    user_id text collate "C" not null unique references users (id),
    created_at bigint not null,
    -- The latest login.
    seen_at bigint not null,
    primary key (issuer, subject)
);
