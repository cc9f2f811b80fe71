# Copies of many images kept: lists, patterns, errors that stop nothing, a run that is continued, a report.
source "$(dirname "$0")/../support/cli.sh"
source "$support/registry.sh"
needs_program skopeo jq python3 docker-registry

python3 "$support/sample_images.py" source
start_registry
one=$REGISTRY one_log=$REGISTRY_LOG
start_registry
two=$REGISTRY two_log=$REGISTRY_LOG
raw_digest() { skopeo inspect --raw --tls-verify=false "docker://$1" | sha256sum | sed 's/ .*//; s/^/sha256:/'; }
tags_of() { skopeo list-tags --tls-verify=false "docker://$1" 2> /dev/null | jq -r '.Tags | sort | join(" ")'; }
mark() { marked_one=$(wc -l < "$one_log") marked_two=$(wc -l < "$two_log"); }
requests() { tail -n "+$(($2 + 1))" "$1" | { grep -oE '"(GET|HEAD|PUT|POST|PATCH|DELETE) /v2/[^ ]*' || true; } | cut -c2-; }
statuses() { jq -r .Status .stdout | sort | uniq -c | xargs; }

expect_ok "$MICA" copy -q oci:source:single "$one/team/app:1.9"
for tag in 1.10 1.10-rc1 2.0 latest; do expect_ok "$MICA" copy -q "$one/team/app:1.9" "$one/team/app:$tag"; done
expect_ok "$MICA" copy -q oci:source:multi "$one/multi:1"
expect_ok "$MICA" copy -q oci:source:artifact "$one/artifact:7"

# Patterns; the newest; where things go.
expect_ok "$MICA" sync --dry-run --to "$two/mirror" "$one/team/app:1.*" --format '{{.Target}} {{.Status}}'
equal "what would be copied" "$(printf '%s\n' "$two/mirror/team/app:"{1.10,1.10-rc1,1.9}" would be copied")" "$(sort .stdout)"
equal "nothing was" "" "$(tags_of "$two/mirror/team/app")"
expect_ok "$MICA" sync --to "$two/mirror/" --newest 2 "$one/team/app:*"
equal "the newest" "1.10 2.0" "$(tags_of "$two/mirror/team/app")"
stderr_has "2 copied"
equal "columns" "SOURCE|TARGET|STATUS|DIGEST" "$(head -1 .stdout | sed -E 's/ {2,}/|/g; s/\|$//')"

# A list. What images share is sent once, whatever repository it is for: mounted for the second.
cat > list << END
# images that we keep
$one/multi:1
$one/team/app:1.9   $two/apps/first     # the tag is kept

$one/team/app:1.9   $two/apps/second:x
$one/artifact:7
END
mark
expect_ok "$MICA" sync -f list --to "$two/kept" --format json
equal "what became of the list" "4 copied" "$(statuses)"
requests "$two_log" "$marked_two" > .two
equal "sent twice" "" "$(grep -E '^PUT .*digest=' .two | sed 's/.*digest=//' | sort | uniq -d)"
equal "read twice" "" "$(requests "$one_log" "$marked_one" | grep '^GET .*/blobs/' | sed 's/.*blobs//' | sort | uniq -d)"
grep -q 'mount=' .two || fail "nothing was mounted"
equal "a kept tag" "$(raw_digest "$one/team/app:1.9")" "$(raw_digest "$two/apps/first:1.9")"
equal "a given tag" "$(raw_digest "$one/team/app:1.9")" "$(raw_digest "$two/apps/second:x")"
equal "an index" "$(raw_digest "$one/multi:1")" "$(raw_digest "$two/kept/multi:1")"
# Again: two questions an image.
mark
expect_ok "$MICA" sync -f list --to "$two/kept" --format json
equal "what became of the list" "4 unchanged" "$(statuses)"
equal "requests" "4 HEAD 4 HEAD" "$(requests "$one_log" "$marked_one" | cut -d' ' -f1 | sort | uniq -c | xargs) $(requests "$two_log" "$marked_two" | cut -d' ' -f1 | sort | uniq -c | xargs)"

