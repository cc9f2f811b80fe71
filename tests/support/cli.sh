# Sourced by every tests/cli/*.sh. The runner gives each script MICA (the program), a MICA_ROOT of its own and an empty folder to
# work in; a script is one behaviour, and ends with status 0 (right), 77 (skipped) or another.
#
#   expect_ok COMMAND...          runs it; fails unless its status is 0
#   expect_fail [STATUS] COMMAND  runs it; fails unless its status is STATUS (any but 0 when left out)
#   stdout_is TEXT   stdout_has TEXT   stderr_has TEXT   stderr_lacks TEXT   output_has TEXT    about the last command
#   equal WHAT EXPECTED ACTUAL
#   build ARGS...                 mica build with plain progress
#   busybox_image NAME            imports the small base image
#   needs_root WHY   needs_program NAME...   skip REASON   fail REASON
set -euo pipefail
export LC_ALL=C
unset SOURCE_DATE_EPOCH DOCKER_BUILDKIT BUILDKIT_PROGRESS SSH_AUTH_SOCK HTTP_PROXY HTTPS_PROXY http_proxy https_proxy NO_PROXY no_proxy 2> /dev/null || true
support=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${MICA:?is the program under test}" "${MICA_ROOT:?is the state folder}"
MICA_TEST_CACHE=${MICA_TEST_CACHE:-$(mktemp -d)}
BUSYBOX_TAR=$MICA_TEST_CACHE/busybox.tar
PATH=$MICA_TEST_CACHE/bin:$PATH
last_command= status=0

fail() {
  echo "FAILED: $*"
  exit 1
}
skip() {
  echo "SKIP: $*"
  exit 77
}
trap 'echo "FAILED: line $LINENO of $(basename "$0"): $BASH_COMMAND"' ERR

needs_root() { [[ $(id -u) == 0 ]] || skip "root is needed for $*"; }
needs_program() {
  local name
  for name in "$@"; do command -v "$name" > /dev/null || skip "program $name is not installed"; done
}
# Tells the runner how many checks this script stands for (corpus runs).
counted() { [[ -z ${MICA_TEST_COUNT:-} ]] || echo "$1 $2" > "$MICA_TEST_COUNT"; }

run() {
  last_command="$*" status=0
  "$@" > .stdout 2> .stderr || status=$?
}
show() {
  echo "\$ $last_command   (status $status)"
  head -c 4000 .stdout | sed 's/^/  out| /'
  tail -c 4000 .stderr | sed 's/^/  err| /'
}
expect_ok() {
  run "$@"
  [[ $status == 0 ]] || { show; fail "expected success: $last_command"; }
}
expect_fail() {
  local want=any
  if [[ $1 =~ ^[0-9]+$ ]]; then want=$1; shift; fi
  run "$@"
  [[ $status != 0 ]] || { show; fail "expected a failure: $last_command"; }
  [[ $want == any || $status == "$want" ]] || { show; fail "expected status $want, got $status"; }
  [[ $status -lt 128 || $want != any ]] || { show; fail "died of signal $((status - 128))"; }
}
stdout_is() { [[ $(cat .stdout) == "$1" ]] || { show; fail "expected stdout: $1"; }; }
stdout_has() { grep -qF -- "$1" .stdout || { show; fail "not in stdout: $1"; }; }
stderr_has() { grep -qF -- "$1" .stderr || { show; fail "not in stderr: $1"; }; }
stdout_lacks() { ! grep -qF -- "$1" .stdout || { show; fail "should not be in stdout: $1"; }; }
stderr_lacks() { ! grep -qF -- "$1" .stderr || { show; fail "should not be in stderr: $1"; }; }
output_has() { grep -qF -- "$1" .stdout .stderr || { show; fail "not in the output: $1"; }; }
equal() { [[ $2 == "$3" ]] || fail "$1"$'\n'"  expected: $2"$'\n'"  actual:   $3"; }

busybox_tar() { [[ -e $BUSYBOX_TAR ]] || "$support/busybox_base.sh" "$BUSYBOX_TAR"; }
busybox_image() {
  busybox_tar
  "$MICA" import -c 'CMD ["sh"]' "$BUSYBOX_TAR" "$1" > /dev/null || fail "importing the base image"
}

build() { "$MICA" build --progress=plain "$@"; }
image_id() { "$MICA" inspect -f '{{.Id}}' "$1"; }
# The number of steps of the last build that hit, and that ran (from its plain progress).
cached_steps() { grep -c ' CACHED$' .stderr || true; }
# Names of files and folders a crashed or interrupted process would leave: none may be there.
store_is_clean() {
  local left try
  # The monitor of a container that has just ended may still be clearing up.
  for ((try = 0; try < 100; try++)); do
    left=$(find "$MICA_ROOT/ingest" "$MICA_ROOT/containers" -mindepth 1 -maxdepth 1 2> /dev/null || true)
    [[ $left ]] || break
    sleep 0.05
  done
  [[ -z $left ]] || fail "left behind: $left"
  expect_ok "$MICA" fsck
}
# Runs a command as an ordinary user made for this script: as_user COMMAND... with HOME and the program in the user's reach.
make_user() {
  needs_root "making a user"
  needs_program useradd newuidmap newgidmap runuser
  test_user=mt$RANDOM
  useradd -m -s /bin/bash "$test_user" 2> .useradd || skip "useradd failed: $(cat .useradd)"
  test_home=$(getent passwd "$test_user" | cut -d: -f6)
  chmod 755 "$test_home"
  grep -q "^$test_user:" /etc/subuid || usermod --add-subuids 500000-565535 --add-subgids 500000-565535 "$test_user"
  trap 'remove_user' EXIT
  install -m 755 "$MICA" "$test_home/mica"
  busybox_tar
  install -m 644 "$BUSYBOX_TAR" "$test_home/busybox.tar"
  install -d -o "$test_user" -m 700 "$test_home/run"
}
as_user() {
  (cd "$test_home" && exec runuser -u "$test_user" -- env -i HOME="$test_home" USER="$test_user" PATH="$test_home:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" \
    LC_ALL=C XDG_RUNTIME_DIR="$test_home/run" "$@")
}
remove_user() {
  local id
  id=$(id -u "$test_user" 2> /dev/null) || return 0
  # Kills only what runs under the user id made above.
  for pid in $(ps -o pid= -u "$id"); do kill -9 "$pid" 2> /dev/null || true; done
  userdel -r "$test_user" > /dev/null 2>&1 || true
  rm -rf "$test_home"
}
