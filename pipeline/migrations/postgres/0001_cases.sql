-- As the SQLite step of the same number, and so are the others. Whole numbers are bigint; text is ordered by
-- its bytes (collate "C"), as SQLite does it, whatever the database's language is.

-- One row a case: what is asked for and what is decided now. The history is in case_events.
create table cases (
    id text collate "C" primary key,
    flow text collate "C" not null,
    reference text collate "C" not null,
    received_on text collate "C" not null,
    created_at bigint not null,
    decided_at bigint,
    outcome text collate "C",
    mode text collate "C",
    pages bigint not null default 0,
    rules_version text collate "C",
    models_version text collate "C",
    result text collate "C",
    unique (flow, reference)
);

create index cases_by_decision on cases (decided_at, flow);

-- The audit trail: append-only, each event carries the hash of the one before it.
create table case_events (
    case_id text collate "C" not null references cases (id),
    sequence bigint not null,
    kind text collate "C" not null,
    at bigint not null,
    actor text collate "C" not null,
    detail text collate "C" not null,
    previous_hash text collate "C" not null,
    hash text collate "C" not null,
    primary key (case_id, sequence)
);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% are append-only', tg_argv[0];
end $$;

create trigger case_events_are_never_changed before update or delete on case_events
    for each row execute function refuse_change('case events');

create trigger case_events_are_never_emptied before truncate on case_events
    for each statement execute function refuse_change('case events');
