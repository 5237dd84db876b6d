import subprocess
import sys

code = """
import os, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
time.sleep(5)
for folder in ("/tmp", "/var/tmp", "/dev/shm", "."):
    try:
        open(folder + "/hostile-marker", "w").write("later")
    except OSError:
        pass
time.sleep(600)
"""
subprocess.Popen([sys.executable, "-S", "-c", code, "hostile-marker"], start_new_session=True)
