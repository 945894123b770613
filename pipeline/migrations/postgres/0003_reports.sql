-- What reports are computed from, and blind reviews of the machine's own decisions.

-- What is counted of a case, as the program writes it (postcard). Can be made again from the case and
-- its history at any time: to count everything anew, put all cases into stale_facts.
create table case_facts (
    case_id text collate "C" primary key references cases (id),
    flow text collate "C" not null,
    -- UTC day of the newest decision.
    day text collate "C" not null,
    facts bytea not null
);
create index case_facts_by_day on case_facts (day, flow);

-- What lists of cases are filtered by beside their columns, so that a report's figures lead to cases.
create table case_marks (
    mark text collate "C" not null,
    case_id text collate "C" not null references cases (id),
    primary key (mark, case_id)
);
create index case_marks_by_case on case_marks (case_id);

-- Cases that changed since their facts were written.
create table stale_facts (case_id text collate "C" primary key);

-- The sum of the facts of a day's cases of a flow (postcard); null when they changed since. The
-- generation grows with each change, so that a sum of older facts is not kept.
create table report_days (
    day text collate "C" not null,
    flow text collate "C" not null,
    generation bigint not null default 1,
    rollup bytea,
    primary key (day, flow)
);

-- Cases that the machine decided alone and that a person judges again without seeing how.
create table blind_samples (
    case_id text collate "C" primary key references cases (id),
    flow text collate "C" not null,
    drawn_at bigint not null,
    -- What the machine decided.
    outcome text collate "C" not null,
    taken_by text collate "C",
    taken_until bigint not null default 0,
    judged_at bigint,
    judged_by text collate "C",
    judged_outcome text collate "C",
    was_wrong bigint
);
create index blind_samples_to_judge on blind_samples (drawn_at, case_id) where judged_at is null;
create index blind_samples_by_judgement on blind_samples (flow, judged_at) where judged_at is not null;

-- Values of this installation that nobody outside may guess.
create table installation (
    name text collate "C" primary key,
    value text collate "C" not null
);

insert into stale_facts (case_id) select id from cases;

-- On conflict it waits for whoever takes the note away, and notes anew.
create function note_changed_case() returns trigger language plpgsql as $$
begin
    insert into stale_facts (case_id) values (new.id) on conflict (case_id) do nothing;
    return null;
end $$;

create function note_judged_sample() returns trigger language plpgsql as $$
begin
    insert into stale_facts (case_id) values (new.case_id) on conflict (case_id) do nothing;
    return null;
end $$;

create trigger new_cases_are_counted after insert on cases
    for each row execute function note_changed_case();

create trigger changed_cases_are_counted_anew after update on cases
    for each row execute function note_changed_case();

create trigger judged_samples_are_counted_anew after update of judged_at on blind_samples
    for each row execute function note_judged_sample();

-- Lists are made in this order; what they are filtered by stands in the index, so that rows with
-- their long results are looked at only when they are shown.
create index cases_to_list on cases (
    created_at, id, flow, state, outcome, mode, decided_at, reference, queued_at, goal_at, due_at
);
-- It begins with what this one has, and being smaller would be preferred to it.
drop index cases_by_creation;
-- What is not decided, for the backlog.
create index cases_not_decided on cases (flow, state, queued_at, due_at) where state <> 'final';
