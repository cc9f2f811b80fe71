# timeout: 240
# The page of report: complete, equal to analyze's figures, harmless with any file name, small, and usable in a browser by mouse, keyboard, on a phone and without script.
source "$(dirname "$0")/../support/cli.sh"
needs_root "RUN steps"
needs_program jq python3 chromium chromedriver
busybox_image bb:1
# The JSON block of a page.
data() { sed -n 's,.*<script type="application/json" id="data">\(.*\)</script>$,\1,p' "$1"; }

mkdir -p app/sub
head -c 300000 /dev/urandom > app/data
printf 'x%.0s' {1..5000} > 'app/<img src=x onerror=alert(1)>"&'
printf 'y%.0s' {1..4000} > $'app/sub/new\nline \e[31m\u202e.txt'
printf 'w%.0s' {1..3500} > $'app/sub/not\xffutf8'
mkdir -p 'app/</script><script>document.title="broken"<'
printf 'z%.0s' {1..3000} > 'app/</script><script>document.title="broken"</script>'
cat > app/Dockerfile << 'END'
FROM bb:1
# </script><b>
RUN mkdir -p /build/out && head -c 400000 /dev/urandom > /build/out/a && head -c 200000 /dev/urandom > /build/out/b
COPY . /srv
RUN rm -r /build && mkdir -p /root/.npm/_cacache && head -c 70000 /dev/urandom > /root/.npm/_cacache/x && sleep 0.3
RUN chown 1000 /srv/data && echo '<i>&'
COPY data /srv/again
RUN mkdir -p /opt/node_modules/express/lib && head -c 90000 /dev/urandom > /opt/node_modules/express/lib/index.js
END
build -t app:1 app > .build 2>&1 || fail "building: $(cat .build)"
echo more >> app/data
build -t app:1 app > .build 2>&1 || fail "building: $(cat .build)"

# What is written where.
expect_ok "$MICA" report app:1
stdout_is app-1-report.html
[[ -s app-1-report.html ]] || fail "no page"
expect_ok "$MICA" report -o page.html app:1
stdout_is page.html
expect_ok "$MICA" report -o - app:1
stdout_has "<!doctype html>"
mkfifo pipe
cat pipe > piped.html & reader=$!
expect_ok "$MICA" report -o pipe app:1
wait "$reader"
[[ -p pipe && $(head -c 15 piped.html) == "<!doctype html>" ]] || fail "a pipe was replaced"
expect_fail 1 "$MICA" report nope:1
expect_fail 1 "$MICA" report -o no/folder/page.html app:1

# The figures are analyze's.
"$MICA" analyze --format json app:1 > analyze.json
data page.html > data.json
jq -e . data.json > /dev/null || fail "the JSON block does not parse"
[[ $(grep -c '<script' page.html) == 2 ]] || fail "other scripts than the data and the page's own"
same='del(.largest_files, .largest_directories, .duplicates, .report)'
equal "figures" "$(jq -cS "$same" analyze.json)" "$(jq -cS "$same" data.json)"
equal "what was cut" '{}' "$(jq -c .report.cut data.json)"
equal "the tree has the live bytes" "$(jq .live_bytes analyze.json)" "$(jq '.report.tree[1]' data.json)"
equal "the tree adds up" true "$(jq 'def whole: if type == "array" and length == 7 and (.[6] | length) > 0 then (.[1] == ([.[6][][1]] | add)) and ([.[6][] | whole] | all) else true end; .report.tree | whole' data.json)"
equal "a file of the tree" '["again",300005]' "$(jq -c '[.report.tree[6][] | select(.[0] == "srv") | .[6][] | select(.[0] == "again")][0][:2]' data.json)"
equal "its owner" '"npm express"' "$(jq -c '.report.owners[[.report.tree[6][] | select(.[0] == "opt")][0][4]]' data.json)"
equal "steps and lines" '[[1,"cached"],[3,"cached"],[4,"done"],[5,"done"],[6,"done"],[7,"done"],[8,"done"]]' "$(jq -c '[.report.build.steps[] | [.line, .outcome]]' data.json)"
equal "starts are known and in order" true "$(jq '[.report.build.steps[].started_ns] | . == sort and all(. != null and . >= 0)' data.json)"
equal "runs of a step" '[2,2,0]' "$(jq -c '.report.build.steps[] | select(.line == 4) | [.builds, .ran, .hit]' data.json)"
equal "why" true "$(jq '.report.build.steps[] | select(.line == 4) | .reasons | any(test("data changed"))' data.json)"
equal "measured findings" true "$(jq '[.report.dockerfile.findings[] | select(.rule == "delete-later" and .line == 5 and .bytes == 600000)] | length == 1' data.json)"

