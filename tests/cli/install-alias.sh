# The name of docker: made, made again, refused where it would hide another docker.
source "$(dirname "$0")/../support/cli.sh"
mkdir own other
PATH=$(tr ':' '\n' <<< "$PATH" | while read -r folder; do [[ -e $folder/docker ]] || printf '%s:' "$folder"; done)
expect_ok "$MICA" install-alias --dir own
stdout_is "own/docker -> $MICA"
expect_ok own/docker --version
stdout_has 'mica version'
expect_ok own/docker images -q
expect_ok "$MICA" install-alias --dir own
printf '#!/bin/sh\necho another\n' > other/docker
chmod +x other/docker
expect_fail 1 "$MICA" install-alias --dir other
stderr_has 'other/docker is another docker'
equal "the other one" another "$(other/docker)"
PATH=$PWD/other:$PATH expect_fail 1 "$MICA" install-alias --dir own
stderr_has 'is another docker'
expect_ok "$MICA" install-alias --dir other --force
expect_ok other/docker --version
stdout_has 'mica version'
expect_fail 1 "$MICA" install-alias --dir no/such
equal "left behind" 0 "$(find . -name 'docker.*' | wc -l)"
