#!/bin/bash
# --iidfile holds the id without line end; an old one does not survive a failed build.
source "$(dirname "$0")/../support/cli.sh"
busybox_image base
mkdir good bad
printf 'FROM base\nENV A=1\n' > good/Dockerfile
printf 'FROM base\nRUN false\n' > bad/Dockerfile
expect_ok build --iidfile id -t app good
equal "iidfile" "$(image_id app)" "$(cat id)"
equal "its size" 71 "$(stat -c %s id)"
expect_fail 1 build --iidfile id bad
[[ ! -e id ]] || fail "the id of the build before is still there"
expect_fail 1 build --iidfile nowhere/id good
stderr_has "nowhere/id"
stderr_lacks "#1"
expect_ok build --check --iidfile id good
[[ ! -e id ]] || fail "a check has no image id"
