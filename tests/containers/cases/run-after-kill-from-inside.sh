# A main process that dies of a signal by itself is started again by its policy.
q docker run -d --name c1 --restart on-failure:1 --init base:1 sh -c 'kill -9 $$'
done_trying() { [[ $(docker inspect -f '{{.RestartCount}} {{.State.Status}}' c1) == '1 exited' ]]; }
until_ok done_trying
t docker inspect -f '{{.RestartCount}} {{.State.ExitCode}}' c1
q docker rm c1
