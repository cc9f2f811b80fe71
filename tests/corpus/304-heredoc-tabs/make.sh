printf 'FROM busybox:corpus\nCOPY <<-EOF /f\n\t\tone\n\t  two\n three\n\tEOF\nRUN <<-X\n\techo a > /r\n\tX\n' > Dockerfile
