#!/bin/bash
# With -q only the image id is printed; when a step fails, the end of its output is.
source "$(dirname "$0")/../support/cli.sh"
busybox_image base
mkdir good bad
printf 'FROM base\nRUN echo out\n' > good/Dockerfile
printf 'FROM base\nRUN echo first; echo last words; exit 3\n' > bad/Dockerfile
expect_ok "$MICA" build -q -t app good
stdout_is "$(image_id app)"
equal "stderr" "" "$(cat .stderr)"
expect_ok "$MICA" build --progress=quiet good
stdout_is "$(image_id app)"
expect_fail 1 "$MICA" build -q bad
stdout_is ""
stderr_has " > [2/2] RUN echo first; echo last words; exit 3:"
stderr_has "last words"
stderr_has "Dockerfile:2"
stderr_has "exit code: 3"
stderr_lacks "#1"
expect_fail 1 "$MICA" build -q --progress=plain good
stderr_has "progress=plain and quiet cannot be used together"
expect_ok "$MICA" build -q --progress=auto good
# What goes to stdout is the output alone.
"$MICA" build -q -o - good > tree.tar
tar -tf tree.tar > names   # not into grep -q: it ends early, and the broken pipe would fail the line
grep -q bin/busybox names || fail "the tree on stdout is no tar"
