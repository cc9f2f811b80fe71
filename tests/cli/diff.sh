# What differs between two images: config, layers, files, packages; the same wherever they are.
source "$(dirname "$0")/../support/cli.sh"
needs_root "RUN steps"
needs_program jq
busybox_image bb:1
member() { jq -c "$1" .stdout; }

mkdir app
cat > app/Dockerfile << 'END'
FROM bb:1
ARG VERSION
ENV STAYS=1
RUN mkdir -p /lib/apk/db /srv/one && printf 'P:musl\nV:1.2\n\nP:curl\nV:8.0\n' > /lib/apk/db/installed && echo gone > /srv/one/a && echo one > /srv/file && echo x > /srv/mode && echo y > /srv/owner
LABEL old=1
CMD ["a"]
END
mkdir second
sed -n 1,3p app/Dockerfile > second/Dockerfile
cat >> second/Dockerfile << 'END'
RUN mkdir -p /lib/apk/db /srv/two && printf 'P:curl\nV:8.1\n\nP:zlib\nV:1\n' > /lib/apk/db/installed && head -c 5000 /dev/zero > /srv/two/b && echo three > /srv/file && echo x > /srv/mode && chmod 700 /srv/mode && echo y > /srv/owner && chown 5 /srv/owner
ENV NEW=2
CMD ["b"]
END
build -t one:1 app > .build 2>&1 || fail "building: $(cat .build)"
build -t two:1 second > .build 2>&1 || fail "building: $(cat .build)"

expect_ok "$MICA" diff --format json one:1 two:1
cp .stdout expected.json
equal "config" '[["Cmd","[\"a\"]","[\"b\"]"],["Env NEW",null,"2"],["Label old","1",null]]' "$(member '[.config[] | [.name, .before, .after]]')"
equal "layers" '["both","before","after"]' "$(member '[.layers[].in]')"
equal "packages" '[["apk","curl","8.0","8.1"],["apk","musl","1.2",null],["apk","zlib",null,"1"]]' "$(member '[.packages[] | [.manager, .name, .before, .after]]')"
equal "files" '[["changed","/srv/file",["content"]],["changed","/srv/mode",["mode"]],["removed","/srv/one",[]],["removed","/srv/one/a",[]],["changed","/srv/owner",["owner"]],["added","/srv/two",[]],["added","/srv/two/b",[]]]' \
  "$(member '[.files[] | select(.path | startswith("/srv/")) | [.change, .path, .changed]]')"
equal "bytes of a file" '[4,6]' "$(member '.files[] | select(.path == "/srv/file") | [.bytes_before, .bytes_after]')"
equal "growth" true "$(member '.live_bytes.after - .live_bytes.before == ([.files[] | .bytes_after - .bytes_before] | add)')"

# The same from archives, and nothing between an image and itself.
expect_ok "$MICA" save -o one.tar one:1
expect_ok "$MICA" save -o two.tar two:1
expect_ok "$MICA" diff --format json one.tar ./two.tar
equal "of archives" "$(jq -c 'del(.name, .layers, .compressed_bytes)' expected.json)" "$(member 'del(.name, .layers, .compressed_bytes)')"
expect_ok "$MICA" diff --exit-code one:1 one.tar
stdout_has "no differences"
expect_fail 1 "$MICA" diff --exit-code one:1 two:1
expect_ok "$MICA" diff one:1 two:1
stdout_has "Layers: 1 shared"
stdout_has "/srv/two/ (1 file)"
stdout_has "8.0 to 8.1"
grep -qE '^  ~ Cmd +\["a"\] to \["b"\]$' .stdout || fail "Cmd on the page"
expect_fail 1 "$MICA" diff one:1 nope
expect_fail 1 "$MICA" diff one:1
store_is_clean
