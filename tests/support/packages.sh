# What the project needs from apt, by purpose. Source it, then: ensure_packages build run test

packages_build=(g++ cmake ninja-build pkg-config ccache lld libisal-dev libcli11-dev libfmt-dev nlohmann-json3-dev doctest-dev libsqlite3-dev
  libssl-dev libcurl4-openssl-dev libmicrohttpd-dev libtomlplusplus-dev libyaml-dev libzstd-dev zlib1g-dev liblzma-dev libbz2-dev)
packages_run=(runc netavark iptables passt uidmap mmdebstrap busybox-static git ca-certificates iproute2 catatonit curl openssh-client libmicrohttpd12)
packages_test=(docker-registry shellcheck libxml2-utils patch apache2-utils openssl python3 skopeo umoci jq chromium chromium-driver attr zstd xz-utils bzip2 perl sqlite3 util-linux bsdutils tmux)
packages_bench=(python3-minimal)

# Installs what is missing; silent when nothing is. RUNLEVEL=1: no service is started (docker-registry would be).
ensure_packages() {
  local group name missing=()
  for group in "$@"; do
    local -n list=packages_$group
    for name in "${list[@]}"; do
      dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
    done
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  echo "installing: ${missing[*]}"
  local as_root=()
  if [[ $(id -u) != 0 ]]; then
    command -v sudo > /dev/null || { echo "run this once as root: apt-get install ${missing[*]}" >&2; return 1; }
    as_root=(sudo)
  fi
  local log
  log=$(mktemp)
  "${as_root[@]}" apt-get -o Acquire::Retries=3 update -qq > "$log" 2>&1 || true
  if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -o Acquire::Retries=3 install -y -qq --no-install-recommends "${missing[@]}" > "$log" 2>&1; then
    tail -20 "$log" >&2
    rm -f "$log"
    echo "apt could not install: ${missing[*]}" >&2
    return 1
  fi
  rm -f "$log"
}
