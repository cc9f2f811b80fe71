#!/bin/bash
# why, logs and history on a store that never built anything.
source "$(dirname "$0")/../support/cli.sh"
expect_fail 1 "$MICA" why
stderr_has "no build is known"
expect_fail 1 "$MICA" builder logs
stderr_has "no build is known"
expect_ok "$MICA" builder history
equal "only the heading" 1 "$(wc -l < .stdout)"
stdout_has "BUILD ID   NAME      STATUS    CREATED AT   DURATION"
