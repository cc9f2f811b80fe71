#!/bin/bash
# On a terminal steps are drawn, ended ones once, and the sum line comes last.
source "$(dirname "$0")/../support/cli.sh"
needs_program script
busybox_image base
mkdir good bad
printf 'FROM base\nRUN for i in 1 2 3 4; do echo live-$i; sleep 0.1; done\n' > good/Dockerfile
printf 'FROM base\nRUN printf "\\033[2Jbad words\\n"; exit 3\n' > bad/Dockerfile
export TERM=xterm
on_terminal() { script -qec "stty cols 60 rows 20; $*" /dev/null < /dev/null | tr -d '\r' > drawn; }
on_terminal "$MICA" build -t app good || fail "$(cat drawn)"
grep -q "live-" drawn || fail "no live output: $(cat -v drawn)"
equal "title drawn for good" 1 "$(grep -c 'RUN for i in.*s.\[0m' drawn)"
grep -qF "(3/4)" drawn || grep -qF "(4/4) FINISHED" drawn || fail "no sum line: $(cat -v drawn)"
on_terminal "$MICA" build -t app good
grep -qF "CACHED [2/2] RUN" drawn || fail "no hit shown: $(cat -v drawn)"
NO_COLOR=1 on_terminal "$MICA" build good
! grep -q $'\033\[3' drawn || fail "colours despite NO_COLOR"
on_terminal "$MICA" build bad && fail "the step should have failed"
grep -qF "ERROR [2/2] RUN" drawn || fail "no error shown: $(cat -v drawn)"
grep -qF "bad words" drawn || fail "no output of the failed step: $(cat -v drawn)"
! grep -q $'\033\[2J' drawn || fail "the step's output may clear the screen"
TERM=dumb on_terminal "$MICA" build good
grep -qF "#1 [internal]" drawn || fail "a dumb terminal gets plain progress: $(cat -v drawn)"
