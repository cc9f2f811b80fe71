# Limits of processes.
t docker run --rm --ulimit nofile=100:200 --ulimit core=0 --ulimit nproc=77 base:1 sh -c 'ulimit -n; ulimit -Hn; ulimit -c; grep -E "processes" /proc/self/limits'
e docker run --rm --ulimit nonsense=1 base:1 true
e docker run --rm --ulimit nofile=200:100 base:1 true
q docker create --name c1 --ulimit nofile=5 base:1
t docker inspect -f '{{json .HostConfig.Ulimits}}' c1
q docker rm c1
