#!/usr/bin/env bash
# Installs what building and testing need and what may be absent: Debian packages, and schemathesis from
# PyPI in an environment of its own below the target folder.
set -euo pipefail
cd "$(dirname "$0")/.."

schemathesis="schemathesis==4.32.5"
tools="${CARGO_TARGET_DIR:-target}/tools/schemathesis"

missing=()
command -v cc >/dev/null || missing+=(gcc libc6-dev)
command -v chromium >/dev/null || missing+=(chromium)
command -v chromedriver >/dev/null || missing+=(chromium-driver)
[ -n "$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null)" ] || command -v initdb >/dev/null || missing+=(postgresql)
{ command -v nats-server || [ -x /usr/sbin/nats-server ]; } >/dev/null || missing+=(nats-server)
ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || missing+=(libfaketime)
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
install() {
    sudo=""
    [ "$(id -u)" -eq 0 ] || sudo="sudo"
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq "$@"
}
[ ${#missing[@]} -eq 0 ] || install "${missing[@]}"
# It looks at the compose files; the daemon that it recommends is not needed for that.
{ docker compose version || docker-compose version; } >/dev/null 2>&1 || install --no-install-recommends docker-compose

if ! grep -qsx "$schemathesis" "$tools/installed"; then
    if python3 -m venv --clear "$tools" && "$tools/bin/pip" install --quiet --disable-pip-version-check "$schemathesis"; then
        echo "$schemathesis" >"$tools/installed"
    else
        rm -rf "$tools"
        echo "schemathesis could not be installed: the API is not fuzzed here" >&2
        [ -z "${CI:-}" ]
    fi
fi
