#!/bin/bash
# Runs tests/cli/*.sh (or the named ones) against the program $MICA, two at a time, each with its own temporary state folder.
#   run_cli_tests.sh [--jobs N] [--keep] [NAME...]
# Prints a line per script, the output of those that fail, and as its last line the totals. A script says "# timeout: SECONDS" when
# 120 are not enough. Environment: MICA, TMPDIR, SUMMARY (a file that gets "passed failed skipped").
set -uo pipefail
support=$(cd "$(dirname "$0")" && pwd)
folder=$support/../cli
jobs=2 keep=
while [[ ${1:-} == --* ]]; do
  case $1 in
    --jobs) jobs=$2; shift 2 ;;
    --keep) keep=1; shift ;;
    *) echo "unknown flag $1" >&2; exit 2 ;;
  esac
done
: "${MICA:?set MICA to the program under test}"
MICA=$(realpath "$MICA")
export MICA
scripts=()
if [[ $# -gt 0 ]]; then for name in "$@"; do scripts+=("$folder/$(basename "$name" .sh).sh"); done; else scripts=("$folder"/*.sh); fi
top=$(mktemp -d "${TMPDIR:-/tmp}/mica-cli.XXXXXX")
chmod 755 "$top"
export MICA_TEST_CACHE=$top/.shared   # no script is called like that
mkdir -p "$MICA_TEST_CACHE"
"$support/busybox_base.sh" "$MICA_TEST_CACHE/busybox.tar" || exit 1
# No test asks the world for an image.
printf '[[registry]]\nprefix = "docker.io"\nlocation = "docker.io"\nblocked = true\n' > "$MICA_TEST_CACHE/registries.conf"
export CONTAINERS_REGISTRIES_CONF=$MICA_TEST_CACHE/registries.conf

# Runs one script in its own session; leaves NAME.status, NAME.log, NAME.time beside its folder.
one() {
  local script=$1 name seconds start
  name=$(basename "$script" .sh)
  seconds=$(sed -n 's/^# timeout: \([0-9]*\)$/\1/p' "$script" | head -1)
  mkdir -p "$top/$name/work"
  start=${EPOCHREALTIME/./}
  (cd "$top/$name/work" && MICA_ROOT=$top/$name/root MICA_TEST_COUNT=$top/$name.count TMPDIR=$top/$name \
    timeout --kill-after=10 "${seconds:-120}" bash "$script") > "$top/$name.log" 2>&1 < /dev/null
  echo $? > "$top/$name.status"
  echo $(((${EPOCHREALTIME/./} - start) / 1000)) > "$top/$name.time"
  [[ $keep ]] || rm -rf "${top:?}/$name"
}

running=0
for script in "${scripts[@]}"; do
  [[ -e $script ]] || { echo "no such test: $script" >&2; exit 2; }
  one "$script" &
  running=$((running + 1))
  [[ $running -lt $jobs ]] || { wait -n; running=$((running - 1)); }
done
wait

passed=0 failed=0 skipped=0
for script in "${scripts[@]}"; do
  name=$(basename "$script" .sh)
  status=$(cat "$top/$name.status") time=$(cat "$top/$name.time")
  good=1 bad=0
  [[ ! -e $top/$name.count ]] || read -r good bad < "$top/$name.count"
  case $status in
    0) passed=$((passed + good)); printf 'ok       %-32s %6d ms%s\n' "$name" "$time" "$([[ $good == 1 ]] || echo "  ($good cases)")" ;;
    77) skipped=$((skipped + 1)); printf 'skipped  %-32s %s\n' "$name" "$(grep '^SKIP: ' "$top/$name.log" | tail -1 | cut -c7-)" ;;
    *)
      if [[ $bad -gt 0 ]]; then passed=$((passed + good)) failed=$((failed + bad)); else failed=$((failed + 1)); fi
      printf 'FAILED   %-32s %6d ms%s\n' "$name" "$time" "$([[ $status != 124 && $status != 137 ]] || echo '  (took too long)')"
      sed 's/^/    /' "$top/$name.log" | tail -${MICA_TEST_LINES:-60} ;;
  esac
done
if [[ $keep ]]; then echo "kept: $top"; else rm -rf "$top"; fi
[[ -z ${SUMMARY:-} ]] || echo "$passed $failed $skipped" > "$SUMMARY"
echo "$passed passed, $failed failed$([[ $skipped == 0 ]] || echo ", $skipped skipped")"
[[ $failed == 0 ]]
