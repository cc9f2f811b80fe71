# Parts of the definition and the state.
q docker create --name c1 -h box -e A=1 -w /tmp -u app --read-only -t base:1 echo words here
t docker inspect -f '{{.Name}} {{.Path}} {{json .Args}} {{.Driver}} {{.Platform}}' c1
t docker inspect -f '{{json .Config.Cmd}} {{json .Config.Entrypoint}} {{.Config.User}} {{.Config.WorkingDir}} {{.Config.Tty}}' c1
t docker inspect -f '{{json .State}}' c1
t docker inspect -f '{{.HostConfig.NetworkMode}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Privileged}} {{json .HostConfig.RestartPolicy}}' c1
t docker inspect --type container -f '{{.Name}}' c1
e docker inspect --type volume c1
e docker inspect none
t docker container inspect -f '{{.Config.Image}}' c1
t docker inspect -f '{{len .Id}}' c1
q docker rm c1
