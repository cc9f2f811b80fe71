# Both streams, where they belong, also after the end.
q docker run --name c1 base:1 sh -c 'echo one; echo two >&2; sleep 0.2; echo three'
t docker logs c1
t docker container logs c1
t sh -c 'docker logs c1 2> /dev/null'
t sh -c 'docker logs c1 2>&1 > /dev/null'
q docker rm c1
e docker logs none
e docker logs
