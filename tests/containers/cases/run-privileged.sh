# Privileged: all capabilities, no seccomp, writable /sys and /proc/sys.
t docker run --rm --privileged base:1 sh -c 'grep -E "^(CapEff|Seccomp):" /proc/self/status; test -w /proc/sys/kernel/hostname && echo writable; ls /dev | grep -cx loop-control'
t docker run --rm base:1 sh -c 'grep -E "^(Seccomp|NoNewPrivs):" /proc/self/status'
t docker run --rm --privileged base:1 sh -c 'mkdir /m && mount -t tmpfs none /m && echo mounted'
t docker run --rm base:1 sh -c 'mkdir /m && mount -t tmpfs none /m && echo mounted'
