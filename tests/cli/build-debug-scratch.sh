#!/bin/bash
# --debug in an image without a shell: busybox from here, in the failed step's user, folder, variables, mounts and files.
source "$(dirname "$0")/../support/cli.sh"
needs_program script busybox
mkdir ctx
cp "$(command -v busybox)" ctx/busybox
echo hidden > secret
cat > ctx/Dockerfile << 'END'
FROM scratch
COPY busybox /tool/busybox
ENV A=from-env
ARG B=from-arg
WORKDIR /w
USER 1234:55
RUN --network=none --mount=type=tmpfs,target=/t --mount=type=secret,id=s,uid=1234 --mount=type=cache,target=/c,uid=1234 \
    ["/tool/busybox", "sh", "-c", "echo in-memory > /t/file; echo in-cache > /c/file; exit 3"]
END
export TERM=xterm
{ sleep 2; printf 'cat /t/file /c/file /run/secrets/s; echo "$A $B $PWD"; id -u; id -g\r'; sleep 0.7; printf 'exit\r'; sleep 0.5; } |
  timeout 60 script -qec "'$MICA' build --debug --secret id=s,src=secret ctx" /dev/null > drawn && fail "the build should have failed"
tr -d '\r' < drawn > clean
for line in in-memory in-cache hidden "from-env from-arg /w" 1234 55; do
  grep -qx -- "$line" clean || fail "not in the shell: $line"$'\n'"$(cat -v clean)"
done
grep -qF "exit code: 3" clean || fail "the failure is not told: $(cat -v clean)"
! grep -qF "add --debug" clean || fail "what was given is advised"
store_is_clean
