set -e
export PATH=/bin
cd /
mkdir t; cd t
printf 'hello\n' > plain
L60=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
mkdir -p $L60/$L60/$L60; echo x > $L60/$L60/f
echo y > $L60/$L60/$L60/f
echo z > $L60$L60
mkdir $L60$L60.d
mkdir -p $L60/$L60$L60
echo q > $L60/$L60$L60/$L60
ln -s $L60/$L60/f longlink
ln -s /target/ü unilink
ln -s relative short
ln $L60/$L60/f hardlong
ln plain zhard
echo u > 'ünïcode'
mkdir 'dirü'; echo 1 > 'dirü/f'
printf x > "$(printf 'bad\377name')"
echo big > bigid; chown 3000000:2097152 bigid
echo b > maxid; chown 2097151:2097151 maxid
echo c > gidonly; chown 5:4000000000 gidonly
mknod chr c 12 345; mknod blk b 259 1048575; mkfifo fifo
chmod 4755 plain; mkdir sticky; chmod 1777 sticky; mkdir -m 2755 sgid
echo neg > neg; touch -d @-315619200 neg
echo neg > zero; touch -d @0 zero
echo neg > one; touch -d @1 one
echo neg > two; touch -d @2 two
echo n > fut; touch -d @99999999999 fut
echo n > $L60/fut$L60; touch -d @99999999999 $L60/fut$L60
echo n > B.txt; mkdir a; echo x > a/x; echo y > a-b; echo z > a.txt
mkdir setid; chown 3000000 setid
mkfifo fifobig; chown 3000000 fifobig
ln -s x linkbig; chown -h 3000000 linkbig
P=$L60/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
mkdir -p $P
