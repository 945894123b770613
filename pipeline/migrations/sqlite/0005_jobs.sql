-- Who does what of the machine's work.

-- The server that processes a case. One row a case; it stays when the work ends, so that the generation only
-- grows: it tells whether what a server wants to record was done under the lease that it still has.
create table jobs (
    case_id text primary key references cases (id),
    -- The server that has it; null when none has.
    server text,
    generation integer not null,
    -- Without a word from the server until then, another takes it.
    expires_at integer not null,
    -- How often it failed by itself: its server ended in the middle, or it failed while other cases went through.
    strikes integer not null default 0,
    failed_at integer,
    finished_at integer
);
create index jobs_by_server on jobs (server, expires_at) where server is not null;
create index jobs_by_end on jobs (finished_at) where finished_at is not null;

-- Files that workers on other machines are to read: those to send, those sent, those read. What was read lies
-- with the server that asked.
create table read_jobs (
    server text not null,
    -- The hash of the bytes, and of what they are read with.
    job text not null,
    sha256 text not null,
    -- waiting: to be sent. sent: with the workers. done: read. failed: a worker could not. dead: given up.
    state text not null,
    -- Grows each time that it is sent; the result of another one is not taken.
    generation integer not null,
    -- Of its message in the stream; when that is gone and no result came, it is sent again.
    sequence integer not null default 0,
    -- When that is looked at next.
    expires_at integer not null default 0,
    changed_at integer not null,
    primary key (server, job)
);
create index read_jobs_by_state on read_jobs (server, state, expires_at);
create index read_jobs_by_change on read_jobs (changed_at);

-- In the order in which they are taken.
create index cases_to_claim on cases (next_attempt_at, id) where state = 'processing';
drop index cases_to_process;
