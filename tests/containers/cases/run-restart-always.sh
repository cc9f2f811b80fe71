# Started again until it is stopped by hand.
q docker run -d --name c1 --restart always base:1 sh -c 'echo started; sleep 0.1'
twice() { [[ $(docker inspect -f '{{.RestartCount}}' c1) -ge 2 ]]; }
until_ok twice
t docker stop -t 1 c1
t docker inspect -f '{{.State.Status}} {{.State.Running}} {{.State.Restarting}}' c1
sleep 0.5
t docker inspect -f '{{.State.Status}}' c1
t sh -c 'docker logs c1 | sort -u'
q docker rm c1
q docker run -d --name c1 --restart unless-stopped base:1 sleep 60
q docker kill c1
killed() { [[ $(docker inspect -f '{{.State.Status}}' c1) == exited ]]; }
until_ok killed
t docker inspect -f '{{.RestartCount}} {{.State.ExitCode}}' c1
q docker rm -f c1
