# For the scripts behind it: waits until a command succeeds, as long as the process `$server` lives and half a minute at
# most. until_it_serves LOG COMMAND...
until_it_serves() {
    log=$1
    shift
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        if [ $tries -gt 300 ] || ! kill -0 "$server" 2>/dev/null; then
            cat "$log" >&2
            exit 1
        fi
        sleep 0.1
    done
}
