#!/bin/bash
# --dry-run says what would run and runs nothing.
source "$(dirname "$0")/../support/cli.sh"
busybox_image base
mkdir ctx
echo 1 > ctx/file
printf 'FROM base\nRUN echo ran\nCOPY file /file\nRUN cat /file\n' > ctx/Dockerfile
expect_ok "$MICA" build --dry-run ctx
stdout_has "WOULD RUN  #3 [2/4] RUN echo ran"
stdout_has "UNKNOWN    #5 [4/4] RUN cat /file"
stdout_has "needs the result of a step that would run"
equal "stderr" "" "$(cat .stderr)"
expect_ok build -t app ctx
expect_ok "$MICA" build --dry-run ctx
stdout_has "4 of 4 steps cached, 0 would run, 0 unknown"
echo 2 > ctx/file
expect_ok "$MICA" build --dry-run ctx
stdout_has "CACHED     #3 [2/4] RUN echo ran"
stdout_has "WOULD RUN  #4 [3/4] COPY file /file"
stdout_has "file changed"
# The dry run left nothing that a real build would hit.
expect_ok build ctx
equal "cached steps" 2 "$(cached_steps)"
# And it is no build that others could ask about.
equal "image still there" 1 "$("$MICA" images -q app | wc -l)"
