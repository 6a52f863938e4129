set -e
export PATH=/bin
cd /t
rm plain
rm -r a; mkdir a; echo new > a/y
rm ünïcode
rm -r sticky
