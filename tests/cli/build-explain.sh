#!/bin/bash
# --explain says for each step why it hit or ran; mica why says it later.
source "$(dirname "$0")/../support/cli.sh"
busybox_image base
mkdir ctx
echo 1 > ctx/file
printf 'FROM base\nCOPY file /file\nRUN cat /file\n' > ctx/Dockerfile
expect_ok build --explain -t app ctx
stderr_has "#3 runs: no earlier run of this step is known"
expect_ok build --explain -t app ctx
stderr_has "#3 hit: same instruction"
stderr_has "1 file unchanged"
echo 2 > ctx/file
expect_ok build --explain -t app ctx
grep -q '^#3 runs: .*file changed' .stderr || { show; fail "the changed file is not named"; }
grep -q '^#4 runs: .*root filesystem' .stderr || { show; fail "the changed parent is not named"; }
expect_ok "$MICA" why app
stdout_has "of docker.io/library/app:latest"
stdout_has "#3 [2/3] COPY file /file  (line 2)"
stdout_has "file changed"
expect_ok "$MICA" why app '#4'
stdout_has "RUN cat /file"
stdout_lacks "#3"
expect_ok "$MICA" why '#3'
stdout_has "COPY file /file"
expect_ok "$MICA" why app "cat /file" --format '{{range .Steps}}{{.Number}} {{.Outcome}}{{end}}'
stdout_is "4 done"
expect_ok "$MICA" why --format json
needs_program jq
equal "steps" "2 3 4" "$(jq -r '.Steps[].Number' .stdout | xargs)"
expect_fail 1 "$MICA" why app nonsense
stderr_has 'the build has no step "nonsense"'
stderr_has "#4 [3/3] RUN cat /file"
expect_fail 1 "$MICA" why base
stderr_has "no build of base is known"
expect_ok build --no-cache ctx
expect_ok "$MICA" why '#4'
stdout_has "--no-cache"
