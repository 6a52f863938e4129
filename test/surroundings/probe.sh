# Prints all that a RUN can see of its surroundings: "@ ITEM", then the item's lines. It is run by eval in the first
# process, so that no file of its own is open; the result goes to descriptor 3, which is opened after the descriptors
# were looked at.
descriptors=$(cd /proc/1/fd && for n in *; do echo "$n $(readlink $n)"; done)
exec 3>"$RESULT"
item() { echo "@ $1" >&3; shift; "$@" >&3 2>&1; }

item descriptors echo "$descriptors"
item standard-input sh -c 'cat | wc -c'
item terminal sh -c 'for n in 0 1 2; do [ -t $n ] && echo "$n is a terminal"; done; tty; :'
item environment sh -c 'tr "\0" "\n" </proc/1/environ'
item command sh -c 'tr "\0" " " </proc/1/cmdline | head -c 40; echo'
item working-folder pwd
item ids id
item umask umask
item status grep -E '^(Umask|Uid|Gid|Groups|Sig(Blk|Ign)|Cap...|NoNewPrivs|Seccomp|Seccomp_filters):' /proc/self/status
item id-maps cat /proc/self/uid_map /proc/self/gid_map
item host-name hostname
item domain-name cat /proc/sys/kernel/domainname
item system uname -s -m
item time-zone date +%Z
item processes sh -c 'cd /proc && for n in [0-9]*; do [ $n = 1 ] && echo 1 $(awk "{print \$2, \"ppid\", \$4, \"pgrp\", \$5, \"session\", \$6, \"tty\", \$7, \"foreground\", \$8}" $n/stat); done; :'
item other-processes sh -c 'cd /proc && for n in [0-9]*; do case $(cat $n/stat 2>/dev/null) in *"(sh)"*|*"(awk)"*|*"(cat)"*|"") ;; *) echo $n $(cat $n/stat);; esac; done; :'
item mounts cat /proc/self/mounts
item devices sh -c 'cd /dev && find . -mindepth 1 ! -path "./pts/[0-9]*" | sort | while read n; do echo "$(stat -c "%A %t,%T %u:%g" $n) $n $(readlink $n)"; done'
item etc-hosts cat /etc/hosts
item resolver sh -c 'stat -c "%A %u:%g" /etc/resolv.conf'
item etc-hosts-mode sh -c 'stat -c "%A %u:%g" /etc/hosts; (echo >>/etc/hosts) 2>&1 | sed "s/.*: //"'
item root-folder sh -c 'cd / && stat -c "%n %A %u:%g" . dev etc proc sys tmp 2>&1'
item hidden sh -c 'for p in acpi asound kcore keys latency_stats timer_list timer_stats sched_debug scsi; do p=/proc/$p; if [ -c $p ]; then echo "$p $(stat -c "device %t,%T" $p) $(wc -c <$p)"; elif [ -d $p ]; then echo "$p folder $(ls $p | wc -l)"; elif [ -e $p ]; then echo "$p visible"; else echo "$p absent"; fi; done; for p in firmware devices/virtual/powercap; do p=/sys/$p; if [ -d $p ]; then echo "$p folder $(ls $p | wc -l)"; else echo "$p absent"; fi; done'
item read-only sh -c 'for p in /proc/sys/kernel/hostname /proc/sys/vm/swappiness /proc/irq/default_smp_affinity /sys/kernel/mm/ksm/run; do echo "$p$( (echo 1 >$p) 2>&1 | sed "s/.*:/:/")"; done; for p in /sys/x /proc/x /proc/bus/x /proc/fs/x; do echo "$p$(mkdir $p 2>&1 | sed "s/.*:/:/")"; done'
item writable sh -c 'for p in /dev /dev/shm /dev/mqueue /proc /sys / /etc; do (>$p/probe-file) 2>/dev/null && echo "$p yes" && rm -f $p/probe-file || echo "$p no"; done'
item device-use sh -c 'head -c 4 /dev/zero | wc -c; head -c 4 /dev/urandom | wc -c; (echo x >/dev/full) 2>&1 | sed "s/.*: /full: /"; (: </dev/tty) 2>&1 | sed "s/.*: /tty: /"; grep -q "^ *0 *0 " /proc/self/uid_map || [ "$(id -u)" != 0 ] || exit 0; mknod /null2 c 1 3 2>&1 && echo "null: $(wc -c </null2 2>&1)"; mknod /mem c 1 1 2>&1 && (head -c 1 /mem) 2>&1 | sed "s/.*: /mem: /"; mknod /loop b 7 0 2>&1 && (head -c 1 /loop) 2>&1 | sed "s/.*: /loop: /"; rm -f /null2 /mem /loop'
item attempts sh -c 'for c in "unshare -m true" "unshare -U true" "mount -t tmpfs none /tmp" "umount /proc" "hostname other" "date -s 2000-01-01" "swapon /etc/hosts" "insmod /etc/hosts" "chroot / true" "ip link set lo down" "chmod 4755 /etc/hosts"; do $c >/dev/null 2>/tmp/error; echo "$c: $? $(tail -n 1 /tmp/error | sed "s/.*: //")"; done'
item network-interfaces sh -c 'tail -n +3 /proc/net/dev | sed "s/:.*//;s/ //g" | sort; cat /sys/class/net/lo/flags'
item network-addresses sh -c 'ip addr show 2>&1 | grep inet'
item network-routes cat /proc/net/route
item loopback sh -c '(echo x | nc -w 1 127.0.0.1 9) 2>&1 | sed "s/.*: //"'
item cgroup cat /proc/self/cgroup
item limits sh -c 'cut -c 1-66 /proc/self/limits'
item oom-score cat /proc/self/oom_score_adj
item namespaces sh -c 'ls /proc/self/ns'
item personality cat /proc/self/personality
item key-users sh -c 'wc -l </proc/key-users'
item signals sh -c 'kill -0 1 && echo "pid 1 can be signalled"'
item timer-slack cat /proc/self/timerslack_ns
item scheduler sh -c 'awk "{print \"priority\", \$18, \"nice\", \$19, \"policy\", \$41}" /proc/self/stat'
item syscalls sh -c '/probe/syscalls | od -A n -v -t x1'
exec 3>&-
