# Tried as often as was said, with the last status kept.
q docker run -d --name c1 --restart on-failure:2 base:1 sh -c 'echo try; exit 3'
done_trying() { [[ $(docker inspect -f '{{.RestartCount}} {{.State.Status}}' c1) == '2 exited' ]]; }
until_ok done_trying
t docker inspect -f '{{.RestartCount}} {{.State.ExitCode}} {{.State.Status}}' c1
t docker logs c1
t docker inspect -f '{{json .HostConfig.RestartPolicy}}' c1
q docker rm c1
q docker run -d --name c1 --restart on-failure base:1 true
status_is c1 exited
sleep 0.4
t docker inspect -f '{{.RestartCount}} {{.State.ExitCode}}' c1
q docker rm c1
e docker run -d --restart nonsense base:1 true
e docker run -d --restart always:3 base:1 true
e docker run -d --restart on-failure:x base:1 true
