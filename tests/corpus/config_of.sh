#!/bin/bash
# Prints the normalised config of the one image in a docker archive: no times, no digests, no history of the imported base.
# Usage: config_of.sh ARCHIVE.tar
set -euo pipefail
config=$(tar -xOf "$1" manifest.json | jq -r '.[0].Config')
tar -xOf "$1" "$config" | jq -S '
  del(.created, .id, .container, .container_config, .docker_version, .parent, .["moby.buildkit.cache.v0"], .["moby.buildkit.buildinfo.v1"])
  | .layers = (.rootfs.diff_ids | length) | del(.rootfs)
  | .config = ((.config // {}) | with_entries(select(.value != null and .value != "" and .value != [] and .value != {} and .value != false))
               | if .WorkingDir == "/" then del(.WorkingDir) else . end)
  | .history = [(.history // [])[] | select((.comment // "") | startswith("Imported from") | not) | del(.created, .author) | select(.comment != "")
               | with_entries(select(.value != "" and .value != false))]'
