# Whose process it is and where.
q docker run -d --name c1 -u app -w /tmp base:1 sleep 60
t docker exec c1 sh -c 'id -un; pwd; echo $HOME'
t docker exec -u root c1 sh -c 'id; echo $HOME'
t docker exec -u 1001:50 c1 id
t docker exec -u 4321 c1 id -u
t docker exec -w /home/app c1 pwd
t docker exec -w / -u bob c1 sh -c 'id -un; pwd'
q docker rm -f c1
