#!/bin/bash
# Progress is chosen by flag, then BUILDKIT_PROGRESS, then by what stderr is.
source "$(dirname "$0")/../support/cli.sh"
busybox_image base
printf 'FROM base\nRUN echo hi\n' > Dockerfile
expect_ok "$MICA" build .
stderr_has "#1 [internal] load build definition"
expect_ok "$MICA" build --progress=tty .
stderr_has "#1 [internal] load build definition"
expect_ok "$MICA" build --progress=none .
equal "stderr" "" "$(cat .stderr)"
stdout_is ""
export BUILDKIT_PROGRESS=rawjson
expect_ok "$MICA" build .
stderr_has '{"vertexes":['
expect_ok "$MICA" build --progress plain .
stderr_has "#1 [internal]"
expect_ok "$MICA" build -q .
equal "stderr" "" "$(cat .stderr)"
unset BUILDKIT_PROGRESS
expect_fail 1 "$MICA" build --progress=plane .
stderr_has 'invalid progress mode "plane"'
stderr_has "did you mean plain?"
