# Two see the same.
q docker run -d --name c1 base:1 sh -c 'sleep 1; echo for all'
docker attach c1 > one &
t docker attach c1
wait
t cat one
q docker rm c1
