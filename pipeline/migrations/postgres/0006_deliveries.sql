-- What others hear of cases, and what applicants are reminded of.

-- What is to be delivered, written with the change of the case that it tells of. One that was delivered
-- keeps no body.
create table deliveries (
    -- The same on every attempt, and what receivers know it by.
    id text collate "C" primary key,
    case_id text collate "C" not null references cases (id),
    -- Name of the destination in the configuration.
    destination text collate "C" not null,
    -- Why: decided, documents_requested, reminded, expired, in_review.
    occasion text collate "C" not null,
    body text collate "C",
    -- waiting: to be sent. delivered. dead: given up, until somebody has it sent again.
    state text collate "C" not null,
    attempts bigint not null default 0,
    next_attempt_at bigint not null,
    created_at bigint not null,
    finished_at bigint,
    -- Why the last attempt came to nothing.
    problem text collate "C"
);
create index deliveries_due on deliveries (destination, next_attempt_at, id) where state = 'waiting';
create index deliveries_by_case on deliveries (case_id, destination, created_at);
create index deliveries_by_state on deliveries (state, created_at, id);

-- When the applicant was last reminded of what they were asked for.
alter table cases add column reminded_at bigint;
create index cases_that_wait on cases (flow, waiting_since) where state = 'waiting_documents';
