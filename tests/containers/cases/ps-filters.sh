# Which containers are shown.
q docker run -d --name up1 -l kind=a base:1 sleep 60
docker run --name done1 -l kind=b base:1 sh -c 'exit 2'
q docker create --name new1 -l kind=a base:1
t docker ps --format '{{.Names}}'
t docker ps -a --format '{{.Names}}'
t docker ps -a -n 2 --format '{{.Names}}'
t docker ps -l --format '{{.Names}}'
t docker ps -a --filter status=exited --format '{{.Names}}'
t docker ps -a --filter status=created --format '{{.Names}}'
t docker ps --filter exited=2 -a --format '{{.Names}}'
t docker ps -a --filter label=kind=a --format '{{.Names}}'
t docker ps -a --filter name=one --format '{{.Names}}'
t docker ps -a --filter name=new --format '{{.Names}}'
t docker ps -a --filter ancestor=base:1 --format '{{.Names}}'
t docker ps -a --filter before=new1 --format '{{.Names}}'
t docker ps -a --filter since=up1 --format '{{.Names}}'
e docker ps --filter nonsense=1
e docker ps --filter status=nonsense
q docker rm -f up1 done1 new1
