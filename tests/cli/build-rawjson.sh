#!/bin/bash
# rawjson is one JSON object a line, in buildx's form.
source "$(dirname "$0")/../support/cli.sh"
needs_program jq
busybox_image base
mkdir ctx
printf 'FROM base\nRUN echo hi\nENV A 1\n' > ctx/Dockerfile
expect_ok "$MICA" build --progress=rawjson --explain ctx
stdout_is ""
equal "objects" "$(wc -l < .stderr)" "$(jq -c . .stderr | wc -l)"
equal "kinds" "explanations logs statuses vertexes warnings" "$(jq -r 'keys[]' .stderr | sort -u | xargs)"
equal "output" hi "$(jq -r 'select(.logs) | .logs[0].data' .stderr | base64 -d)"
step=$(jq -r 'select(.logs) | .logs[0].vertex' .stderr)
equal "records of the step" "[2/2] RUN echo hi" "$(jq -r ".vertexes[]? | select(.digest == \"$step\") | .name" .stderr | sort -u)"
equal "completed" 1 "$(jq -r ".vertexes[]? | select(.digest == \"$step\" and .completed) | .name" .stderr | wc -l)"
equal "warning" StageNameCasing "$(printf 'FROM base AS B\n' | "$MICA" build --progress=rawjson - 2>&1 | jq -r 'select(.warnings) | .warnings[0].short' | base64 -d | cut -d: -f1)"
expect_ok "$MICA" build --progress=rawjson ctx
equal "cached" true "$(jq -r '.vertexes[]? | select(.name == "[2/2] RUN echo hi" and .completed) | .cached' .stderr)"
