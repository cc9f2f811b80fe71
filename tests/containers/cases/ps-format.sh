# Tables and templates.
t docker ps
t docker ps -a --format 'table {{.Names}}\t{{.State}}'
q docker run --name c1 base:1 sh -c 'echo a very long command line of many words'
t docker ps -a --format 'table {{.Names}}\t{{.Image}}\t{{.State}}'
t docker ps -a --format '{{.Command}} {{.Ports}} {{.Mounts}} {{.Networks}}|'
t docker ps -a --no-trunc --format '{{.Command}}'
t docker ps -a --format '{{upper .Names}} {{json .Image}}'
t docker ps -aq
t docker ps -aq --no-trunc
e docker ps --format '{{.Nonsense}}'
q docker rm c1
