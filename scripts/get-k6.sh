#!/bin/bash
# get-k6.sh VERSION OUT: builds that k6 with Go as the file OUT. Does nothing where OUT is it already.
# It is built in its own module's folder, with the versions and checksums of dependencies (go.sum) that it was released with.
# `go install …@version` would not do: it asks a server of k6's own beside Go's module proxy.
set -euo pipefail

USAGE='usage: get-k6.sh VERSION OUT, as in get-k6.sh 2.2.0 ./k6'
VERSION=${1:?$USAGE}
OUT=${2:?$USAGE}
MODULE=go.k6.io/k6/v2

if [[ -x $OUT && $("$OUT" version 2>/dev/null) == *" v$VERSION "* ]]; then exit 0; fi
if ! command -v go >/dev/null; then
  echo "Load tests need k6, and there is neither a k6 2 nor a Go to build it with on PATH: install Go 1.26 (https://go.dev/dl), or name a k6 2 in K6." >&2
  exit 3
fi

mkdir -p "$(dirname "$OUT")"
OUT=$(cd "$(dirname "$OUT")" && pwd)/$(basename "$OUT")
WORK=$(mktemp -d "$OUT.XXXXXX")
BUILD=
trap 'if [[ -n $BUILD ]]; then kill "$BUILD" 2>/dev/null || true; fi; rm -rf "$WORK"' EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

cd "$WORK" # outside any module: Go must not look into ours
go mod download -json "$MODULE@v$VERSION" > module.json || { sed -n 's/^\t"Error": //p' module.json >&2; exit 4; }
cd "$(sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p' module.json)"
GOTMPDIR=$WORK GOWORK=off go build -trimpath -mod=readonly -ldflags='-s -w' -o "$WORK/k6" . &
BUILD=$!
wait "$BUILD"
BUILD=
mv "$WORK/k6" "$OUT"
