-- What others hear of cases, and what applicants are reminded of.

-- What is to be delivered, written with the change of the case that it tells of. One that was delivered
-- keeps no body.
create table deliveries (
    -- The same on every attempt, and what receivers know it by.
    id text primary key,
    case_id text not null references cases (id),
    -- Name of the destination in the configuration.
    destination text not null,
    -- Why: decided, documents_requested, reminded, expired, in_review.
    occasion text not null,
    body text,
    -- waiting: to be sent. delivered. dead: given up, until somebody has it sent again.
    state text not null,
    attempts integer not null default 0,
    next_attempt_at integer not null,
    created_at integer not null,
    finished_at integer,
    -- Why the last attempt came to nothing.
    problem text
);
create index deliveries_due on deliveries (destination, next_attempt_at, id) where state = 'waiting';
create index deliveries_by_case on deliveries (case_id, destination, created_at);
create index deliveries_by_state on deliveries (state, created_at, id);

-- When the applicant was last reminded of what they were asked for.
alter table cases add column reminded_at integer;
create index cases_that_wait on cases (flow, waiting_since) where state = 'waiting_documents';
