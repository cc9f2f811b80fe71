# Several at once, one of them missing.
q docker create --name c1 base:1 sleep 60
q docker create --name c2 base:1 sleep 60
e docker start c1 none c2
t docker ps --format '{{.Names}}'
t docker start c1
e docker start -a c1 c2
t docker stop -t 0 c1 c2
t docker rm c1 c2
