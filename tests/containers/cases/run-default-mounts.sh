# The file systems every container has, and what is hidden from it.
t docker run --rm base:1 sh -c 'for p in / /proc /dev /dev/pts /dev/shm /dev/mqueue /sys /sys/fs/cgroup /etc/hosts /etc/hostname /etc/resolv.conf; do grep -c " $p " /proc/mounts | tr "\n" " "; echo $p; done'
t docker run --rm base:1 sh -c 'for p in /proc /dev /dev/pts /dev/shm /dev/mqueue /sys; do grep " $p " /proc/mounts | head -1 | awk "{print \$2, \$3, substr(\$4, 1, 2)}"; done'
t docker run --rm base:1 sh -c 'for p in nosuid nodev noexec; do echo $p $(grep -E " (/proc|/dev|/dev/pts|/dev/shm|/dev/mqueue|/sys) " /proc/mounts | grep -w $p | cut -d" " -f2); done'
t docker run --rm base:1 sh -c 'wc -c < /proc/kcore; ls /proc/acpi /sys/firmware 2> /dev/null | wc -l; cat /proc/timer_list /proc/keys 2> /dev/null | wc -c'
t docker run --rm base:1 sh -c 'echo 1 > /proc/sys/vm/drop_caches'
t docker run --rm base:1 sh -c 'mkdir /sys/x'
t docker run --rm base:1 sh -c 'ls -l /dev/fd /dev/stdin /dev/stdout /dev/stderr /dev/core /dev/ptmx | awk "{print \$(NF-2), \$(NF-1), \$NF}"'
t docker run --rm base:1 sh -c 'stat -c "%n %a %u:%g" /etc/hosts /etc/hostname /etc/resolv.conf /dev/shm /dev/null'
