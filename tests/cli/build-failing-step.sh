#!/bin/bash
# A failing step is shown with its last lines, its place in the Dockerfile and status 1.
source "$(dirname "$0")/../support/cli.sh"
busybox_image base
mkdir ctx
cat > ctx/Dockerfile <<'END'
FROM base
RUN seq 1 30; \
    exit 42
RUN echo never
END
expect_fail 1 build -t app ctx
stderr_has '#3 ERROR: process "/bin/sh -c seq 1 30;     exit 42" did not complete successfully: exit code: 42'
stderr_has " > [2/3] RUN seq 1 30;     exit 42:"
stderr_has ">>> RUN seq 1 30; \\"
stderr_has "mica: Dockerfile:2"
stderr_lacks "#4"
block=$(sed -n '/^------$/,/^------$/p' .stderr)
equal "last line" 1 "$(grep -cE ' 30$' <<< "$block")"
[[ $(wc -l <<< "$block") -lt 15 ]] || fail "the block repeats too much"
expect_fail 1 "$MICA" inspect app
expect_ok "$MICA" why
stdout_has "failed after"
