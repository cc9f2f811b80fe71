#!/bin/bash
# What a name's images were like, one after the other: sizes, waste, build times, findings; a limit on growth; an older store.
source "$(dirname "$0")/../support/cli.sh"
needs_root "RUN"
needs_program jq sqlite3
busybox_image base:1
mkdir ctx
cat > ctx/Dockerfile <<'END'
FROM base:1
COPY data /srv/data
RUN head -c 50000 /dev/urandom > /srv/scratch
RUN rm /srv/scratch
END
head -c 100000 /dev/urandom > ctx/data
# trend ARGS...: the rows as one JSON list. field FILTER: of it.
trend() { expect_ok "$MICA" image trend --format json "$@" && jq -s . .stdout > rows.json; }
field() { jq -c "$1" rows.json; }

# Each new image is a row, the newest first; the same image again is none.
expect_ok build -t app ctx
id=$(image_id app)
base_bytes=$(jq -n "$("$MICA" inspect -f '{{.Size}}' base:1)")
expect_ok build -t app ctx
trend app
equal "one image, one row" 1 "$(field length)"
equal "of this image" "\"$id\"" "$(field '.[0].ID')"
equal "its bytes" "\"$((base_bytes + 150000))\"" "$(field '.[0].Bytes')"
equal "its waste" '"50000"' "$(field '.[0].WasteBytes')"
equal "layers and steps" '["4","3","0"]' "$(field '.[0] | [.Layers, .StepsRun, .StepsCached]')"
equal "nothing before it" '["-",""]' "$(field '.[0] | [.Delta, .DeltaBytes]')"
equal "a time that it took" true "$(field '.[0].BuildSeconds | tonumber > 0')"
expect_ok "$MICA" lint --no-fail --no-shellcheck -f json ctx/Dockerfile
equal "the linter's count" "$(jq -c '[.[] | .level] | [(map(select(. == "error")) | length | tostring), (map(select(. == "warning")) | length | tostring)]' .stdout)" \
  "$(field '.[0] | [.Errors, .Warnings]')"
head -c 130000 /dev/urandom > ctx/data
expect_ok build -t app ctx
trend app
equal "two images" 2 "$(field length)"
equal "what came to it" '"30000"' "$(field '.[0].DeltaBytes')"
equal "the older one is the first" "\"$id\"" "$(field '.[1].ID')"

# Limits: the number itself is allowed.
expect_ok "$MICA" image trend --fail-if-grows 30kB app
expect_fail 1 "$MICA" image trend --fail-if-grows 29999 app
stderr_has "app:latest: $(image_id app | cut -c8-19) is "
stderr_has "+30kB ("
stderr_has "since ${id:7:12} of app:latest"
stderr_has "at most +30kB is allowed"
expect_ok "$MICA" image trend --fail-if-grows 90% app
expect_fail 1 "$MICA" image trend --fail-if-grows 0.1% app
stderr_has "at most +0.1 % is allowed"
expect_fail "$MICA" image trend --fail-if-grows much app
stderr_has "--fail-if-grows"
expect_ok "$MICA" tag base:1 first
expect_ok "$MICA" image trend --fail-if-grows 0 first
stderr_has "no earlier image"

# Something else to compare with: a row by its id, another name, a time.
head -c 131000 /dev/urandom > ctx/data
expect_ok build -t app ctx
expect_ok "$MICA" image trend --fail-if-grows 1kB app
expect_fail 1 "$MICA" image trend --fail-if-grows 1kB --against "${id:7:12}" app
expect_fail 1 "$MICA" image trend --fail-if-grows 1kB --against "$id" app
expect_fail 1 "$MICA" image trend --fail-if-grows 100kB --against base:1 app
stderr_has "of base:1"
expect_ok "$MICA" image trend --fail-if-grows 0 --against 24h app
stderr_has "no earlier image"
expect_ok "$MICA" image trend --fail-if-grows 0 --against "$(date -u -d '+1 min' +%FT%TZ)" app
expect_fail "$MICA" image trend --fail-if-grows 0 --against nosuch:thing app
stderr_has "no image of this trend"
expect_ok "$MICA" image trend --against "${id:7:12}" app
stderr_has "it was "

