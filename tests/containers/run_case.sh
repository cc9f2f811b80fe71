#!/bin/bash
# Runs one case with the `docker` of PATH, in the current folder (which must be empty), and prints its normalised transcript.
#   run_case.sh CASE.sh
# What a case leaves behind is part of the transcript: containers, volumes and networks beyond those that are always there.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export CASE_FOLDER=$PWD CASE_PRELUDE=$here/prelude.sh
{
  timeout --kill-after=5 "${CASE_TIMEOUT:-90}" bash -c 'source "$CASE_PRELUDE"; source "$1"' "$1" "$1" < /dev/null 2>&1 || echo "the case ended with status $?"
  docker ps -a --format 'left behind: container {{.Names}} ({{.Status}})'
  docker volume ls --format 'left behind: volume {{.Name}}'
  docker network ls --format '{{.Name}}' | sed -nE '/^(bridge|host|none)$/!s/^/left behind: network /p'
} | "$here/normalise"
