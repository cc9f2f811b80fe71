echo '*.txt' > .dockerignore; echo 1 > secret.txt
