# Words after the image are the command's, whatever they look like.
t docker run --rm base:1 echo --rm -it --name x
t docker run --rm -- base:1 echo x
t docker run --rm base:1 printf '%s|' '' 'a b' '*' '$HOME' "it's"
t docker run --rm=true --interactive=false base:1 echo long forms
t docker run --rm -e=A=1 -eB=2 base:1 sh -c 'echo $A $B'
t docker container run --rm base:1 echo management form
e docker run --rm -w base:1
e docker run --rm=maybe base:1 true
