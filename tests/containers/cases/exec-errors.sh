# What cannot be run, and where.
q docker run -d --name c1 base:1 sleep 60
e docker exec c1 no-such-program
e docker exec c1 /etc
e docker exec c1 /etc/passwd
e docker exec none true
e docker exec c1
e docker exec -w /no/such c1 pwd
e docker exec -u nobody-here c1 id
e docker exec --nonsense c1 true
q docker kill c1
status_is c1 exited
e docker exec c1 true
says 'is not running'
q docker rm c1
