# Sourced by tests/cli/containers-*.sh: runs cases of tests/containers against mica, called by the name of docker, and compares what they
# print with what Docker printed.
#
#   compare_cases PATTERN...     the cases whose names match one of the patterns; each in an empty folder, all on one state folder
#
# CASES=PATTERN narrows that down further, for working on one. Cases in tests/containers/differs are skipped: each line there is the name of
# a case and the reason why mica does not do as Docker does.
source "$(dirname "${BASH_SOURCE[0]}")/cli.sh"

compare_cases() {
  local folder pattern case name passed=0 wrong=()
  folder=$(cd "$support/../containers" && pwd)
  mkdir bin
  ln -s "$MICA" bin/docker
  export PATH=$PWD/bin:$PATH
  busybox_image base:1
  for pattern in "$@"; do
    for case in "$folder/${CASE_FOLDERS:-cases}"/$pattern.golden; do
      name=$(basename "$case" .golden)
      # shellcheck disable=SC2053
      [[ $name == ${CASES:-*} ]] || continue
      ! grep -q "^$name:" "$folder/differs" || continue
      mkdir case
      (cd case && CASE_TIMEOUT=${CASE_TIMEOUT:-40} "$folder/run_case.sh" "${case%.golden}.sh") > "$name.actual" 2>&1
      rm -rf case
      if diff -u "$case" "$name.actual" > "$name.diff"; then
        passed=$((passed + 1))
      else
        wrong+=("$name")
        echo "--- $name"
        cat "$name.diff"
        # What it left would spoil the cases after it.
        docker ps -aq | xargs -r docker rm -fv > /dev/null 2>&1 || true
        docker volume prune -af > /dev/null 2>&1 || true
      fi
    done
  done
  counted "$passed" "${#wrong[@]}"
  [[ ${#wrong[@]} == 0 ]] || fail "differs from Docker: ${wrong[*]}"
}
