#!/bin/bash
# --check prints each warning with its place and ends with 1 when there is one.
source "$(dirname "$0")/../support/cli.sh"
busybox_image base
mkdir clean warned wrong
printf 'FROM base\nENV A=1\n' > clean/Dockerfile
printf 'FROM base AS B\nENV A 1\nRUN touch /must-not-run\n' > warned/Dockerfile
printf 'FROM base\nCOPYY x\n' > wrong/Dockerfile
expect_ok "$MICA" build --check --no-lint clean
stdout_is "Check complete, no warnings found."
# What BuildKit has no check for is shown too, and leaves the status alone.
expect_ok "$MICA" build --check clean
stdout_has "Check complete, no warnings found."
stdout_has "Dockerfile:1:6: warning DL3006:"
expect_fail 1 "$MICA" build --check warned
stdout_has "Check complete, 2 warnings have been found!"
stdout_has "WARNING: LegacyKeyValueFormat - https://docs.docker.com/go/dockerfile/rule/legacy-key-value-format/"
stdout_has "$PWD/warned/Dockerfile:2"
stdout_has "   2 | >>> ENV A 1"
stderr_lacks "warnings found"
expect_fail 1 "$MICA" build --call=check,format=json warned
needs_program jq
equal "rules" "LegacyKeyValueFormat StageNameCasing" "$(jq -r '.warnings[].ruleName' .stdout | sort | xargs)"
equal "source" "$(cat warned/Dockerfile)" "$(jq -r '.sources[0].data' .stdout | base64 -d)"
expect_fail 1 "$MICA" build --check wrong
stderr_has "unknown instruction: COPYY"
# A build shows the same warnings in short, and succeeds.
expect_ok build warned
stderr_has " 2 warnings found (use --check to expand):"
stderr_has ' - LegacyKeyValueFormat: "ENV key=value" should be used instead of legacy "ENV key value" format (line 2)'
stderr_has " lint: 2 warnings (mica lint warned/Dockerfile): no-user line 1, DL3006 line 1"
expect_ok build --no-lint warned
stderr_lacks " lint: "
expect_fail 1 "$MICA" build --call=outline clean
stderr_has "--call=outline is not supported yet"
