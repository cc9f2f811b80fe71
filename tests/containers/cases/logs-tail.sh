# The last lines.
q docker run --name c1 base:1 sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do echo line $i; done'
t docker logs --tail 3 c1
t docker logs -n 1 c1
t docker logs --tail 0 c1
t docker logs --tail all c1
t docker logs --tail 100 c1
t docker logs --tail -1 c1
e docker logs --tail nonsense c1
q docker rm c1
