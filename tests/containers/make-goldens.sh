#!/bin/bash
# Writes cases/NAME.golden (or that of the folder $CASE_FOLDERS, such as ../compose/projects) for the named cases (all when none is named) with the docker of PATH, which must have no containers, volumes or
# networks of its own: cases use `ps -a`, prune and fixed ports. Base tools and docker are all it needs, and a busybox (BUSYBOX=PATH) that is
# linked statically. Each case runs twice; one that does not print the same both times is reported and not stored.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "${work:?}"' EXIT
if ! docker image inspect base:1 > /dev/null 2>&1; then
  "$here/../support/busybox_base.sh" "$work/busybox.tar" && docker import -c 'CMD ["sh"]' "$work/busybox.tar" base:1 > /dev/null || exit 1
fi
[[ $# -gt 0 ]] || set -- "$here/${CASE_FOLDERS:-cases}"/*.sh
bad=0
once() {  # CASE OUT: in an empty folder of the same name both times
  mkdir "$work/case"
  (cd "$work/case" && "$here/run_case.sh" "$1" > "$2" 2>&1)
  rm -rf "${work:?}/case"
  docker ps -aq | xargs -r docker rm -fv > /dev/null 2>&1   # of a case that left some: they would be seen in all that follow
}
for case in "$@"; do
  name=$(basename "$case" .sh) case=$here/${CASE_FOLDERS:-cases}/$(basename "$case" .sh).sh start=${EPOCHREALTIME/./}
  once "$case" "$work/first"
  once "$case" "$work/second"
  if grep -qE '^left behind|never came true|which was not expected|^the case ended' "$work/first"; then
    bad=1
    echo "$name: does not run as it should:"
    grep -E -A5 '^left behind|never came true|which was not expected|^the case ended' "$work/first"
  elif ! diff "$work/first" "$work/second" > "$work/diff"; then
    bad=1
    echo "$name: differs from run to run:"
    cat "$work/diff"
  else
    cp "$work/first" "$here/${CASE_FOLDERS:-cases}/$name.golden"
    echo "$name: $(((${EPOCHREALTIME/./} - start) / 2000)) ms"
  fi
done
exit $bad
