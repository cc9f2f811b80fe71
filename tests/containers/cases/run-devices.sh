# Devices by --device; the default ones.
t docker run --rm base:1 sh -c 'ls /dev'
t docker run --rm --device /dev/null:/dev/void base:1 sh -c 'stat -c "%F %t:%T" /dev/void && echo x > /dev/void'
t docker run --rm --device /dev/zero:/dev/zeroes:r base:1 sh -c 'head -c 3 /dev/zeroes | wc -c; echo x > /dev/zeroes'
e docker run --rm --device /dev/no-such base:1 true
e docker run --rm --device /dev/null:/dev/x:nonsense base:1 true
t docker run --rm base:1 sh -c 'mknod /tmp/kmsg c1 1 11 && cat /tmp/kmsg'