# A smaller one never fails. Going back to an image is a row too.
head -c 1000 /dev/urandom > ctx/data
expect_ok build -t app ctx
expect_ok "$MICA" image trend --fail-if-grows 0 app
expect_ok "$MICA" tag "$id" app
trend app
equal "five changes" 5 "$(field length)"
equal "back again" "\"$id\"" "$(field '.[0].ID')"
expect_fail 1 "$MICA" image trend --fail-if-grows 10kB app
trend -n 2 app
equal "as many as wanted, with what came to the last one" '[2,true]' "$(field '[length, (.[1].DeltaBytes | tonumber < 0)]')"
expect_ok "$MICA" image trend app
stdout_has "CREATED"
stdout_has "WASTE"
expect_ok "$MICA" image trend --format '{{.Tag}} {{.ID}}' -n 1 app
stdout_is "latest ${id:7:12}"

# Tags of one repository, told together; an id stands for its names.
expect_ok build -t svc:1 ctx
head -c 90000 /dev/urandom > ctx/data
expect_ok build -t svc:2 ctx
trend --all-tags svc
equal "all tags" '["2","1"]' "$(field '[.[].Tag]')"
expect_fail 1 "$MICA" image trend -a --fail-if-grows 50kB svc
expect_fail "$MICA" image trend -a svc:1
stderr_has "--all-tags"
trend "$(image_id svc:2)"
equal "by id" '["2"]' "$(field '[.[].Tag]')"

# History stays when images go, with the waste that they had.
"$MICA" image trend --format json svc:2 > before
expect_ok "$MICA" rmi svc:2
trend svc:2
equal "after rmi" "$(jq -c '[.Bytes, .WasteBytes]' before)" "$(field '.[0] | [.Bytes, .WasteBytes]')"
head -c 91000 /dev/urandom > ctx/data
expect_ok build -t svc:3 ctx
expect_ok "$MICA" tag base:1 svc:3
expect_ok "$MICA" image prune -f
trend svc:3
equal "after prune" '"50000"' "$(field '.[1].WasteBytes')"
expect_ok "$MICA" rmi first
trend first
equal "a pulled or tagged image was not built" '["","",""]' "$(field '.[0] | [.BuildSeconds, .StepsRun, .Errors]')"
expect_fail "$MICA" image trend nothing
stderr_has 'no image is remembered under "nothing:latest"'
expect_fail "$MICA" image trend -n x app
stderr_has "a number is needed"

# Loaded images count as well.
expect_ok "$MICA" save -o app.tar app
MICA_ROOT=$PWD/other expect_ok "$MICA" load -i app.tar
MICA_ROOT=$PWD/other expect_ok "$MICA" image trend --format '{{.ID}} {{.WasteBytes}} {{.BuildTime}}' app
stdout_is "${id:7:12} 50000 -"

store_is_clean

# A store of format version 1: names that it has are the beginning of their history.
mkdir old
sqlite3 old/mica.db < "$support/store_version_1.sql"
export MICA_ROOT=$PWD/old
expect_ok "$MICA" images --format '{{.Repository}}:{{.Tag}} {{.Size}}'
stdout_has "app:latest 1.98MB"
stdout_has "example.com/team/app:1 1.98MB"
for name in app example.com/team/app:1; do
  trend "$name"
  equal "of an older store" '["1","1982469","",""]' "$(field '.[0] | [.Layers, .Bytes, .BuildSeconds, .Errors]')"
  equal "only what it has" 1 "$(field length)"
done
expect_ok "$MICA" tag app app:2
expect_ok "$MICA" image trend -a app
stdout_has "latest"
