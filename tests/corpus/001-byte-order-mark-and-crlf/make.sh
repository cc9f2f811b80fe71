printf '\xef\xbb\xbfFROM busybox:corpus\r\nENV A=b\r\nRUN echo "$A" \\\r\n > /o\r\n' > Dockerfile
