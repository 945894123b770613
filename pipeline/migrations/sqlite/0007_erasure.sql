-- Cases whose documents and personal data are erased.

alter table cases add column erased_at integer;
create index cases_to_erase on cases (flow, final_at) where state = 'final' and erased_at is null;

-- Originals that no case needs any more: their bytes are to be taken away.
create table erased_originals (
    sha256 text primary key,
    at integer not null
);

-- Of a history only the detail of an event may go, and nothing else may come in its place. The history says by a
-- later event that it went.
drop trigger case_events_are_never_changed;
create trigger case_events_are_never_changed before update on case_events
when not (new.detail = '{"erased":true}' and new.case_id = old.case_id and new.sequence = old.sequence
    and new.kind = old.kind and new.at = old.at and new.actor = old.actor
    and new.previous_hash = old.previous_hash and new.hash = old.hash)
begin
    select raise(abort, 'case events are append-only');
end;
