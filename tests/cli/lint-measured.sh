#!/bin/bash
# lint --image: bytes and seconds of the lines, measured on what was built from them.
source "$(dirname "$0")/../support/cli.sh"
needs_root "RUN"
needs_program jq
export HOME=$PWD/home
busybox_image base:1
mkdir -p home ctx/app ctx/node_modules/x
cd ctx
head -c 3000000 /dev/urandom > app/data
cp app/data app/copy
head -c 700000 /dev/urandom > node_modules/x/y
printf '#!/bin/sh\r\necho hi\r\n' > app/run.sh
printf -- '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ\n-----END OPENSSH PRIVATE KEY-----\n' > app/id_rsa
cat > Dockerfile <<'END'
FROM base:1
WORKDIR /app
RUN mkdir -p build/out && head -c 5000000 /dev/urandom > build/out/big
COPY app /app
RUN rm -rf build /app/id_rsa && mkdir -p /root/.npm/_cacache && head -c 700000 /dev/urandom > /root/.npm/_cacache/z
RUN chown -R 1000:1000 /app
END
expect_ok build -t meas .
expect_ok "$MICA" lint --no-fail --no-shellcheck --image meas -f json
cp .stdout found.json
at() { jq -r --arg code "$1" '[.[] | select(.code == $code) | "\(.line) \(.bytes)"] | join(", ")' found.json; }
equal "deleted by a later step" "5 5000000" "$(at delete-later)"
equal "stored again for the owner" "6 $((2 * 3000000 + $(stat -c %s app/run.sh)))" "$(at rewrite-later)"
equal "cache left" "5 700000" "$(at package-cache-left)"
equal "the same twice" "6 3000000" "$(at duplicate-files)"
equal "no step reads" "1 700000" "$(at context-unignored)"
equal "a key in a layer" "4 null" "$(at secret-in-image)"
equal "a script of another system" "4 null" "$(at script-carriage-returns)"
equal "the base did not move" "" "$(at base-drift)"
# A line that costs nothing is not told of; the rest of the context, once it is ignored, is not either.
printf 'node_modules\n' > .dockerignore
cat > Dockerfile <<'END'
FROM base:1
WORKDIR /app
COPY --chown=1000:1000 app/data /app/
USER 1000
END
expect_ok build -t clean .
expect_ok "$MICA" lint --no-fail --no-shellcheck --image clean -f json
equal "nothing measured" "" "$(jq -r '.[] | select(.bytes) | .code' .stdout | grep -v context-unignored || true)"
# An install after the sources costs its seconds at each edit.
printf '{}' > package.json
mkdir -p bin
printf '#!/bin/sh\nsleep 1\n' > bin/npm
chmod +x bin/npm
cat > Dockerfile <<'END'
FROM base:1
COPY bin /usr/local/bin
ENV PATH=/usr/local/bin:/bin
WORKDIR /src
COPY . .
RUN npm ci
USER 1000
END
expect_ok build -t slow .
expect_ok "$MICA" lint --no-fail --no-shellcheck --image slow -f json
equal "seconds of the install" "6 true" "$(jq -r '.[] | select(.code == "cache-order") | "\(.line) \(.seconds >= 1)"' .stdout)"
# The base's name goes to another image.
printf 'FROM base:1\nRUN echo 2 > /two\n' > base.Dockerfile
expect_ok build -t base:1 -f base.Dockerfile .
expect_ok "$MICA" lint --no-fail --no-shellcheck --image slow -f json
equal "the base moved" "1" "$(jq -r '.[] | select(.code == "base-drift") | .line' .stdout)"
expect_fail 2 "$MICA" lint --image nothere
stderr_has "nothere"
expect_fail 2 "$MICA" lint --image slow --fix
