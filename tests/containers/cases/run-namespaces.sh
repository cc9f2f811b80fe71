# Namespaces of the host and of other containers.
same() { docker run --rm "${@:2}" base:1 readlink "/proc/self/ns/$1" | { read -r theirs; [ "$theirs" = "$(readlink "/proc/self/ns/$1")" ] && echo "the same $1" || echo "another $1"; }; }
t same pid
t same ipc
t same uts
t same net
t same ipc --ipc host
t same uts --uts host
t same net --network host
t docker run --rm --pid host base:1 sh -c '[ $$ -gt 1 ] && echo not 1'
q docker run -d --name first base:1 sleep 60
t docker run --rm --pid container:first base:1 sh -c 'ps -o pid,comm | grep -c sleep'
t docker run --rm --ipc container:first base:1 true
t docker run --rm --network container:first base:1 sh -c 'hostname | wc -c'
e docker run --rm --pid container:none base:1 true
e docker run --rm --ipc nonsense base:1 true
e docker run --rm --network container:first -p 80:80 base:1 true
e docker run --rm --network container:first -h name base:1 true
q docker rm -f first
