#!/bin/bash
# The output of steps is kept, of failed ones too, and printed by builder logs.
source "$(dirname "$0")/../support/cli.sh"
busybox_image base
mkdir good bad
printf 'FROM base\nRUN echo one; printf "no end"\nRUN true\nRUN echo three >&2\n' > good/Dockerfile
printf 'FROM base\nRUN echo before; exit 3\n' > bad/Dockerfile
expect_ok build -t app good
expect_ok "$MICA" builder logs app 3
stdout_is "one
no end"
expect_ok "$MICA" builder logs app "echo three"
stdout_is three
expect_ok "$MICA" builder logs -t app 5
grep -qE '^[0-9]+\.[0-9]{3} three$' .stdout || { show; fail "no time before the line"; }
expect_fail 1 "$MICA" builder logs app 4
stderr_has "wrote no output"
expect_ok "$MICA" builder logs app
stdout_has "#3 [2/4] RUN echo one; printf \"no end\""
grep -qE '^#3 [0-9.]+ one$' .stdout || { show; fail "no line of step 3"; }
grep -qE '^#4 DONE ' .stdout || { show; fail "no end of step 4"; }
# Hits still have the output of the run that made them.
expect_ok build -t app good
expect_ok "$MICA" buildx history logs app '#5'
stdout_is three
expect_fail 1 build bad
expect_ok "$MICA" builder logs
stdout_has "before"
stdout_has "exit code: 3"
expect_ok "$MICA" system prune -f
expect_ok "$MICA" builder logs '#3'
stdout_is before
expect_ok "$MICA" builder prune -af
expect_ok "$MICA" rmi app
expect_ok "$MICA" system prune -f
expect_ok "$MICA" builder logs
stdout_has before
