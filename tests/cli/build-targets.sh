#!/bin/bash
# --call=targets lists stages with their comments.
source "$(dirname "$0")/../support/cli.sh"
cat > Dockerfile <<'END'
# deps fetches what the rest needs
FROM scratch AS deps
# something else
FROM deps AS test

# app is the result
FROM deps AS app
END
expect_ok "$MICA" build --call=targets .
stdout_has "TARGET        DESCRIPTION"
stdout_has "deps          fetches what the rest needs"
stdout_has "app (default) is the result"
needs_program jq
expect_ok "$MICA" build --call=targets,format=json .
equal "default" app "$(jq -r '.targets[] | select(.default) | .name' .stdout)"
equal "bases" "scratch deps deps" "$(jq -r '.targets[].base' .stdout | xargs)"
equal "line" 7 "$(jq -r '.targets[2].location.ranges[0].start.line' .stdout)"
