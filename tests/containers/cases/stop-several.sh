# Names go on after one that is missing.
q docker run -d --name c1 base:1 sleep 60
q docker run -d --name c2 base:1 sleep 60
e docker stop -t 0 c1 none c2
t docker ps -a --format '{{.Names}} {{.State}}'
e docker stop
e docker stop -t nonsense c1
q docker rm c1 c2
