#!/bin/bash
# Makes the context of one case: prepare_case.sh CASE FOLDER. The context is FOLDER/context; files have a fixed time of 2020,
# another one for each case (docker takes equal sizes and times for equal files), unless make.sh set older ones, and the modes that the case asks for, whatever the checkout's umask was.
set -euo pipefail
case=$1 folder=$2 number=$(basename "$1")
number=${number%%-*}
umask 022
rm -rf "$folder"
mkdir -p "$folder/context"
[[ ! -e $case/args ]] || cp "$case/args" "$folder/args"
cd "$folder/context"
[[ ! -e $case/Dockerfile ]] || cat "$case/Dockerfile" > Dockerfile
[[ ! -e $case/make.sh ]] || bash -euo pipefail "$case/make.sh" || { echo "$case/make.sh failed" >&2; exit 1; }
find . -newermt 2024-01-01 -exec touch -h -d "@$((1600000000 + 10#$number * 100))" {} +
