# Further names in /etc/hosts.
t docker run --rm -h box --add-host one:10.0.0.1 --add-host two=10.0.0.2 --add-host six:2001:db8::1 base:1 grep -E 'one|two|six' /etc/hosts
t docker run --rm --add-host gate:host-gateway base:1 grep gate /etc/hosts
t docker run --rm --add-host one:10.0.0.1 --network none base:1 grep one /etc/hosts
e docker run --rm --add-host one base:1 true
e docker run --rm --add-host one:not-an-address base:1 true
