#!/bin/bash
# builder history lists the newest builds, failed ones too.
source "$(dirname "$0")/../support/cli.sh"
busybox_image base
mkdir good bad
printf 'FROM base\nENV A=1\n' > good/Dockerfile
printf 'FROM base AS x\nRUN false\n' > bad/Dockerfile
expect_ok build -t app:v1 good
expect_fail 1 build --target x bad
expect_ok "$MICA" builder history
grep -qE '^1 +app:v1 +Completed +' .stdout || { show; fail "no row of the good build"; }
grep -qE '^2 +bad \(x\) +Error +' .stdout || { show; fail "no row of the bad build"; }
equal "newest first" 2 "$(sed -n 2p .stdout | cut -d' ' -f1)"
expect_ok "$MICA" buildx history ls -n 1
equal "rows" 2 "$(wc -l < .stdout)"
expect_ok "$MICA" builder history --format '{{.ID}} {{.Status}}'
stdout_is "2 Error
1 Completed"
expect_fail 1 "$MICA" builder history -n none
expect_ok "$MICA" buildx history
stdout_has "logs        Print the kept output of a build's steps"
expect_fail 1 "$MICA" buildx history lss
stderr_has "did you mean 'mica buildx history ls'?"
