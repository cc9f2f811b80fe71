# The files that name hosts, in containers and steps; what may not be written with --read-only; limits.
source "$(dirname "$0")/../support/cli.sh"
needs_root "networks"
busybox_image busybox:1
expect_ok "$MICA" run --rm -h web --domainname example.org --add-host db:10.0.0.5 --add-host v6=[fd00::1] busybox:1 \
  sh -c 'grep -v "^f[ef]0" /etc/hosts; ip -4 -o addr | sed -n "s,.*inet \(.*\)/.* eth0.*,address \1,p"; hostname'
address=$(sed -n 's/^address //p' .stdout)
[[ $address ]] || { show; fail "the container has no address"; }
stdout_is $'127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n10.0.0.5\tdb\nfd00::1\tv6\n'"$address"$'\tweb.example.org web\n'"address $address"$'\nweb'
expect_fail 1 "$MICA" run --rm --network=none -h web busybox:1 grep -q web /etc/hosts
expect_ok "$MICA" run --rm --network=host --add-host db:10.0.0.5 busybox:1 cat /etc/hosts
equal "hosts on the host's network" "$(cat /etc/hosts)"$'\n10.0.0.5\tdb' "$(cat .stdout)"
printf 'FROM busybox:1\nRUN cat /etc/hosts\n' > Dockerfile
expect_ok build --network=none --add-host a:1.2.3.4,b=::1 .
for line in $'127.0.0.1\tlocalhost buildkitsandbox' $'1.2.3.4\ta' $'::1\tb'; do stderr_has "$line"; done

for bad in a: :1.2.3.4 abc a=b=c a:nowhere; do
  expect_fail 125 "$MICA" run --rm --add-host "$bad" busybox:1 true
  stderr_has "invalid argument \"$bad\" for \"--add-host\" flag: "
  expect_fail 1 build --add-host "$bad" .
  stderr_has "invalid host $bad"
done

for snapshotter in overlay copy; do
  expect_ok "$MICA" --snapshotter=$snapshotter run --rm --network=none --read-only --tmpfs /scratch busybox:1 \
    sh -c 'for f in /x /bin/busybox /etc/hosts /etc/hostname /etc/resolv.conf /tmp/x; do touch $f 2> /dev/null && echo $f; done; echo x > /scratch/x && echo x > /dev/shm/x && echo good'
  stdout_is good
done
expect_ok "$MICA" run --rm --network=none -m 64m busybox:1 sh -c 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2> /dev/null || cat /sys/fs/cgroup/memory.max'
if ! grep -qF "has no effect" .stderr; then stdout_is 67108864; fi
store_is_clean
