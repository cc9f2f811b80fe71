# Everything that an image's configuration can say about a container.
q docker build -q -t configured:1 - << 'EOF'
FROM base:1
ENV A=1 B="two words" PATH=/opt/bin:/bin
WORKDIR /home/app
USER app:staff
LABEL one=1 two="of the image"
EXPOSE 80 53/udp
STOPSIGNAL SIGUSR1
VOLUME /data
SHELL ["/bin/sh", "-e", "-c"]
CMD id -un; id -gn; pwd; echo "$A $B $PATH $HOME"
EOF
t docker run --name c1 -l two=flag -l three=3 configured:1
t docker inspect -f '{{json .Config.Labels}} {{json .Config.ExposedPorts}} {{.Config.StopSignal}} {{json .Config.Volumes}}' c1
t docker inspect -f '{{.Config.User}} {{.Config.WorkingDir}} {{json .Config.Env}} {{json .Config.Cmd}}' c1
t docker inspect -f '{{range .Mounts}}{{.Type}} {{.Destination}} {{.RW}} {{.Driver}}{{end}}' c1
q docker rm -v c1
q docker rmi configured:1
