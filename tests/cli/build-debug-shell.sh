#!/bin/bash
# --debug opens a shell in the state of the failed step.
source "$(dirname "$0")/../support/cli.sh"
needs_program script
busybox_image base
mkdir ctx
printf 'FROM base\nWORKDIR /w\nRUN echo made > /w/file; exit 3\n' > ctx/Dockerfile
export TERM=xterm
{ sleep 2; printf 'cat file; echo in $PWD\r'; sleep 0.5; printf 'exit\r'; sleep 0.5; } | timeout 60 script -qec "'$MICA' build --debug ctx" /dev/null > drawn && fail "the build should have failed"
tr -d '\r' < drawn > clean
grep -qF "a shell opens in the state in which the step failed" clean || fail "no remark: $(cat -v clean)"
grep -qx "in /w" clean || fail "the shell is elsewhere: $(cat -v clean)"
grep -qx "made" clean || fail "what the step wrote is not there: $(cat -v clean)"
grep -qF "exit code: 3" clean || fail "the failure is not told: $(cat -v clean)"
