# What a rebuild will do after a file changed, predicted from records: the steps that then run are those that were predicted.
source "$(dirname "$0")/../support/cli.sh"
needs_root "RUN steps"
needs_program jq
busybox_image bb:1
mkdir -p app/src
cat > app/Dockerfile << 'END'
FROM bb:1 AS site
COPY package.json /app/
RUN --network=none sleep 0.2; cp /app/package.json /out
COPY src /app/src
RUN --network=none cat /app/src/* > /all
FROM bb:1
WORKDIR /srv
RUN --network=none --mount=type=bind,source=conf,target=/conf cat /conf > /srv/conf
COPY --from=site /out /srv/
COPY --from=site /all /srv/
COPY readme /srv/
END
for file in package.json src/a src/b conf readme; do echo "$file" > "app/$file"; done
echo spare > app/unused
build -t app:1 app > .build 2>&1 || fail "building: $(cat .build)"

# predicted OUTCOME: lines of the steps, of the last JSON.
predicted() { jq -c --arg outcome "$1" '[.rebuild.steps[] | select(.outcome == $outcome).line]' .stdout; }
# Changes a file in truth, builds, and compares.
check() {
  local path=$1 runs=$2 may=$3
  expect_ok "$MICA" analyze --changed "$path" --format json app:1
  equal "steps that run after $path changed" "$runs" "$(predicted run)"
  equal "steps that may run after $path changed" "$may" "$(predicted maybe)"
  cp .stdout prediction.json
  echo "changed $RANDOM" >> "app/$path"
  build -t app:1 app > .build 2>&1 || fail "building: $(cat .build)"
  expect_ok "$MICA" why -f json app:1
  local ran
  ran=$(jq -c '[.Steps[] | select(.Outcome == "done" and (.Instruction | startswith("FROM") | not)).Line]' .stdout)
  jq -e --argjson ran "$ran" '([.rebuild.steps[] | select(.outcome == "run").line] - $ran == []) and ($ran - [.rebuild.steps[] | select(.outcome != "hit").line] == [])' prediction.json > /dev/null ||
    fail "after $path changed ran $ran; predicted: $(jq -c '[.rebuild.steps[] | [.line, .outcome]]' prediction.json)"
  last_ran=$ran
}
check readme '[11]' '[]'
equal "what ran" '[11]' "$last_ran"
check conf '[8,9,10,11]' '[]'
check src/a '[4,5]' '[9,10,11]'
equal "what ran: the other file of the stage stayed" '[4,5,10,11]' "$last_ran"
check package.json '[2,3,4,5]' '[9,10,11]'
check unused '[]' '[]'
equal "what ran" '[]' "$last_ran"

expect_ok "$MICA" analyze --changed package.json app:1
stdout_has "Changing package.json rebuilds 4 of 9 steps"
stdout_has "package.json changed"
stdout_has "takes files from stage site"
expect_ok "$MICA" analyze --changed ./src --changed readme --format json app:1
equal "a folder and a file" '[4,5,11]' "$(predicted run)"
equal "the time of what runs" true "$(jq '.rebuild.run_ns == ([.rebuild.steps[] | select(.outcome == "run").duration_ns] | add)' .stdout)"
expect_ok "$MICA" analyze --changed src/new --format json app:1
equal "a new file in a folder" '[4,5,9,10,11]' "$(predicted maybe)"
expect_fail "$MICA" analyze --changed ../x app:1
expect_fail 1 "$MICA" analyze --changed x bb:1
stderr_has "no build of bb:1 is known"
