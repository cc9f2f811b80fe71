# -d leaves it alone.
q docker run -d --name c1 base:1 sleep 60
t docker exec -d c1 sh -c 'echo done > /tmp/mark'
until_ok docker exec c1 cat /tmp/mark
t docker exec c1 cat /tmp/mark
t docker exec c1 sh -c 'ps -o comm | grep -c sleep'
q docker rm -f c1
