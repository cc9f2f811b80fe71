t docker run --rm --sysctl net.ipv4.ip_forward=0 --sysctl kernel.msgmax=10000 base:1 cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax
t docker run --rm base:1 cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range
e docker run --rm --sysctl kernel.panic=1 base:1 true
e docker run --rm --network host --sysctl net.ipv4.ip_forward=0 base:1 true
