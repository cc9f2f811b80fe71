#!/bin/bash
# --replay-logs shows the kept output of hits, without times.
source "$(dirname "$0")/../support/cli.sh"
busybox_image base
printf 'FROM base\nRUN echo words\n' > Dockerfile
expect_ok build .
grep -qE '^#3 [0-9.]+ words$' .stderr || { show; fail "no output"; }
expect_ok build .
stderr_lacks "#3 words"
expect_ok build --replay-logs .
stderr_has "#3 words"
stderr_has "#3 CACHED"
