# Every Dockerfile of tests/corpus gives the tree, the config and the history that docker gave.
# timeout: 900
source "$(dirname "$0")/../support/cli.sh"
needs_root "making owners and devices in contexts"
needs_program jq getfattr zstd xz bzip2 perl setfattr
busybox_image busybox:corpus

corpus=$(cd "$(dirname "$0")/../corpus" && pwd)
passed=0 failed=0 wrong=()

check_case() {  # CASE FOLDER -> 0 when right; tells what differs
  local case=$1 folder=$2 line
  if [[ -e $case/error.txt ]]; then
    [[ $(cat "$folder/status") != 0 ]] || { echo "should have failed: $(sed -n 2p "$case/error.txt")"; return 1; }
    grep -q '^mica: ' "$folder/log" || { echo "no message of ours:"; cat "$folder/log"; return 1; }
    ! grep -qE 'internal error|assertion' "$folder/log" || { cat "$folder/log"; return 1; }
    line=$(sed -n 1p "$case/error.txt")
    [[ $line == - ]] || grep -qE "(^|[^A-Za-z])$line([^0-9]|\$)" "$folder/log" || { echo "no $line in the message:"; cat "$folder/log"; return 1; }
    return 0
  fi
  [[ $(cat "$folder/status") == 0 ]] || { echo "should have built:"; tail -20 "$folder/log"; return 1; }
  "$corpus/config_of.sh" "$folder/image.tar" > "$folder/config.json" || return 1
  "$corpus/list_tree.sh" "$folder/tree.tar" "$BUSYBOX_TAR" > "$folder/tree.txt" || return 1
  local same=0
  diff -u "$case/config.json" "$folder/config.json" || same=1
  diff -u "$case/tree.txt" "$folder/tree.txt" || same=1
  return $same
}

for case in "$corpus"/${CORPUS_CASES:-[0-9]*}/; do
  case=${case%/} name=$(basename "$case") folder=$PWD/$(basename "$case")
  bash "$corpus/prepare_case.sh" "$case" "$folder"
  bash "$corpus/build_case.sh" "$folder" "$MICA"
  if check_case "$case" "$folder" > "$folder/verdict" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1)) wrong+=("$name")
    echo "--- $name"
    cat "$folder/verdict"
  fi
  rm -rf "$folder"
done
counted "$passed" "$failed"
[[ $failed == 0 ]] || fail "wrong: ${wrong[*]}"
