# The name in the kernel, in /etc/hostname, in /etc/hosts.
t docker run --rm -h box base:1 sh -c 'hostname; cat /etc/hostname; tail -1 /etc/hosts'
t docker run --rm -h box --domainname example.org base:1 sh -c 'hostname; cat /etc/hostname; cat /proc/sys/kernel/domainname; tail -1 /etc/hosts | cut -f2'
t docker run --rm -h box.example.org base:1 sh -c 'hostname; tail -1 /etc/hosts | cut -f2'
t docker run --rm base:1 sh -c '[ "$(hostname)" = "$(cat /etc/hostname)" ] && hostname'
t docker run --rm -h box base:1 cat /etc/hosts
t docker run --rm -h box --network none base:1 cat /etc/hosts
e docker run --rm -h -bad- base:1 hostname
