# says: made more than
import os

number = 0
while True:
    os.close(os.open(f"empty-{number}", os.O_CREAT))
    number += 1
