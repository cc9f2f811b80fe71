# The loop of a developer's guide: a Makefile and a build script that say docker, with docker being mica.
source "$(dirname "$0")/../support/cli.sh"
source "$support/registry.sh"
needs_root "containers"
needs_program make docker-registry
start_registry
mkdir bin
expect_ok "$MICA" install-alias --force --dir bin
PATH=$PWD/bin:$PATH
busybox_image base:1
printf 'FROM base:1\nARG VERSION=none\nLABEL version=$VERSION\nCOPY greet /bin/greet\nRUN chmod 755 /bin/greet && echo "$VERSION" > /version\nCMD ["greet"]\n' > Dockerfile
printf '#!/bin/sh\necho "hello from $(cat /version)"\n' > greet
sed 's/^    /\t/' > Makefile << 'END'
NAME ?= demo/greeter
V ?= 1.0
all: build test tag push
build:
    docker build -t $(NAME):$(V) --build-arg VERSION=$(V) .
test:
    docker run --rm $(NAME):$(V) | grep 'hello from $(V)'
tag:
    docker tag $(NAME):$(V) $(REGISTRY)/$(NAME):$(V)
    docker tag $(NAME):$(V) $(NAME):latest
push:
    docker push $(REGISTRY)/$(NAME):$(V)
list:
    docker images --format "table {{.Repository}}\t{{.Tag}}\t{{.Size}}"
clean:
    docker image prune -f
    docker system prune -f
.PHONY: all build test tag push list clean
END
expect_ok make REGISTRY="$REGISTRY"
stdout_has 'hello from 1.0'
stdout_has "digest: sha256:"
expect_ok make list
[[ $(head -1 .stdout) == docker* ]] || fail "make did not show its command"
equal "the table" "REPOSITORY TAG SIZE" "$(sed -n 2p .stdout | tr -s ' ' | sed 's/ $//')"
stdout_has 'demo/greeter'
expect_ok docker images 'demo/greeter:1.0'
equal "lines" 2 "$(wc -l < .stdout)"
expect_ok docker history demo/greeter:1.0
stdout_has 'CMD ["greet"]'
expect_ok docker inspect -f '{{index .Config.Labels "version"}}' demo/greeter:1.0
stdout_is 1.0

# Another version of the same name: the first one is still "latest". Pruning takes what has no name and does not run.
printf '#!/bin/sh\necho "hello again from $(cat /version)"\n' > greet
expect_ok make build
equal "nameless" 0 "$(docker images -qf dangling=true | wc -l)"
expect_ok make build V=2.0
expect_ok docker rmi demo/greeter:latest "$REGISTRY/demo/greeter:1.0"
docker create --name left demo/greeter:2.0 > .id
expect_ok make clean
stdout_has 'Total reclaimed space'
equal "containers left" '' "$(docker ps -aq)"
expect_ok docker run --rm demo/greeter:2.0
stdout_is 'hello again from 2.0'

# What was pushed comes back.
expect_ok docker rmi demo/greeter:1.0 demo/greeter:2.0
expect_ok docker run --rm "$REGISTRY/demo/greeter:1.0"
stdout_is 'hello from 1.0'
