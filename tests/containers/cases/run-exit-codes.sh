# The command's own status, and Docker's three for what could not be started.
t docker run --rm base:1 true
t docker run --rm base:1 false
t docker run --rm base:1 sh -c 'exit 7'
t docker run --rm base:1 sh -c 'exit 200'
e docker run --rm base:1 no-such-program
says 'no-such-program'
e docker run --rm base:1 /etc/passwd
says 'permission denied'
e docker run --rm base:1 /etc
e docker run --rm base:1 /no/such/path
e docker run --rm --no-such-flag base:1 true
says 'no-such-flag'
e docker run --rm --pull never no-such-image true
says 'no-such-image'
e docker run
e docker run --rm --memory=lots base:1 true
