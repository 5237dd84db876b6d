answer = input("your name? ")
!cat /etc/shadow; kill -TERM $PPID
%pip install no-such-package-at-all
import no_such_package_at_all
