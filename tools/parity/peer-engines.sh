#!/bin/bash
# A real BuildKit (dockerd and buildx of a Debian suite) in a chroot, to make the parity suite's known answers.
# Needs root on a Debian machine; the first `up` takes about a minute and 2 GB. The mirror is the machine's own.
#
#   peer-engines.sh up            make the chroot and start dockerd; does only what is missing
#   peer-engines.sh run CMD ...   run CMD inside; the folder PEERS_SHARE of the machine is /peers there
#   peer-engines.sh down          stop dockerd and unmount
#
# PEERS_SUITE  trixie (BuildKit 0.13, Go 1.24: the form the project follows) or sid (newer frontend); default trixie
# PEERS_ROOT   where the chroot is; default /opt/peers-$PEERS_SUITE
# PEERS_SHARE  folder shown as /peers; default $PEERS_ROOT.share
# PEERS_EXTRA  further packages: the bench wants buildah and skopeo
set -euo pipefail

suite=${PEERS_SUITE:-trixie}
root=${PEERS_ROOT:-/opt/peers-$suite}
share=${PEERS_SHARE:-$root.share}
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
read -r -a extra <<<"${PEERS_EXTRA-}"
packages=(docker.io docker-cli docker-buildx runc xz-utils "${extra[@]}")

machine_mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 '/debian/\?$' || {
    echo "peer-engines: no Debian mirror in this machine's apt sources; add one and run apt-get update" >&2
    exit 3
  }
}

mounted() { mountpoint -q "$root/$1"; }

# A /dev of its own: a build that damages a device file must not reach the machine's.
mount_dev() {
  mount -t tmpfs -o mode=0755 tmpfs "$root/dev"
  local name major minor
  while read -r name major minor; do mknod -m 0666 "$root/dev/$name" c "$major" "$minor"; done <<'DEVICES'
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
DEVICES
  ln -s /proc/self/fd "$root/dev/fd"
  mkdir "$root/dev/pts" "$root/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$root/dev/pts"
  ln -s pts/ptmx "$root/dev/ptmx"
  mount -t tmpfs tmpfs "$root/dev/shm"
}

mount_all() {
  mounted . || mount --bind "$root" "$root"
  mounted proc || mount -t proc proc "$root/proc"
  mounted sys || { mount --rbind /sys "$root/sys" && mount --make-rslave "$root/sys"; }
  mounted dev || mount_dev
  mounted run || mount -t tmpfs -o mode=0755 tmpfs "$root/run"
  mkdir -p "$root/peers" "$share"
  mounted peers || mount --bind "$share" "$root/peers"
}

# SOURCE_DATE_EPOCH alone is passed on: buildx reads it from its environment.
inside() {
  env -i HOME=/root TERM=dumb LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive PATH="$path" \
    SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH-1}" chroot "$root" "$@"
}

install_packages() {
  [ -e "$root/etc/debian_version" ] || debootstrap --variant=minbase "$suite" "$root" "$(machine_mirror)"
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" # no package may start its own daemon
  chmod 0755 "$root/usr/sbin/policy-rc.d"
  mount_all
  inside dpkg --status "${packages[@]}" >/dev/null 2>&1 && return
  # The machine's own answers on proxies and on mirrors that stand still; signatures are checked in any case.
  apt-config dump --no-empty --format '%f "%v";%n' Acquire::http::Proxy Acquire::Check-Valid-Until Acquire::Check-Date \
    >"$root/etc/apt/apt.conf.d/00machine"
  inside apt-get update -q
  inside apt-get install -y -q --no-install-recommends "${packages[@]}"
}

# No bridge and no packet filter: every RUN of the suite is without network, and the machine's own rules stay untouched.
write_configuration() {
  mkdir -p "$root/etc/docker"
  cat >"$root/etc/docker/daemon.json" <<'JSON'
{
  "bridge": "none",
  "iptables": false,
  "ip6tables": false,
  "ip-forward": false,
  "exec-opts": ["native.cgroupdriver=cgroupfs"],
  "features": { "containerd-snapshotter": true },
  "hosts": ["unix:///run/docker.sock"]
}
JSON
}

start_daemon() {
  inside docker version >/dev/null 2>&1 && return
  setsid env -i HOME=/root PATH="$path" chroot "$root" dockerd --pidfile /run/docker.pid \
    >"$share/dockerd.$suite.log" 2>&1 </dev/null &
  for _ in $(seq 120); do
    inside docker version >/dev/null 2>&1 && return
    sleep 0.5
  done
  echo "peer-engines: dockerd did not start; see $share/dockerd.$suite.log" >&2
  exit 3
}

case ${1-} in
  up)
    command -v debootstrap >/dev/null || apt-get install -y -q debootstrap
    install_packages
    write_configuration
    start_daemon
    inside docker version --format 'dockerd {{.Server.Version}}, {{(index .Server.Components 0).Details.GoVersion}}'
    inside docker buildx version
    ;;
  run)
    shift
    inside "$@"
    ;;
  down)
    if [ -e "$root/run/docker.pid" ]; then
      pid=$(cat "$root/run/docker.pid")
      kill "$pid" || true
      for _ in $(seq 40); do [ -d "/proc/$pid" ] && sleep 0.25; done
    fi
    umount -R -l "$root/sys" "$root" 2>/dev/null || true
    ;;
  *)
    sed -n '2,12s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
