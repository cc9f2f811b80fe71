# Limits of a container that is there.
q docker run -d --name c1 -m 64m --memory-swap 64m base:1 sleep 60
t docker update -m 32m --memory-swap 32m c1
t docker inspect -f '{{.HostConfig.Memory}}' c1
t docker exec c1 sh -c 'cat /sys/fs/cgroup/memory.max 2> /dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes'
t docker update --restart always c1
t docker inspect -f '{{.HostConfig.RestartPolicy.Name}}' c1
e docker update none
e docker update --restart nonsense c1
q docker rm -f c1
