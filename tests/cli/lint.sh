#!/bin/bash
# mica lint: places, formats, thresholds, configuration, pragmas, fixes; no store is touched.
source "$(dirname "$0")/../support/cli.sh"
export HOME=$PWD/home
mkdir home app
cat > app/Dockerfile <<'END'
FROM debian
RUN apt-get update && \
    # a comment between
    apt-get install -y \
      curl
ADD app.conf /etc/app.conf
CMD /bin/app --serve
END
printf '.git\n' > app/.dockerignore
cp app/Dockerfile before
# Exact places, also inside a chain that goes over several lines.
expect_fail 1 "$MICA" lint --no-shellcheck app/Dockerfile
stdout_has "app/Dockerfile:1:6: warning DL3006:"
stdout_has "app/Dockerfile:5:7: warning DL3008:"
stdout_has "app/Dockerfile:6:1: error DL3020:"
stdout_has "    5 |       curl"
stdout_has "app/Dockerfile:7:5: warning DL3025:"
[[ ! -e $MICA_ROOT/mica.db ]] || fail "lint made a store"
# A folder means its Dockerfile; without a name the one here; "-" is standard input.
expect_fail 1 "$MICA" lint -f gnu --no-shellcheck app
stdout_has "mica:app/Dockerfile:6:1: DL3020 error:"
(cd app && expect_fail 1 "$MICA" lint -f gnu --no-shellcheck && stdout_has "mica:Dockerfile:6:1: DL3020") || exit 1
expect_fail 1 "$MICA" lint --no-shellcheck -f gnu --file-path-in-report given.name - < app/Dockerfile
stdout_has "mica:given.name:6:1: DL3020"
# Fragments need no FROM.
printf 'WORKDIR srv\n' > fragment
expect_fail 1 "$MICA" lint -f gnu fragment
stdout_has "DL3000"
# Thresholds, and rules made graver or lighter or left out, by either name.
expect_ok "$MICA" lint --no-shellcheck --failure-threshold ignore app/Dockerfile
expect_ok "$MICA" lint --no-shellcheck --no-fail app/Dockerfile
printf 'FROM debian:12.5\nMAINTAINER me\n' > old
expect_fail 1 "$MICA" lint -f gnu old
stdout_has "DL4000 error"
expect_ok "$MICA" lint -f gnu --ignore MaintainerDeprecated --ignore no-user old
expect_ok "$MICA" lint -f gnu --style DL4000 --ignore no-user old
stdout_has "DL4000 style"
expect_fail 1 "$MICA" lint -f gnu --style DL4000 -t style old
# What cannot be looked at is status 2.
expect_fail 2 "$MICA" lint missing
stderr_has 'opening "missing": No such file or directory'
expect_fail 2 "$MICA" lint --ignore DL9999x old
stderr_has 'no rule is called "DL9999x"'
expect_fail 2 "$MICA" lint --format jsn old
stderr_has "did you mean json?"
expect_fail 2 "$MICA" lint --failure-threshold grave old
expect_fail 2 "$MICA" lint --unsafe old
# A file that is no Dockerfile is told so, with the rest of it looked at.
printf 'FROM debian:12.5\nCOYP a b\nADD x /y\n' > broken
expect_fail 1 "$MICA" lint -f gnu broken
stdout_has "mica:broken:2:1: DL1000 error: unknown instruction: COYP"
stdout_has "DL3020"
# hadolint's configuration and pragmas.
printf 'ignored: [DL3008]\noverride:\n  info: [DL3020]\n' > .hadolint.yaml
expect_fail 1 "$MICA" lint --no-shellcheck -f gnu app/Dockerfile
stdout_lacks DL3008
stdout_has "DL3020 info"
HADOLINT_IGNORE=DL3020 expect_fail 1 "$MICA" lint --no-shellcheck -f gnu app/Dockerfile
stdout_lacks DL3020
rm .hadolint.yaml
printf '# hadolint ignore=DL3006\nFROM debian\n# hadolint ignore=DL3020\nADD a /a\n' > hidden
expect_fail 1 "$MICA" lint -f gnu --failure-threshold style --warning no-user hidden
stdout_lacks DL3006
stdout_lacks DL3020
expect_fail 1 "$MICA" lint -f gnu --disable-ignore-pragma hidden
stdout_has DL3020
# Formats that programs read.
needs_program jq xmllint
expect_fail 1 "$MICA" lint --no-shellcheck -f json app/Dockerfile old
equal "a finding" "app/Dockerfile 6 1 error DL3020" "$(jq -r '.[] | select(.code == "DL3020") | "\(.file) \(.line) \(.column) \(.level) \(.code)"' .stdout)"
equal "aliases" MaintainerDeprecated "$(jq -r '.[] | select(.code == "DL4000") | .aliases[0]' .stdout)"
equal "fix" COPY "$(jq -r '.[] | select(.code == "DL3020") | .fix.edits[0].text' .stdout)"
expect_fail 1 "$MICA" lint --no-shellcheck -f sarif app/Dockerfile hidden
equal "sarif" "2.1.0 mica" "$(jq -r '"\(.version) \(.runs[0].tool.driver.name)"' .stdout)"
equal "rule of a result" true "$(jq '.runs[0] as $r | all($r.results[]; $r.tool.driver.rules[.ruleIndex].id == .ruleId)' .stdout)"
equal "region" "6 1 4" "$(jq -r '.runs[0].results[] | select(.ruleId == "DL3020" and .suppressions == null) | .locations[0].physicalLocation.region | "\(.startLine) \(.startColumn) \(.endColumn)"' .stdout)"
equal "suppressed" "2" "$(jq '[.runs[0].results[] | select(.suppressions)] | length' .stdout)"
equal "fingerprints differ" true "$(jq '[.runs[0].results[].partialFingerprints["ruleAndLine/v1"]] | (unique | length) == length' .stdout)"
expect_fail 1 "$MICA" lint --no-shellcheck -f checkstyle app/Dockerfile
equal "checkstyle" "6" "$(xmllint --xpath 'string(//error[@source="DL3020"]/@line)' .stdout)"
expect_fail 1 "$MICA" lint --no-shellcheck -f junit app/Dockerfile
xmllint --noout .stdout || fail "junit is no XML"
expect_ok "$MICA" lint --no-shellcheck -f codeclimate app/Dockerfile
equal "codeclimate" "DL3020 blocker" "$(tr '\0' '\n' < .stdout | jq -r 'select(.check_name == "DL3020") | "\(.check_name) \(.severity)"')"
expect_fail 1 "$MICA" lint --no-shellcheck -f gitlab_codeclimate app/Dockerfile
equal "gitlab" 40 "$(jq -r '.[0].fingerprint | length' .stdout)"
expect_fail 1 "$MICA" lint --no-shellcheck -f sonarqube app/Dockerfile
equal "sonarqube" "0 3" "$(jq -r '.issues[] | select(.ruleId == "DL3020") | .primaryLocation.textRange | "\(.startColumn) \(.endColumn)"' .stdout)"
expect_ok "$MICA" lint --no-shellcheck -f codacy app/Dockerfile
equal "codacy" 6 "$(jq -r 'select(.patternId == "DL3020") | .line' .stdout)"
expect_fail 1 "$MICA" lint --no-shellcheck -f github app/Dockerfile
stdout_has "::error file=app/Dockerfile,line=6,col=1,endLine=6,title=DL3020::"
# Fixes: a difference first, then the file; a second time there is nothing to do.
expect_fail 1 "$MICA" lint --no-shellcheck --fix --diff app/Dockerfile
stdout_has "-ADD app.conf /etc/app.conf"
stdout_has "+COPY app.conf /etc/app.conf"
cmp -s before app/Dockerfile || fail "--diff wrote the file"
cp .stdout patch
chmod 640 app/Dockerfile
expect_fail 1 "$MICA" lint --no-shellcheck --fix app/Dockerfile
stderr_has "app/Dockerfile: DL3020:"
grep -qx 'COPY app.conf /etc/app.conf' app/Dockerfile || fail "not mended"
grep -qx 'CMD /bin/app --serve' app/Dockerfile || fail "mended what may change the meaning"
equal "mode" 640 "$(stat -c %a app/Dockerfile)"
cp before patched
patch -s patched patch && cmp -s patched app/Dockerfile || fail "the difference is not what was done"
cp app/Dockerfile once
expect_fail 1 "$MICA" lint --no-shellcheck --fix app/Dockerfile
cmp -s once app/Dockerfile || fail "fixing again changed something"
expect_fail 1 "$MICA" lint --no-shellcheck --fix --unsafe app/Dockerfile
grep -qx 'CMD \["/bin/app", "--serve"\]' app/Dockerfile || fail "--unsafe left the command"
# Standard input is fixed to standard output.
expect_fail 1 "$MICA" lint --no-shellcheck --fix - < before
stdout_has "COPY app.conf /etc/app.conf"
stdout_lacks "warning"
stderr_has "DL3006"
# A link stays a link.
ln -s real linked
cp before real
expect_fail 1 "$MICA" lint --no-shellcheck --fix linked
[[ -L linked ]] || fail "the link was replaced"
grep -q '^COPY' real || fail "what it points to was not mended"
# Rules explain themselves.
expect_ok "$MICA" lint --explain maintainerdeprecated
stdout_has DL4000
expect_ok "$MICA" lint --list-rules
stdout_has DL3059
expect_fail 2 "$MICA" lint --explain DL30066
stderr_has "did you mean DL3006?"
# What floats is no fault where a lock holds it; of the context, what no step reads goes into the ignore file.
mkdir ctx
printf 'FROM debian:12.5\nCOPY app /app\nUSER 1000\n' > ctx/Dockerfile
mkdir ctx/app ctx/junk
head -c 5000 /dev/zero > ctx/junk/a
head -c 9000 /dev/zero > 'ctx/odd[1]'
echo x > ctx/app/x
expect_ok "$MICA" lint --context ctx ctx/Dockerfile
stdout_has "context-unignored: no step reads 2 files of the context: odd[1] (9kB), junk/ (5kB)"
expect_ok "$MICA" lint --fix --context ctx ctx/Dockerfile
stderr_has "ctx/.dockerignore: context-unignored: leave out what no step reads"
equal "ignore file" $'junk\nodd\\[1]' "$(cat ctx/.dockerignore)"
cp ctx/.dockerignore ignored
expect_ok "$MICA" lint --fix --context ctx ctx/Dockerfile
cmp -s ignored ctx/.dockerignore || fail "fixing again changed the ignore file"
stdout_lacks context-unignored
printf 'FROM debian\n' > ctx/floating
expect_fail 1 "$MICA" lint -f gnu ctx/floating
stdout_has DL3006
cat > ctx/mica.lock <<'END'
{"version": 1, "images": {"debian:latest": {"reference": "docker.io/library/debian:latest", "digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "mediaType": "application/vnd.oci.image.index.v1+json", "resolved": "2026-01-01T00:00:00Z"}}, "files": {"floating": ["debian:latest"]}}
END
expect_fail 1 "$MICA" lint -f gnu ctx/floating
stdout_lacks DL3006
