# Other names.
q docker create --name c1 base:1
q docker create --name c2 base:1
t docker rename c1 other
t docker ps -a --format '{{.Names}}'
e docker rename other c2
says 'is already in use'
e docker rename none c3
e docker rename other 'not a name'
e docker rename other
t docker inspect -f '{{.Name}}' other
q docker rm other c2
