-- What the server needs beside a decision: where a case stands, its originals, who works on it.

-- processing: the machine has to read and decide. waiting_documents: the applicant has to send something.
-- in_review: a person has to look. final: decided.
alter table cases add column state text not null default 'final';
-- Codes of the current reasons as a JSON list, to be shown; case_reasons is there to filter by.
alter table cases add column reason_codes text not null default '[]';
-- Counts every change, so that a decision on an outdated state of the case is refused.
alter table cases add column revision integer not null default 1;
-- application.json as submitted.
alter table cases add column declared text not null default '{}';
-- Findings of intake: JSON list of [file, finding].
alter table cases add column intake_findings text not null default '[]';
-- The result as the machine last gave it, kept from the first time that a person changes something.
alter table cases add column machine_result text;
-- A person corrected, confirmed or decided something.
alter table cases add column touched integer not null default 0;
-- Higher comes first in the queue; 0 is usual.
alter table cases add column priority integer not null default 0;
-- What is at stake, in cents, as the flow's parameters tell it.
alter table cases add column amount_cents integer not null default 0;
-- When the case came to the queue, and by when a person should and must have decided it.
alter table cases add column queued_at integer;
alter table cases add column goal_at integer;
alter table cases add column due_at integer;
alter table cases add column waiting_since integer;
alter table cases add column first_response_at integer;
alter table cases add column final_at integer;
alter table cases add column postponed_until integer;
-- Handed over to this user, who gets it first.
alter table cases add column assigned_to text;
-- Four eyes: who decided first and what; another person has to agree.
alter table cases add column first_reviewer text;
alter table cases add column first_outcome text;
-- Only a senior may take it.
alter table cases add column escalated integer not null default 0;
-- Attempts at processing that failed for want of infrastructure.
alter table cases add column attempts integer not null default 0;
alter table cases add column next_attempt_at integer not null default 0;

update cases set state = case outcome
    when 'request_documents' then 'waiting_documents' when 'review' then 'in_review' else 'final' end;
update cases set final_at = decided_at where state = 'final';
update cases set queued_at = decided_at where state = 'in_review';
update cases set waiting_since = decided_at where state = 'waiting_documents';

create index cases_by_urgency on cases (state, escalated desc, priority desc, due_at, amount_cents desc, id);
create index cases_by_creation on cases (created_at, id);
create index cases_to_process on cases (state, next_attempt_at);

-- Codes of the current reasons, to filter the queue by.
create table case_reasons (
    case_id text not null references cases (id),
    code text not null,
    primary key (case_id, code)
);
create index case_reasons_by_code on case_reasons (code, case_id);

-- Originals, and the members of archives. The bytes are in the blob store under their hash.
create table case_files (
    case_id text not null references cases (id),
    -- From 1, in order of arrival; part of the page images' addresses.
    number integer not null,
    name text not null,
    sha256 text not null,
    size_bytes integer not null,
    -- The archive that it was unpacked from; null for an original.
    archive integer,
    -- An archive whose members stand in this table.
    unpacked integer not null default 0,
    page_count integer,
    received_at integer not null,
    primary key (case_id, number),
    unique (case_id, sha256, name)
);

-- People who may log in.
create table users (
    id text primary key,
    -- Lower case.
    login text not null unique,
    name text not null,
    role text not null,
    -- PHC string of argon2id.
    password_hash text not null,
    -- Set by somebody else: to be changed at the first login.
    must_change_password integer not null default 0,
    language text,
    created_at integer not null,
    disabled_at integer
);

-- Logged-in browsers. The cookie's value is stored hashed.
create table sessions (
    token_hash text primary key,
    user_id text not null references users (id),
    created_at integer not null,
    seen_at integer not null,
    expires_at integer not null
);
create index sessions_by_user on sessions (user_id);

-- Access of other systems. The token's value is stored hashed.
create table api_tokens (
    id text primary key,
    token_hash text not null unique,
    user_id text not null references users (id),
    name text not null,
    created_at integer not null,
    last_used_at integer,
    revoked_at integer
);

-- Who holds a case. The row stays when the lease ends, so that the generation only grows.
create table leases (
    case_id text primary key references cases (id),
    user_id text not null,
    generation integer not null,
    acquired_at integer not null,
    expires_at integer not null
);
create index leases_by_user on leases (user_id, expires_at);

-- What people wrote: reasons of decisions, notes on handing over. History refers to them by id and hash.
create table notes (
    id text primary key,
    case_id text not null references cases (id),
    user_id text not null,
    at integer not null,
    kind text not null,
    text text not null
);
create index notes_by_case on notes (case_id, at);

-- Values before and after a person's change. History names the field and never the value, so that
-- values can be erased when the law asks for it.
create table corrections (
    id text primary key,
    case_id text not null references cases (id),
    revision integer not null,
    user_id text not null,
    at integer not null,
    document_type text not null,
    field text not null,
    kind text not null,
    before text,
    after text,
    machine_confidence real
);
create index corrections_by_case on corrections (case_id, at);

-- What was asked of an applicant.
create table document_requests (
    id text primary key,
    case_id text not null references cases (id),
    at integer not null,
    -- machine, or a user's id.
    actor text not null,
    -- JSON list of document types, `id_card|passport` for one or the other.
    wanted text not null,
    message text not null
);
create index document_requests_by_case on document_requests (case_id, at);

-- Every look at a document.
create table document_accesses (
    at integer not null,
    user_id text not null,
    case_id text not null,
    file integer not null,
    page integer not null,
    kind text not null
);
create index document_accesses_by_case on document_accesses (case_id, at);

create trigger document_accesses_are_never_changed before update on document_accesses
begin
    select raise(abort, 'document accesses are append-only');
end;

create trigger document_accesses_are_never_deleted before delete on document_accesses
begin
    select raise(abort, 'document accesses are append-only');
end;

-- Uploads by their client's key: the same key gives the same case.
create table idempotency_keys (
    user_id text not null,
    key text not null,
    request_hash text not null,
    case_id text not null,
    at integer not null,
    primary key (user_id, key)
);
