echo 'FROM busybox:corpus
LABEL lower=yes' > dockerfile
