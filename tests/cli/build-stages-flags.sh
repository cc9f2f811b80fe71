#!/bin/bash
# Target, labels, build arguments and comma lists of flags arrive.
source "$(dirname "$0")/../support/cli.sh"
busybox_image base
cat > Dockerfile <<'END'
FROM base AS one
ARG WHO=nobody
RUN echo "hello $WHO"
FROM one AS two
RUN echo second
FROM two AS three
RUN echo third
END
expect_ok build --target two --build-arg WHO=me --label a=1 --label b -t app -t app:x .
stderr_has "hello me"
stderr_lacks "third"
equal "labels" 'map[a:1 b:]' "$("$MICA" inspect -f '{{.Config.Labels}}' app:x)"
WHO=env expect_ok build --target one --build-arg WHO .
stderr_has "hello env"
# A stage without cache runs again; its equal result lets the next ones hit.
expect_ok build --target two --no-cache-filter one,nothing --build-arg WHO=me .
stderr_has "#3 DONE"
stderr_has "#4 CACHED"
expect_fail 1 build --target four .
stderr_has "four"
expect_ok build --network=host --target one --build-arg WHO=host .
expect_ok build --load -t loaded --target one .
equal "loaded" "$("$MICA" inspect -f '{{.Id}}' loaded)" "$(image_id loaded)"
