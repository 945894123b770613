#!/bin/sh
# A PostgreSQL server for tests: alone in a new folder, reached by its socket there and by nothing else. Prints
# the folder, serves until its standard input ends, and leaves nothing behind. Ends with 3 when the server's
# programs are not installed. Runs behind until-it-serves.sh.
# With a folder as argument the cluster is made there unless one is there, stays, and is as durable as PostgreSQL is by
# default: it may be killed and started again.
set -eu

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
if [ -z "$bin" ]; then
    initdb=$(command -v initdb) || exit 3
    bin=$(dirname "$initdb")
fi
[ -x "$bin/initdb" ] && [ -x "$bin/postgres" ] || exit 3

keeps=${1:-}
# Whoever is interrupted with the tests would leave the server and its folder.
trap '' INT HUP
folder=${1:-$(mktemp -d /tmp/dossier-postgres.XXXXXX)}
server=""
clean_up() {
    if [ -n "$server" ]; then
        kill -INT "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    [ -n "$keeps" ] || rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 1' TERM

# The server refuses to run as root.
as=""
if [ "$(id -u)" -eq 0 ]; then
    chown postgres "$folder"
    as="setpriv --reuid=postgres --regid=postgres --clear-groups"
fi
cd "$folder"
# Texts are stored in the order of their bytes whatever the cluster's language is: this one has another order, where
# the server can (from version 15 on).
make_cluster() {
    $as "$bin/initdb" --pgdata="$folder/data" --username=dossier --auth=trust --encoding=UTF8 --locale=C.UTF-8 \
        --no-sync "$@" >"$folder/initdb.log" 2>&1
}
if [ ! -d data ]; then
    make_cluster --locale-provider=icu --icu-locale=es || make_cluster || { cat "$folder/initdb.log" >&2; exit 1; }
fi
if [ -n "$keeps" ]; then
    settings="-c max_connections=100 -c shared_buffers=64MB -c track_wal_io_timing=on"
else
    # What is written need not outlive the tests.
    settings="-c max_connections=400 -c shared_buffers=256MB -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
fi
# shellcheck disable=SC2086 # they are several
$as "$bin/postgres" -D "$folder/data" -c listen_addresses= -c unix_socket_directories="$folder" \
    $settings >>"$folder/server.log" 2>&1 </dev/null &
server=$!
until_it_serves "$folder/server.log" "$bin/pg_isready" -q -h "$folder" -U dossier -d postgres
echo "$folder"
cat >/dev/null
