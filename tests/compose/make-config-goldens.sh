#!/bin/bash
# Writes golden.yaml of every project here with a real `docker compose` (2.40): make-config-goldens.sh COMMAND..., where COMMAND FOLDER runs
# "docker compose config" there. The project's folder is written as @DIR@, the home folder as @HOME@.
here=$(dirname "$0")/config
for folder in "$here"/*/; do
  profile=$(cat "$folder/profile" 2> /dev/null || true)
  "$@" "$folder" "$profile" > "$folder/golden.yaml" || { echo "failed: $folder" >&2; rm -f "$folder/golden.yaml"; }
done
