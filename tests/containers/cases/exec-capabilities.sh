# An exec has what the container has, and with --privileged all.
q docker run -d --name c1 --cap-drop CHOWN base:1 sleep 60
t docker exec c1 grep -E '^Cap(Eff|Bnd)' /proc/self/status
t docker exec c1 chown app /tmp
t docker exec --privileged c1 chown app /tmp
t docker exec -u app c1 grep -E '^Cap(Eff|Bnd)' /proc/self/status
t docker exec c1 grep NoNewPrivs /proc/self/status
q docker rm -f c1
