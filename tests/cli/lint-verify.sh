#!/bin/bash
# lint --fix --verify builds before and after, and writes only when both give the same files.
source "$(dirname "$0")/../support/cli.sh"
needs_root "RUN"
export HOME=$PWD/home
busybox_image base:1
mkdir -p home ctx/bin
cd ctx
printf 'x\n' > app.conf
printf '#!/bin/sh\nmkdir -p /var/lib/apt/lists\necho list > /var/lib/apt/lists/one\ncase "$*" in *install*no-install-rec*) ;; *install*) echo > /recommended ;; esac\n' > bin/apt-get
chmod +x bin/apt-get
cat > Dockerfile <<'END'
FROM base:1
MAINTAINER somebody
COPY bin /bin
RUN apt-get update && apt-get install -y thing=1
ADD app.conf /etc/app.conf
USER 1000
END
cp Dockerfile before
"$MICA" lint --no-shellcheck --fix --verify --no-fail > out 2> err || { cat out err; fail "verifying"; }
grep -q "Dockerfile: the same files are built, less 1 of caches and package lists" err || { cat err; fail "not told what was compared"; }
grep -q '^COPY app.conf' Dockerfile || fail "not written"
grep -q 'rm -rf /var/lib/apt/lists' Dockerfile || fail "lists are left"
grep -q "config Label org.opencontainers.image.authors: nothing became somebody" err || { cat err; fail "the configuration is not told"; }
# A fix on request that changes the tree is not written.
cp before Dockerfile
expect_fail 2 "$MICA" lint --no-shellcheck --fix --unsafe --verify
stderr_has "with the fixes other files are built; nothing was written"
stderr_has "removed /recommended"
cmp -s before Dockerfile || fail "written all the same"
# What does not build is not fixed by guesswork.
printf 'FROM base:1\nRUN false\nADD app.conf /etc/app.conf\nUSER 1000\n' > Dockerfile
cp Dockerfile before
expect_fail 2 "$MICA" lint --no-shellcheck --fix --verify
stderr_has "building Dockerfile before the fixes"
cmp -s before Dockerfile || fail "written all the same"
expect_fail 2 "$MICA" lint --verify
