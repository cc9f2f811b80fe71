# The folder is made when it is missing; it must be absolute.
t docker run --rm base:1 pwd
t docker run --rm -w /etc base:1 pwd
t docker run --rm -w /made/for/me base:1 sh -c 'pwd; stat -c "%a %u:%g" /made/for/me'
t docker run --rm -u app -w /made/for/me base:1 sh -c 'pwd; stat -c "%a %u:%g" .'
e docker run --rm -w relative base:1 pwd
e docker run --rm -w /etc/passwd base:1 pwd
t docker run --rm -w /etc/../tmp base:1 pwd
