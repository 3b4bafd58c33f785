#!/bin/bash
# build-worker.sh SOURCE WORK: builds mediasoup-worker as WORK/mediasoup-worker from the `worker` folder of the npm package, with
# Debian's libraries in place of those that its Meson wraps would download. Writes `[done/all] …` lines of the compiler's work to
# stdout, all else to stderr. A build that was cut short goes on where it stood. Ends with 3 where the last line says what the user must do.
set -euo pipefail

USAGE='usage: build-worker.sh SOURCE WORK, as in build-worker.sh node_modules/mediasoup/worker ./work'
SOURCE=$(cd "${1:?$USAGE}" && pwd)
mkdir -p "${2:?$USAGE}"
WORK=$(cd "$2" && pwd)
HERE=$(cd "$(dirname "$0")" && pwd)
MESON=1.11.1
PACKAGES=(build-essential dpkg-dev flatbuffers-compiler libflatbuffers-dev libssl-dev libuv1-dev ninja-build patch pkg-config)

exec 3>&1 1>&2
export DEBIAN_FRONTEND=noninteractive LC_ALL=C PYTHONPATH=$WORK/meson PYTHONNOUSERSITE=1

# Waits for another apt-get, as a machine that installs its updates has one.
apt=(apt-get -q -o DPkg::Lock::Timeout=300)

say_what_to_do() {
  echo "$1"
  exit 3
}

installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# A list of somebody else's that cannot be had is no reason to stop.
update_lists() { "${apt[@]}" update || echo 'Going on with the lists that there are.'; }

install_packages() {
  python3 -m pip --version >/dev/null 2>&1 || PACKAGES+=(python3 python3-pip)
  local missing=()
  for package in "${PACKAGES[@]}"; do installed "$package" || missing+=("$package"); done
  if [[ ${#missing[@]} == 0 ]]; then return; fi
  if [[ $EUID != 0 ]]; then
    say_what_to_do "Building it needs packages of Debian: sudo apt-get install --no-install-recommends ${missing[*]}"
  fi
  update_lists
  "${apt[@]}" install -y --no-install-recommends --no-upgrade "${missing[@]}"
}

# libsrtp 2 is built from its source because Debian's own build uses NSS, not OpenSSL. Its lists of sources are kept apart: the
# system's stay as they are, and this needs no root.
fetch_libsrtp() {
  local from=$WORK/apt/sources.list
  mkdir -p "$WORK/apt/lists/partial" "$WORK/apt/cache"
  list_sources > "$from"
  if [[ ! -s $from && $EUID == 0 ]]; then update_lists; list_sources > "$from"; fi
  if [[ ! -s $from ]]; then say_what_to_do 'Building it needs the lists of Debian'\''s packages: sudo apt-get update'; fi
  local source=("${apt[@]}" -o "Dir::Etc::SourceList=$from" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$WORK/apt/lists" -o "Dir::Cache=$WORK/apt/cache" -o APT::Sandbox::User=root)
  "${source[@]}" update
  (cd "$WORK/apt" && "${source[@]}" source libsrtp2)
  mv "$WORK"/apt/libsrtp2-*/ "$WORK/worker/subprojects/libsrtp2"
}

list_sources() {
  apt-get indextargets --format 'deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)' \
    'Created-By: Packages' 'Origin: Debian' 'Component: main' | sort -u
}

configure() {
  rm -rf "${WORK:?}"/{worker,meson,apt}
  python3 -m pip install -q --disable-pip-version-check --root-user-action ignore --target "$WORK/meson" "meson==$MESON"
  cp -r "$SOURCE" "$WORK/worker"
  cd "$WORK/worker"
  patch -p1 < "$HERE/dtls-bio-callback.patch"
  # Each stand-in goes where the wrap of its name would be unpacked.
  for stand_in in "$HERE"/overlay/*/; do
    cp -r "$stand_in" "subprojects/$(sed -n 's/^directory *= *//p' "subprojects/$(basename "$stand_in").wrap")"
  done
  fetch_libsrtp
  python3 -m mesonbuild.mesonmain setup build --wrap-mode nodownload --buildtype release -Db_ndebug=true -Dprefer_static=true
  touch "$WORK/configured"
}

if [[ $(. /etc/os-release 2>/dev/null && echo "${ID:-} ${VERSION_ID:-}") != 'debian '1[2-9] ]]; then
  say_what_to_do 'It can be built on Debian 12 or later only.'
fi
install_packages
if [[ ! -e $WORK/configured ]]; then configure; fi
ninja -C "$WORK/worker/build" -j "${JOBS:-$(nproc)}" mediasoup-worker >&3
strip -o "$WORK/mediasoup-worker" "$WORK/worker/build/mediasoup-worker"
