#!/bin/bash
# shellcheck's findings inside RUN stand at their places; ARG and ENV are known to it.
source "$(dirname "$0")/../support/cli.sh"
needs_program shellcheck jq
export HOME=$PWD
cat > Dockerfile <<'END'
FROM debian:12.5 AS one
ARG wanted
ENV PLACE=/srv
RUN echo start && \
    cp $wanted "$PLACE" && \
    echo "$unknown"
# hadolint ignore=SC2086
RUN echo $wanted
RUN <<EOF
set -e
for f in $(ls *.txt); do echo "$f"; done
EOF
FROM one
SHELL ["/bin/bash", "-c"]
RUN if [[ $PLACE == /srv ]]; then echo "$wanted"; fi
FROM debian:12.5
RUN if [[ "$PLACE" == /srv ]]; then :; fi
END
"$MICA" lint -f json --no-fail Dockerfile > found.json
at() { jq -r --arg code "$1" '[.[] | select(.code == $code) | "\(.line):\(.column)"] | join(" ")' found.json; }
equal "SC2086, hidden by a pragma the second time" 5:8 "$(at SC2086)"
equal "SC2154 (ARG and ENV are known, also in a stage from that one)" 6:11 "$(at SC2154)"
equal "SC2045 inside a heredoc" 11:10 "$(at SC2045)"
equal "SC3010 only where the shell is sh" 17:8 "$(at SC3010)"
equal "graver by shellcheck's word" error "$(jq -r '.[] | select(.code == "SC2045") | .level' found.json)"
# Without it mica's own of the same names take over.
"$MICA" lint -f json --no-fail --no-shellcheck Dockerfile > found.json
equal "SC2086 without the program" 5:8 "$(at SC2086)"
equal "SC3010 without the program" 17:8 "$(at SC3010)"
