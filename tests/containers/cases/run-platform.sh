# --platform of this machine is fine.
t docker run --rm --platform linux/amd64 base:1 uname -m
e docker run --rm --platform nonsense/x/y/z base:1 true
e docker run --rm --pull never --platform linux/s390x base:1 true
e docker run --rm --pull sometimes base:1 true
