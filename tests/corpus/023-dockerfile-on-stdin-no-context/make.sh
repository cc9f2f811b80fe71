printf 'FROM busybox:corpus\nRUN echo x > /x\n' > in
