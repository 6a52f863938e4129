import tarfile, io
def T(name, fmt=tarfile.PAX_FORMAT):
    return tarfile.open(name,'w',format=fmt)
def add(t,name,type=tarfile.REGTYPE,data=b'',mode=0o644,uid=0,gid=0,link='',mtime=5,pax=None,dev=(0,0)):
    i=tarfile.TarInfo(name); i.type=type; i.size=len(data); i.mode=mode; i.uid=uid; i.gid=gid; i.linkname=link; i.mtime=mtime
    i.devmajor,i.devminor=dev
    if pax: i.pax_headers=pax
    t.addfile(i, io.BytesIO(data) if data else None)
D=tarfile.DIRTYPE; S=tarfile.SYMTYPE; L=tarfile.LNKTYPE
t=T('a.tar')
add(t,'./',D,mode=0o700)
add(t,'./d/',D,mode=0o750,uid=7,gid=8)
add(t,'d/cap',data=b'cap',mode=0o755,pax={'SCHILY.xattr.security.capability':'\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00'.encode('latin1').decode('latin1')})
add(t,'/abs/f',data=b'abs',uid=3000000)
add(t,'d//x/../y',data=b'y')
add(t,'imp/lied/f',data=b'implied',mode=0o600)
add(t,'dup',data=b'one'); add(t,'dup',data=b'two!',mode=0o755)
add(t,'tofile',D); add(t,'tofile/in',data=b'in'); add(t,'tofile',data=b'now a file')
add(t,'todir',data=b'f'); add(t,'todir',D,mode=0o711)
add(t,'dd',D,mode=0o755); add(t,'dd/k',data=b'k'); add(t,'dd',D,mode=0o700)
add(t,'orig',data=b'orig',mode=0o640,uid=1,gid=1); add(t,'ahard',L,link='orig',mode=0o600,uid=2,gid=3,mtime=0)
add(t,'sym',S,link='d'); add(t,'sym/through',data=b'through link')
add(t,'abssym',S,link='/dd'); add(t,'abssym/t2',data=b'through abs link')
add(t,'escsym',S,link='../../../etc'); 
add(t,'symhard',L,link='sym')
add(t,'.wh.thing',data=b'w')
add(t,'chr',tarfile.CHRTYPE,dev=(1,3),mode=0o666); add(t,'fifo',tarfile.FIFOTYPE)
add(t,'setuid',data=b's',mode=0o4755,uid=5)
add(t,'nano',data=b's',pax={'mtime':'0.75'})
add(t,'ü/long'+'x'*120,data=b's')
add(t,'firstlink',data=b'fl'); add(t,'secondlink',L,link='firstlink'); add(t,'firstlink',data=b'replaced')
t.close()
