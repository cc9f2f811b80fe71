# An ordinary user's steps and containers have a network: the machine's own addresses by pasta, none, or the host's.
source "$(dirname "$0")/../support/cli.sh"
needs_root "making a user and a device"
needs_program pasta python3 unshare
# Debian's udev lets everybody open the device; where it is not so, a node of our own takes its place for this script.
if [[ ! ${own_tun:-} ]]; then
  mknod tun c 10 200
  chmod 666 tun
  exec env own_tun=1 unshare -m sh -c 'mount --bind tun /dev/net/tun && exec bash "$0"' "$0"
fi
make_user
mica() { as_user mica "$@"; }
expect_ok mica import -c 'CMD ["sh"]' busybox.tar busybox:1

# What listens on the machine's loopback is reached only by who asks for it.
mkdir served
echo answer > served/file
python3 - > port << 'END' &
import functools, http.server
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory="served")
server = http.server.HTTPServer(("127.0.0.1", 0), handler)
print(server.server_port, flush=True)
server.serve_forever()
END
server=$!
trap 'kill $server; remove_user' EXIT
for _ in $(seq 100); do [[ ! -s port ]] || break; sleep 0.05; done
port=$(cat port)

address=$(ip -4 -o route get 192.0.2.1 2> /dev/null | sed -nE 's/.* src ([0-9.]+).*/\1/p') || true
[[ $address ]] || skip "the machine has no route to anywhere"
install -d -o "$test_user" "$test_home/context"
context() { cat > "$test_home/context/Dockerfile"; }
# busybox resolves no names (it is linked statically): addresses are given.
ask() { echo "{ printf 'GET /file HTTP/1.0\\r\\n\\r\\n'; sleep 0.3; } | nc -w 2 $1 $port | tail -n 1"; }
interfaces='ls /sys/class/net | wc -l'

context << END
FROM busybox:1
RUN ip -4 -o addr | grep -v ' lo ' | sed 's/.*inet //; s,/.*,,' > /address; ip route | grep -c ^default > /routes; grep -c nameserver /etc/resolv.conf > /servers
RUN --network=none $interfaces > /none
RUN { printf 'GET /file HTTP/1.0\r\n\r\n'; sleep 0.3; } | nc -w 2 \$(awk '\$2 == "host" { print \$1 }' /etc/hosts) $port | tail -n 1 > /file
FROM scratch
COPY --from=0 /address /routes /servers /none /file /
END
expect_ok mica build --progress=plain --add-host host:host-gateway -o out context
equal "the address of a step" "$address" "$(cat "$test_home/out/address")"
equal "default routes" 1 "$(cat "$test_home/out/routes")"
[[ $(cat "$test_home/out/servers") -ge 1 ]] || fail "a step has no name server"
equal "interfaces without network" 1 "$(cat "$test_home/out/none")"
equal "what a step read from the machine" answer "$(cat "$test_home/out/file")"
context << END
FROM busybox:1
RUN { $(ask "$address"); $(ask 127.0.0.1); } > /got; test ! -s /got
RUN --network=host $(ask 127.0.0.1)
END
expect_fail mica build --progress=plain context
stderr_has "network.host"
expect_ok mica build --progress=plain --allow network.host context
stderr_has answer

# Containers have addresses of a bridge of the user's.
expect_ok mica run --rm -h web --domainname example.org busybox:1 sh -c "ip -4 -o addr | grep -v ' lo ' | sed 's/.*inet //; s,/.*,,'; tail -n 1 /etc/hosts"
own=$(head -n 1 .stdout)
stdout_is "$own"$'\n'"$own"$'\tweb.example.org web'
expect_ok mica run --rm --add-host host:host-gateway busybox:1 sh -c "$(ask "\$(awk '\$2 == \"host\" { print \$1 }' /etc/hosts)")"
stdout_is answer
expect_ok mica run --rm busybox:1 sh -c "$(ask 127.0.0.1)"
stdout_is ""
gateway=$(ip -4 route show default | sed -nE 's/.* via ([0-9.]+).*/\1/p' | head -n 1)
expect_ok mica run --rm busybox:1 sh -c "$(ask "$gateway")"
stdout_is ""
# Published ports, names, and what runs longer than the command that started it.
expect_ok mica network create inner
expect_ok mica run -d --name server --network inner -p 127.0.0.1::80 busybox:1 sh -c 'echo published > /index.html; exec httpd -f -p 80 -h /'
expect_ok mica run --rm --network inner busybox:1 wget -qO- http://server/
stdout_is published
expect_ok mica inspect server --format '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}'
expect_ok curl -s "http://127.0.0.1:$(cat .stdout)/"
stdout_is published
expect_ok mica exec server id -u
stdout_is 0
expect_ok mica stop -t 0 server
expect_ok mica rm server
expect_ok mica network rm inner
expect_ok mica run --rm --network=none busybox:1 sh -c "$interfaces"
stdout_is 1
expect_ok mica run --rm --network=host busybox:1 sh -c "$(ask 127.0.0.1)"
stdout_is answer
# No control groups, no limits: that is said.
expect_ok mica run --rm --network=none -m 64m --cpus 1 --pids-limit 9 busybox:1 true
for limit in --memory "a limit of CPU time" --pids-limit; do stderr_has "$limit has no effect"; done
sleep 0.2
equal "pastas that are left" "" "$(ps -u "$test_user" -o stat=,comm= | grep -v '^Z' | grep -E 'pas(ta|st)' || true)"
equal "holders that are left" "" "$(ps -u "$test_user" -o stat=,comm= | grep -v '^Z' | grep mica-holder || true)"
