# resolv.conf as told.
t docker run --rm --dns 10.9.8.7 --dns 10.9.8.6 --dns-search example.org --dns-search example.com --dns-option ndots:3 base:1 grep -E '^(nameserver|search|options)' /etc/resolv.conf
e docker run --rm --dns nonsense base:1 true
t docker run --rm base:1 sh -c 'test -s /etc/resolv.conf && echo there'
