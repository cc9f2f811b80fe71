# Nothing of the image can be written; mounts can.
t docker run --rm --read-only base:1 touch /x
t docker run --rm --read-only --tmpfs /tmp -v named:/v base:1 sh -c 'touch /tmp/x /v/x && echo ok; touch /etc/x'
t docker run --rm --read-only base:1 sh -c 'echo > /dev/null && touch /dev/shm/x && echo ok'
t docker run --rm --read-only base:1 sh -c 'echo x > /etc/hosts && echo hosts'
q docker volume rm named