# Without a script it is all there as tables; no address is outside; texts are texts.
grep -q '/build/out/' page.html || fail "no waste"
grep -qF 'Delete it in the step that makes it (line 3)' page.html || fail "no remedy"
grep -qF '<code># &lt;/script&gt;' page.html || grep -qF '&lt;/script&gt;&lt;b&gt;' page.html || fail "the Dockerfile is not escaped"
! grep -qE '(src|href|action|data|poster|srcset)=["'"'"']?(https?:|//|ftp:)' page.html || fail "an address outside"
! grep -qE '@import|url\((https?:|//)' page.html || fail "a style asks for something"
grep -q "default-src 'none'" page.html || fail "no policy"
"$MICA" report -f app/Dockerfile -o file.html app:1 > /dev/null || fail "with a named Dockerfile"
equal "the named Dockerfile" '"app/Dockerfile"' "$(data file.html | jq .report.dockerfile.file)"

# Images from elsewhere.
"$MICA" save -o app.tar app:1 || fail "saving"
expect_ok "$MICA" report ./app.tar
stdout_is app.tar-report.html
equal "the archive's figures" "$(jq -c '[.total_bytes, .waste.bytes]' analyze.json)" "$(data app.tar-report.html | jq -c '[.total_bytes, .waste.bytes]')"
"$MICA" report -o - - < app.tar > stream.html || fail "a stream"
equal "an image that nobody built here" null "$("$MICA" --root "$PWD/empty" report -o - ./app.tar | sed -n 's,.*id="data">\(.*\)</script>$,\1,p' | jq -c '.report.build')"

# 50,000 files that are stored twice, with hostile and long names, stay below 1 MB, and the sums exact.
mkdir many
python3 - << 'END'
import os
for folder in range(250):
    os.makedirs(f"many/files/{'<' * 20}{folder}/sub")
    for file in range(200):
        with open(f"many/files/{'<' * 20}{folder}/sub/{'&' * 12}{'long' * 8}{file}", "w") as out:
            out.write("x" * (1 + (folder * file) % 97) + f"{folder}.{file % 150}")
END
printf 'FROM scratch\nCOPY files /files\nCOPY files /copy\nCOPY --chown=5 files /files\n' > many/Dockerfile
build -t many:1 many > .build 2>&1 || fail "building: $(tail -5 .build)"
expect_ok "$MICA" report -o many.html many:1
[[ $(stat -c %s many.html) -lt 1000000 ]] || fail "the page has $(stat -c %s many.html) bytes"
data many.html > many.json
"$MICA" analyze --format json many:1 > many-analyze.json
equal "the total" "$(jq .live_bytes many-analyze.json)" "$(jq '.report.tree[1]' many.json)"
equal "files" 100000 "$(jq '.report.tree[5]' many.json)"
equal "findings, with those that are cut" "$(jq '.waste.bytes' many-analyze.json)" "$(jq '([.findings[].bytes] | add) + .report.cut.findings.bytes' many.json)"
equal "duplicates, with those that are cut" "$(jq '.duplicate_bytes' many-analyze.json)" "$(jq '([.duplicates[].bytes] | add) + .report.cut.duplicates.bytes' many.json)"

python3 "$support/report_in_browser.py" "$PWD/page.html" "$PWD/many.html" || fail "in the browser"
store_is_clean
