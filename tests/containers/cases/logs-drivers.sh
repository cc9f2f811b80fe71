# Without a log there is nothing to read; unknown drivers and options are told.
q docker run --name c1 --log-driver none base:1 echo gone
e docker logs c1
says 'configured logging driver does not support reading'
t docker inspect -f '{{.HostConfig.LogConfig.Type}}' c1
q docker rm c1
q docker run --name c1 --log-driver json-file --log-opt max-size=10k --log-opt max-file=2 base:1 echo kept
t docker logs c1
t docker inspect -f '{{json .HostConfig.LogConfig}}' c1
q docker rm c1
e docker run --rm --log-driver nonsense base:1 true
e docker run --rm --log-opt nonsense=1 base:1 true
e docker run --rm --log-opt max-file=2 --log-opt max-size=x base:1 true
