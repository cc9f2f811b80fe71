#!/bin/bash
# Proxies of the client's configuration reach RUN steps and stay out of the image.
source "$(dirname "$0")/../support/cli.sh"
busybox_image base
mkdir config
echo '{"proxies": {"default": {"httpProxy": "http://proxy.invalid:3128", "noProxy": "localhost"}}}' > config/config.json
export DOCKER_CONFIG=$PWD/config
printf 'FROM base\nRUN echo "got $HTTP_PROXY $http_proxy $NO_PROXY"\n' > Dockerfile
expect_ok build -t app .
stderr_has "got http://proxy.invalid:3128 http://proxy.invalid:3128 localhost"
expect_ok "$MICA" inspect app
stdout_lacks "proxy.invalid"
expect_ok "$MICA" history --no-trunc app
stdout_lacks "proxy.invalid"
expect_ok build --no-cache --build-arg HTTP_PROXY=http://mine.invalid .
stderr_has "got http://mine.invalid http://mine.invalid localhost"
# They are no part of what a step depends on.
echo '{}' > config/config.json
expect_ok build .
equal "cached steps" 2 "$(cached_steps)"
# What the build is given wins over what the Dockerfile says, in either spelling.
cat > Dockerfile << 'END'
FROM base
ENV HTTP_PROXY=http://env.invalid https_proxy=http://env.invalid
ARG NO_PROXY=default
ARG ftp_proxy=default
RUN echo "got $HTTP_PROXY $http_proxy $HTTPS_PROXY $https_proxy $NO_PROXY $no_proxy $ftp_proxy"
END
given=(--build-arg HTTP_PROXY=http://h.invalid --build-arg https_proxy=http://s.invalid --build-arg NO_PROXY=n)
expect_ok build "${given[@]}" .
stderr_has "got http://h.invalid http://h.invalid http://s.invalid http://s.invalid n n default"
