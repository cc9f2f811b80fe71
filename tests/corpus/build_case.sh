#!/bin/bash
# Builds one case of the corpus in a folder that prepare_case.sh made: build_case.sh FOLDER BUILDER...
# Leaves FOLDER/{status,log} and, when the build succeeds, FOLDER/tree.tar and FOLDER/image.tar.
# BUILDER is the program and the words before `build` ("mica", "docker"). Docker saves an image; mica exports it.
set -uo pipefail
folder=$(cd "$1" && pwd)
shift
export LC_ALL=C
cd "$folder/context" || exit 1
args=() context=. stdin=/dev/null
# shellcheck disable=SC1091
[[ ! -e $folder/args ]] || source "$folder/args"
tag=corpus-$(basename "$folder"):case
run() {
  if [[ ${BUILDKIT_DOCKER:-} ]]; then
    "$@" build --progress=plain "${args[@]}" -t "$tag" "$context" < "$stdin" > "$folder/log" 2>&1 || return
    "$@" save -o "$folder/image.tar" "$tag" || return
  else
    "$@" build --progress=plain "${args[@]}" -t "$tag" -o "type=docker,dest=$folder/image.tar" "$context" < "$stdin" > "$folder/log" 2>&1 || return
  fi
  "$@" build --progress=plain "${args[@]}" -o "type=tar,dest=$folder/tree.tar" "$context" < "$stdin" > "$folder/log2" 2>&1
}
run "$@"
echo $? > "$folder/status"
