#!/bin/sh
# Makes the programs that tests talk to available. Quiet and quick when nothing is missing. Installs with apt-get when it may (root on
# Debian or Ubuntu); otherwise says what to install and exits 1.
set -eu

# Services of Debian live in sbin, which users often lack in their PATH.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
missing=''

# need <program> <Debian package>: notes the package when the program is not there.
need() {
  command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

need nats-server nats-server

[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "Tests need these packages, please install them:$missing" >&2
  echo "On Debian or Ubuntu: sudo apt-get install --no-install-recommends$missing" >&2
  exit 1
fi

echo "Installing for the tests:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of packages, split on purpose
install() { apt-get install -y -qq --no-install-recommends $missing >/dev/null; }
# Package lists may be absent (fresh container) or old.
install 2>/dev/null || { apt-get update -qq && install; }