# Errors stop nothing, and the status tells.
cat > list << END
$one/nothing:1
$one/multi:1
$one/team/app:9.*
127.0.0.1:1/unreachable:*
$one/team/app:2.0
END
expect_fail 1 "$MICA" sync -f list --to "$two/errors" --format json
equal "what became of the list" "2 copied 3 failed" "$(statuses)"
stderr_has "failed: $one/nothing:1"
stderr_has 'no tag of '
[[ $(jq -r 'select(.Source | contains("nothing")).Error' .stdout) == *"not found"* || $(jq -r 'select(.Source | contains("nothing")).Error' .stdout) == *unknown* ]] || { show; fail "no reason is given"; }
equal "what can be copied is" "$(raw_digest "$one/team/app:2.0")" "$(raw_digest "$two/errors/team/app:2.0")"
# What is wrong with the list itself is said before anything is done.
mark
printf '%s\n' "$one/multi:1 $two/a b" > bad && expect_fail 1 "$MICA" sync -f bad
stderr_has "bad:1"
printf '%s\n' "$one/multi:1" > bad && expect_fail 1 "$MICA" sync -f bad
stderr_has "has no target"
printf '%s\n' "$one/multi:1 $two/a:1" "$one/artifact:7 $two/a:1" > bad && expect_fail 1 "$MICA" sync -f bad
stderr_has "have one target"
printf '%s\n' "$one/team/app:* $two/a:1" > bad && expect_fail 1 "$MICA" sync -f bad
stderr_has "none of its own"
expect_fail 1 "$MICA" sync
expect_fail 1 "$MICA" sync -f nowhere --to "$two"
equal "requests" "" "$(requests "$two_log" "$marked_two")"

# To a layout and back.
expect_ok "$MICA" sync --to oci:shelf "$one/team/app:*" "$one/artifact:7"
equal "names in the layout" 6 "$(jq '.manifests | length' shelf/index.json)"
expect_ok "$MICA" sync --to "$two/back" 'oci:shelf:*'
equal "tags out of the layout" "1.10 1.10-rc1 1.9 2.0 latest" "$(tags_of "$two/back/team/app")"

# The journal: a run that was broken off goes on where it was; one that has ended is begun anew.
cat > list << END
$one/team/app:1.9
$one/nothing:1
$one/artifact:7
END
expect_fail 1 "$MICA" sync --journal journal -f list --to "$two/journal" --jobs 1
equal "the journal" "begin done failed done end" "$(jq -r .event journal | xargs)"
mark
expect_fail 1 "$MICA" sync --journal journal -f list --to "$two/journal" --format json
equal "after an end all is looked at" "1 failed 2 unchanged" "$(statuses)"
# As a kill leaves it: no end, the last line cut short.
head -3 journal > cut && printf '{"event":"do' >> cut && cp cut journal
mark
expect_fail 1 "$MICA" sync --journal journal -f list --to "$two/journal" --format json --jobs 1
done_in_cut=$(grep -c '"done"' cut)
equal "what the journal has is not looked at" "$done_in_cut" "$(jq -r 'select(.Status == "done before").Source' .stdout | wc -l)"
jq -e . journal > /dev/null || fail "a broken line stays in the journal"
equal "the end" end "$(tail -1 journal | jq -r .event)"
# Another list is another run.
head -2 journal > cut && cp cut journal
expect_ok "$MICA" sync --journal journal --to "$two/journal" "$one/artifact:7" --format json
equal "another list" "1 unchanged" "$(statuses)"
echo "precious" > other
expect_fail 1 "$MICA" sync --journal other --to "$two/journal" "$one/artifact:7"
equal "a file that is no journal" precious "$(cat other)"
expect_ok "$MICA" sync --dry-run --journal untouched --to "$two/journal" "$one/artifact:7"
[[ ! -e untouched ]] || fail "a dry run wrote a journal"

# Killed in the middle, it ends what it began.
for i in $(seq 1 12); do echo "$one/multi:1 $two/many/r$i:1"; done > list
"$MICA" sync --journal killed -f list --jobs 1 > /dev/null 2>&1 &
pid=$!
for ((i = 0; i < 400; i++)); do [[ $(grep -c '"done"' killed 2> /dev/null || true) -lt 3 ]] || break; sleep 0.02; done
kill -9 "$pid" 2> /dev/null || true
wait "$pid" 2> /dev/null || true
before=$(grep -c '"done"' killed)
[[ $before -ge 3 && $before -lt 12 ]] || fail "killed too late or too early: $before done"
expect_ok "$MICA" sync --journal killed -f list --jobs 1 --format json
equal "done before the kill" "$before" "$(jq -r 'select(.Status == "done before").Source' .stdout | wc -l)"
for i in 1 6 12; do equal "an image" "$(raw_digest "$one/multi:1")" "$(raw_digest "$two/many/r$i:1")"; done
[[ ! -e $MICA_ROOT ]] || fail "syncing opened a store"
