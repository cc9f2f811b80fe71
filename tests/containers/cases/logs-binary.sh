# Bytes that are no text.
q docker run --name c1 base:1 sh -c 'printf "\001\002 tab\there \"quoted\" back\\\\slash <&>\n"; printf "\303\244\n"'
t sh -c 'docker logs c1 | od -c'
q docker rm c1
