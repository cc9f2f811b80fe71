# A paused container takes nobody.
q docker run -d --name c1 base:1 sleep 60
q docker pause c1
e docker attach c1
says 'paused'
q docker rm -f c1
