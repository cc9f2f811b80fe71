#!/bin/bash
# Builds the cases of the corpus with the real docker and writes the golden files, or with --check only compares with them.
# Not part of the test run: it needs a docker with BuildKit.
#
#   tests/corpus/compare-with-docker.sh [--check] [CASE-PREFIX...]
#
# ENTER  words put before every command that must run where docker is ("ssh host", "nsenter ..."); empty: here
# SEEN   the path under which that place sees this repository (default: the same path)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../.." && pwd)
seen=${SEEN:-$repo}
read -r -a enter <<< "${ENTER:-}"
check=
[[ ${1:-} != --check ]] || { check=1; shift; }
work=.cache/corpus-docker
mkdir -p "$repo/$work"
[[ -e $repo/$work/base.tar ]] || "$here/../support/busybox_base.sh" "$repo/$work/base.tar"
"${enter[@]}" docker import -c 'CMD ["sh"]' "$seen/$work/base.tar" busybox:corpus > /dev/null
"${enter[@]}" docker builder prune -af > /dev/null

# First line: the Dockerfile's line that docker shows, or "-"; second: its message.
error_of() {
  local line
  line=$(grep -oE '^[A-Za-z.-]*Dockerfile[A-Za-z.-]*:[0-9]+$' "$1" | tail -1 || true)
  echo "${line:--}"
  { grep -E '^ERROR: ' "$1" || true; } | tail -1 | sed -E 's/^ERROR: //; s/^failed to build: //; s/^failed to solve: //; s/of ref [^ ]+:/of ref REF:/; s,/var/lib/docker/overlay2/[a-z0-9]+/merged,ROOT,' | LC_ALL=C sed 's/[^ -~]/?/g'
}

write() {  # NAME < text: the golden file, or a comparison with it
  if [[ $check ]]; then
    diff -u "$case/$1" - || { echo "DIFFERS: $name/$1"; differ=$((differ + 1)); }
  else cat > "$case/$1"; fi
}

cases=0 differ=0
for case in "$here"/[0-9]*/; do
  case=${case%/} name=$(basename "$case")
  if [[ $# -gt 0 ]]; then
    for prefix in "$@"; do [[ $name == "$prefix"* ]] && break; done
    [[ $name == "$prefix"* ]] || continue
  fi
  cases=$((cases + 1))
  [[ ! -e $case/by-hand ]] || { echo "by hand: $name"; continue; }
  folder=$repo/$work/$name
  "$here/prepare_case.sh" "$case" "$folder"
  "${enter[@]}" env BUILDKIT_DOCKER=1 bash "$seen/tests/corpus/build_case.sh" "$seen/$work/$name" docker
  [[ $check ]] || rm -f "$case"/{config.json,tree.txt,error.txt}
  if [[ $(cat "$folder/status") == 0 ]]; then
    [[ $name != *-error-* ]] || echo "no error: $name"
    "$here/config_of.sh" "$folder/image.tar" | write config.json
    "$here/list_tree.sh" "$folder/tree.tar" "$repo/$work/base.tar" | write tree.txt
  else
    [[ $name == *-error-* ]] || { echo "error: $name: $(grep ERROR "$folder"/log* | tail -1)"; }
    error_of "$folder/log" | write error.txt
  fi
  rm -f "$folder"/*.tar
done
echo "$cases cases, $differ differ"
