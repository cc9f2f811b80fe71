# Users and groups by name and number, as the image's files have them.
t docker run --rm base:1 id
t docker run --rm -u app base:1 id
t docker run --rm -u 1000 base:1 id
t docker run --rm -u app:users base:1 id
t docker run --rm -u 1001 base:1 id
t docker run --rm -u 4242 base:1 sh -c 'id -u; id -g; id -G'
t docker run --rm -u 4242:77 base:1 sh -c 'id -u; id -g; id -G'
t docker run --rm --group-add staff --group-add 1234 base:1 id -G
t docker run --rm -u app --group-add users base:1 id -G
e docker run --rm -u nobody-here base:1 id
e docker run --rm -u app:nogroup-here base:1 id
e docker run --rm --group-add nogroup-here base:1 id
