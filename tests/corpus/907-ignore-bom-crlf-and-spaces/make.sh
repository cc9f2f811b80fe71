printf '\xef\xbb\xbfone\r\n  two  \n./three/\n/four/../five\n' > .dockerignore; for f in one two five keep; do echo 1 > $f; done; mkdir three four; echo 1 > three/x; echo 1 > four/y
