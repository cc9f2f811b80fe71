#!/bin/bash
# Fails on any #include "module/..." in src that the floor plan does not allow. The arrows: ARCHITECTURE.md, "Who includes whom".
set -euo pipefail
cd "$(dirname "$0")/../src"
declare -A may=(
  [base]=""
  [sys]="base"
  [task]="base"
  [json]="base"
  [db]="base"
  [stream]="base sys task"
  [http]="base sys stream task"
  [archive]="base stream"
  [oci]="base json"
  [dockerfile]="base"
  [lint]="base json dockerfile"
  [store]="base sys stream db json oci"
  [registry]="base sys json stream task http oci"
  [snapshot]="base sys stream task db archive oci"
  [runtime]="base sys json task db oci"
  [container]="base sys stream task db json archive oci store snapshot runtime"
  [build]="base sys stream task db json archive oci dockerfile store snapshot registry runtime"
  [analyze]="base stream archive oci store"
  [engine]="base sys task json db stream http archive oci dockerfile lint store registry snapshot runtime container build analyze"
  [compose]="base sys task json oci container engine"
  [api]="base sys json stream http oci engine"
  [cli]="base sys task json oci lint analyze container engine compose api"
)
bad=0
while IFS=: read -r file line text; do
  module=${file%%/*}
  target=$(sed -E 's/^[^"]*"([^"]*)".*/\1/' <<< "$text")
  [[ $target == */* ]] || { echo "src/$file:$line: include \"$target\" by its module: \"$module/$target\""; bad=$((bad + 1)); continue; }
  target=${target%%/*}
  [[ $target != "$module" ]] || continue
  [[ $module == main.cc && $target == cli ]] && continue
  [[ $target == support && ( $file == *_test.cc || $file == *_contract.h ) ]] && continue
  [[ $target == doctest ]] && continue
  if [[ -z ${may[$module]+known} ]]; then echo "src/$file:$line: module $module is not on the floor plan"
  elif [[ " ${may[$module]} " == *" $target "* ]]; then continue
  else echo "src/$file:$line: $module must not include $target (it may: ${may[$module]:-nothing})"; fi
  bad=$((bad + 1))
done < <(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' --include='*.h' --include='*.cc' . | sed 's,^\./,,')
[[ $bad == 0 ]] || { echo "$bad forbidden includes"; exit 1; }
