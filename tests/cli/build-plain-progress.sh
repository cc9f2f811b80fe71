#!/bin/bash
# Plain progress is buildx's, line by line; the second build shows hits.
source "$(dirname "$0")/../support/cli.sh"
busybox_image base
mkdir ctx
echo hello > ctx/file
cat > ctx/Dockerfile <<'END'
FROM base
RUN echo one; sleep 0.2; echo two >&2
COPY file /file
END
# Times are not for comparing.
steady() { sed -E 's/^(#[0-9]+) [0-9]+\.[0-9]+ /\1 T /; s/DONE [0-9.]+s/DONE T/; s/ [0-9.]+s done/ done/; s/sha256:[0-9a-f]{64}/ID/' .stderr; }
expect_ok build --no-lint -t app ctx
stdout_is ""
equal "progress" "#1 [internal] load build definition from Dockerfile
#1 transferring dockerfile: 64B done
#1 DONE T

#2 [1/3] FROM docker.io/library/base:latest
#2 CACHED

#3 [2/3] RUN echo one; sleep 0.2; echo two >&2
#3 T one
#3 T two
#3 DONE T

#4 [3/3] COPY file /file
#4 DONE T

#5 exporting to image
#5 writing image ID done
#5 naming to docker.io/library/app:latest done
#5 DONE T" "$(steady)"
expect_ok build --no-lint -t app ctx
equal "cached steps" 3 "$(cached_steps)"
stderr_lacks "#3 0"
