#!/bin/sh
# A NATS server with JetStream for tests, on loopback alone: private-nats.sh FOLDER PORT [CONFIGURATION]. Its store is in
# FOLDER. Prints its process id, serves until its standard input ends. Ends with 3 when it is not installed. Runs behind
# until-it-serves.sh.
set -eu

PATH="$PATH:/usr/sbin:/usr/local/sbin"
command -v nats-server >/dev/null || exit 3
folder=$1
# Whoever is interrupted with the tests would leave the server.
trap '' INT HUP
rm -f "$folder"/*.ports
nats-server ${3:+--config "$3"} --addr 127.0.0.1 --port "$2" --jetstream --store_dir "$folder" --ports_file_dir "$folder" \
    >>"$folder/server.log" 2>&1 </dev/null &
server=$!
clean_up() {
    kill -KILL "$server" 2>/dev/null || true
}
trap clean_up EXIT
trap 'exit 1' TERM
until_it_serves "$folder/server.log" test -s "$folder/nats-server_$server.ports"
echo "$server"
cat >/dev/null
