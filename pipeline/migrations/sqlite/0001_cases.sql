-- One row a case: what is asked for and what is decided now. The history is in case_events.
create table cases (
    id text primary key,
    flow text not null,
    reference text not null,
    received_on text not null,
    created_at integer not null,
    decided_at integer,
    outcome text,
    mode text,
    pages integer not null default 0,
    rules_version text,
    models_version text,
    result text,
    unique (flow, reference)
);

create index cases_by_decision on cases (decided_at, flow);

-- The audit trail: append-only, each event carries the hash of the one before it.
create table case_events (
    case_id text not null references cases (id),
    sequence integer not null,
    kind text not null,
    at integer not null,
    actor text not null,
    detail text not null,
    previous_hash text not null,
    hash text not null,
    primary key (case_id, sequence)
);

create trigger case_events_are_never_changed before update on case_events
begin
    select raise(abort, 'case events are append-only');
end;

create trigger case_events_are_never_deleted before delete on case_events
begin
    select raise(abort, 'case events are append-only');
end;
