-- What the server needs beside a decision: where a case stands, its originals, who works on it.

-- processing: the machine has to read and decide. waiting_documents: the applicant has to send something.
-- in_review: a person has to look. final: decided.
alter table cases add column state text collate "C" not null default 'final';
-- Codes of the current reasons as a JSON list, to be shown; case_reasons is there to filter by.
alter table cases add column reason_codes text collate "C" not null default '[]';
-- Counts every change, so that a decision on an outdated state of the case is refused.
alter table cases add column revision bigint not null default 1;
-- application.json as submitted.
alter table cases add column declared text collate "C" not null default '{}';
-- Findings of intake: JSON list of [file, finding].
alter table cases add column intake_findings text collate "C" not null default '[]';
-- The result as the machine last gave it, kept from the first time that a person changes something.
alter table cases add column machine_result text collate "C";
-- A person corrected, confirmed or decided something.
alter table cases add column touched bigint not null default 0;
-- Higher comes first in the queue; 0 is usual.
alter table cases add column priority bigint not null default 0;
-- What is at stake, in cents, as the flow's parameters tell it.
alter table cases add column amount_cents bigint not null default 0;
-- When the case came to the queue, and by when a person should and must have decided it.
alter table cases add column queued_at bigint;
alter table cases add column goal_at bigint;
alter table cases add column due_at bigint;
alter table cases add column waiting_since bigint;
alter table cases add column first_response_at bigint;
alter table cases add column final_at bigint;
alter table cases add column postponed_until bigint;
-- Handed over to this user, who gets it first.
alter table cases add column assigned_to text collate "C";
-- Four eyes: who decided first and what; another person has to agree.
alter table cases add column first_reviewer text collate "C";
alter table cases add column first_outcome text collate "C";
-- Only a senior may take it.
alter table cases add column escalated bigint not null default 0;
-- Attempts at processing that failed for want of infrastructure.
alter table cases add column attempts bigint not null default 0;
alter table cases add column next_attempt_at bigint not null default 0;

update cases set state = case outcome
    when 'request_documents' then 'waiting_documents' when 'review' then 'in_review' else 'final' end;
update cases set final_at = decided_at where state = 'final';
update cases set queued_at = decided_at where state = 'in_review';
update cases set waiting_since = decided_at where state = 'waiting_documents';

create index cases_by_urgency on cases (state, escalated desc, priority desc, due_at nulls first, amount_cents desc, id);
create index cases_by_creation on cases (created_at, id);
create index cases_to_process on cases (state, next_attempt_at);

-- Codes of the current reasons, to filter the queue by.
create table case_reasons (
    case_id text collate "C" not null references cases (id),
    code text collate "C" not null,
    primary key (case_id, code)
);
create index case_reasons_by_code on case_reasons (code, case_id);

-- Originals, and the members of archives. The bytes are in the blob store under their hash.
create table case_files (
    case_id text collate "C" not null references cases (id),
    -- From 1, in order of arrival; part of the page images' addresses.
    number bigint not null,
    name text collate "C" not null,
    sha256 text collate "C" not null,
    size_bytes bigint not null,
    -- The archive that it was unpacked from; null for an original.
    archive bigint,
    -- An archive whose members stand in this table.
    unpacked bigint not null default 0,
    page_count bigint,
    received_at bigint not null,
    primary key (case_id, number),
    unique (case_id, sha256, name)
);

-- People who may log in.
create table users (
    id text collate "C" primary key,
    -- Lower case.
    login text collate "C" not null unique,
    name text collate "C" not null,
    role text collate "C" not null,
    -- PHC string of argon2id.
    password_hash text collate "C" not null,
    -- Set by somebody else: to be changed at the first login.
    must_change_password bigint not null default 0,
    language text collate "C",
    created_at bigint not null,
    disabled_at bigint
);

-- Logged-in browsers. The cookie's value is stored hashed.
create table sessions (
    token_hash text collate "C" primary key,
    user_id text collate "C" not null references users (id),
    created_at bigint not null,
    seen_at bigint not null,
    expires_at bigint not null
);
create index sessions_by_user on sessions (user_id);

-- Access of other systems. The token's value is stored hashed.
create table api_tokens (
    id text collate "C" primary key,
    token_hash text collate "C" not null unique,
    user_id text collate "C" not null references users (id),
    name text collate "C" not null,
    created_at bigint not null,
    last_used_at bigint,
    revoked_at bigint
);

-- Who holds a case. The row stays when the lease ends, so that the generation only grows.
create table leases (
    case_id text collate "C" primary key references cases (id),
    user_id text collate "C" not null,
    generation bigint not null,
    acquired_at bigint not null,
    expires_at bigint not null
);
create index leases_by_user on leases (user_id, expires_at);

-- What people wrote: reasons of decisions, notes on handing over. History refers to them by id and hash.
create table notes (
    id text collate "C" primary key,
    case_id text collate "C" not null references cases (id),
    user_id text collate "C" not null,
    at bigint not null,
    kind text collate "C" not null,
    text text collate "C" not null
);
create index notes_by_case on notes (case_id, at);

-- Values before and after a person's change. History names the field and never the value, so that
-- values can be erased when the law asks for it.
create table corrections (
    id text collate "C" primary key,
    case_id text collate "C" not null references cases (id),
    revision bigint not null,
    user_id text collate "C" not null,
    at bigint not null,
    document_type text collate "C" not null,
    field text collate "C" not null,
    kind text collate "C" not null,
    before text collate "C",
    after text collate "C",
    machine_confidence double precision
);
create index corrections_by_case on corrections (case_id, at);

-- What was asked of an applicant.
create table document_requests (
    id text collate "C" primary key,
    case_id text collate "C" not null references cases (id),
    at bigint not null,
    -- machine, or a user's id.
    actor text collate "C" not null,
    -- JSON list of document types, `id_card|passport` for one or the other.
    wanted text collate "C" not null,
    message text collate "C" not null
);
create index document_requests_by_case on document_requests (case_id, at);

-- Every look at a document.
create table document_accesses (
    at bigint not null,
    user_id text collate "C" not null,
    case_id text collate "C" not null,
    file bigint not null,
    page bigint not null,
    kind text collate "C" not null
);
create index document_accesses_by_case on document_accesses (case_id, at);

create trigger document_accesses_are_never_changed before update or delete on document_accesses
    for each row execute function refuse_change('document accesses');

create trigger document_accesses_are_never_emptied before truncate on document_accesses
    for each statement execute function refuse_change('document accesses');

-- Uploads by their client's key: the same key gives the same case.
create table idempotency_keys (
    user_id text collate "C" not null,
    key text collate "C" not null,
    request_hash text collate "C" not null,
    case_id text collate "C" not null,
    at bigint not null,
    primary key (user_id, key)
);
