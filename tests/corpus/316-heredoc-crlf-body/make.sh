printf 'FROM busybox:corpus\r\nCOPY <<EOF /f\r\none\r\nEOF\r\n' > Dockerfile
